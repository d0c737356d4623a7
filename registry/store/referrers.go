package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"

	"berth/registry"
	"berth/registry/manifest"
)

// Referrers lists what refers to a subject; see registry.Lister. It merges what
// manifests say themselves with what a fallback tag says, which is what clients
// kept for registries that did not know referrers
// (distribution-spec, "Referrers Tag Schema"). The order is that of digests.
func (s *Store) Referrers(ctx context.Context, repo string, subject registry.Digest, artifactType string) iter.Seq2[registry.Descriptor, error] {
	return func(yield func(registry.Descriptor, error) bool) {
		if err := check(ctx, repo, subject); err != nil {
			yield(registry.Descriptor{}, err)
			return
		}
		found, err := s.referrers(ctx, repo, subject, artifactType)
		if err == nil {
			err = s.fallback(ctx, repo, subject, artifactType, found)
		}
		if err != nil {
			yield(registry.Descriptor{}, fmt.Errorf("list referrers of %s in %s: %w", subject, repo, err))
			return
		}
		for _, d := range slices.SortedFunc(maps.Values(found), byDigest) {
			if !yield(d, nil) {
				return
			}
		}
	}
}

func byDigest(a, b registry.Descriptor) int { return cmp.Compare(a.Digest, b.Digest) }

// referrers finds the manifests that name subject: in the index, else on disk.
func (s *Store) referrers(ctx context.Context, repo string, subject registry.Digest, artifactType string) (map[registry.Digest]registry.Descriptor, error) {
	found := map[registry.Digest]registry.Descriptor{}
	if !s.trusts() {
		for d, err := range s.digests(ctx, revisionsRoot(repo), "link") {
			if err != nil {
				return nil, err
			}
			r, of, ok := s.referrer(ctx, d)
			if ok && of == subject && (artifactType == "" || artifactType == r.ArtifactType) {
				found[d] = r
			}
		}
		return found, nil
	}
	for after := registry.Digest(""); ; {
		page, err := s.ix.Referrers(ctx, repo, subject, artifactType, after, pageSize)
		if err != nil && ctx.Err() == nil {
			s.log.Warn("index does not answer, lists come from the disk", "error", err)
			s.doubt()
			return s.referrers(ctx, repo, subject, artifactType)
		}
		if err != nil {
			return nil, err
		}
		for _, r := range page {
			found[r.Digest] = r
			after = r.Digest
		}
		if len(page) < pageSize {
			return found, nil
		}
	}
}

// referrer describes a manifest as a referrers list shows it, and says what its
// subject is; false when the manifest cannot be read.
func (s *Store) referrer(ctx context.Context, d registry.Digest) (registry.Descriptor, registry.Digest, bool) {
	m, err := s.content(ctx, d)
	if err != nil {
		return registry.Descriptor{}, "", false
	}
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		return registry.Descriptor{}, "", false
	}
	r := describeManifest(m)
	r.ArtifactType, r.Annotations = p.ArtifactType, p.Annotations
	if p.Subject == nil {
		return r, "", true
	}
	return r, p.Subject.Digest, true
}

// fallbackTag names the list that clients keep themselves.
func fallbackTag(subject registry.Digest) string {
	hex := subject.Encoded()
	return subject.Algorithm().String() + "-" + hex[:min(64, len(hex))]
}

// fallback adds what the fallback tag lists and the repository still has.
func (s *Store) fallback(ctx context.Context, repo string, subject registry.Digest, artifactType string, found map[registry.Digest]registry.Descriptor) error {
	d, err := s.readLink(ctx, currentLink(repo, fallbackTag(subject)))
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := s.content(ctx, d)
	if err != nil || !manifest.IsIndex(m.MediaType) {
		return ctx.Err()
	}
	var list struct {
		Manifests []registry.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(m.Content, &list); err != nil {
		return nil
	}
	for _, listed := range list.Manifests {
		if _, ok := found[listed.Digest]; ok {
			continue
		}
		if err := s.revision(ctx, repo, listed.Digest); err != nil {
			if registry.AsErrors(err) == nil {
				return err
			}
			continue
		}
		r, _, ok := s.referrer(ctx, listed.Digest)
		if ok && (artifactType == "" || artifactType == r.ArtifactType) {
			found[r.Digest] = r
		}
	}
	return nil
}
