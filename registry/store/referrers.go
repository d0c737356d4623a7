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
		found, err := s.allReferrers(ctx, repo, subject, artifactType)
		if err != nil {
			yield(registry.Descriptor{}, fmt.Errorf("list referrers of %s in %s: %w", subject, repo, err))
			return
		}
		for _, d := range found {
			if !yield(d, nil) {
				return
			}
		}
	}
}

// ask is what a list of referrers was asked for.
type ask struct {
	repo         string
	subject      registry.Digest
	artifactType string
}

// referred is a list of referrers, which must not be modified.
type referred struct {
	told     uint64          // generation of the repository when it was asked for
	fallback registry.Digest // that the fallback tag named; empty: none
	found    []registry.Descriptor
}

// allReferrers gives the whole list, sorted. It is kept until a change is
// brought to the index that could be in it, or the fallback tag names another.
func (s *Store) allReferrers(ctx context.Context, repo string, subject registry.Digest, artifactType string) ([]registry.Descriptor, error) {
	trusted, told := s.trusts(), s.pages.told.of(repo).Load()
	list, err := s.current(ctx, repo, fallbackTag(subject))
	if err != nil && registry.AsErrors(err) == nil {
		return nil, err
	}
	at := ask{repo, subject, artifactType}
	if kept, ok := s.pages.referrers.get(at); ok && trusted && kept.told == told && kept.fallback == list {
		return kept.found, nil
	}
	found, err := s.referrers(ctx, repo, subject, artifactType)
	if err == nil && list != "" {
		err = s.fallback(ctx, repo, list, artifactType, found)
	}
	if err != nil {
		return nil, err
	}
	sorted := slices.SortedFunc(maps.Values(found), byDigest)
	if trusted {
		s.pages.referrers.put(at, referred{told, list, sorted}, sizeOf(at, sorted))
	}
	return sorted, nil
}

// sizeOf is about the memory that a list takes.
func sizeOf(at ask, found []registry.Descriptor) int64 {
	n := len(at.repo) + len(at.subject) + len(at.artifactType)
	for _, d := range found {
		n += 160 + len(d.MediaType) + len(d.Digest) + len(d.ArtifactType)
		for key, value := range d.Annotations {
			n += 64 + len(key) + len(value)
		}
	}
	return int64(n)
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

// fallback adds what the index that a fallback tag names lists, and the
// repository still has.
func (s *Store) fallback(ctx context.Context, repo string, list registry.Digest, artifactType string, found map[registry.Digest]registry.Descriptor) error {
	m, err := s.content(ctx, list)
	if err != nil || !manifest.IsIndex(m.MediaType) {
		return ctx.Err()
	}
	var all struct {
		Manifests []registry.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(m.Content, &all); err != nil {
		return nil
	}
	for _, listed := range all.Manifests {
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
