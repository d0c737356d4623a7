package registrytest

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"berth/registry"
	"berth/registry/manifest"
)

// Referrers lists the manifests with a subject, and those that its fallback
// tag names.
func (f *Fake) Referrers(ctx context.Context, repo string, subject registry.Digest, artifactType string) iter.Seq2[registry.Descriptor, error] {
	return func(yield func(registry.Descriptor, error) bool) {
		found, err := f.referrers(ctx, repo, subject)
		if err != nil {
			yield(registry.Descriptor{}, err)
			return
		}
		for _, d := range slices.Sorted(maps.Keys(found)) {
			if (artifactType == "" || found[d].ArtifactType == artifactType) && !yield(found[d], nil) {
				return
			}
		}
	}
}

func (f *Fake) referrers(ctx context.Context, repo string, subject registry.Digest) (map[registry.Digest]registry.Descriptor, error) {
	if err := errors.Join(ctx.Err(), registry.ParseName(repo), checkDigest(subject)); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	found := map[registry.Digest]registry.Descriptor{}
	r, ok := f.repos[repo]
	if !ok {
		return found, nil
	}
	listed := map[registry.Digest]bool{}
	hex := subject.Encoded()
	fallback := r.tags[subject.Algorithm().String()+"-"+hex[:min(64, len(hex))]]
	if m, ok := r.manifests[fallback]; ok {
		p, _ := manifest.Parse(m.MediaType, m.Content) // it was parsed when it came
		for _, c := range p.Children {
			listed[c.Digest] = true
		}
	}
	for d, m := range r.manifests {
		p, _ := manifest.Parse(m.MediaType, m.Content)
		if listed[d] || p.Subject != nil && p.Subject.Digest == subject {
			found[d] = registry.Descriptor{
				MediaType: m.MediaType, Digest: d, Size: int64(len(m.Content)),
				ArtifactType: p.ArtifactType, Annotations: p.Annotations,
			}
		}
	}
	return found, nil
}
