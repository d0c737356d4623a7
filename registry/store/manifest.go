package store

import (
	"context"
	"fmt"

	"berth/registry"
	"berth/registry/manifest"
)

// Manifest gives a manifest; see registry.Reader.
func (s *Store) Manifest(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, error) {
	if err := check(ctx, repo, d); err != nil {
		return registry.Manifest{}, err
	}
	if !registry.WasFound(ctx, s, repo, d) {
		if err := s.revision(ctx, repo, d); err != nil {
			return registry.Manifest{}, err
		}
	}
	return s.content(ctx, d)
}

// StatManifest describes a manifest and leases it, since a client that sees it
// may leave it out of its push; see registry.Reader.
func (s *Store) StatManifest(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	if err := check(ctx, repo, d); err != nil {
		return registry.Descriptor{}, err
	}
	defer s.gate.refer()()
	m, err := s.Manifest(ctx, repo, d)
	if err != nil {
		return registry.Descriptor{}, err
	}
	s.leases.take(repo, d)
	if s.landed(revisionLink(repo, d)) {
		if err := s.revision(ctx, repo, d); err != nil {
			return registry.Descriptor{}, err
		}
	}
	return describeManifest(m), nil
}

func describeManifest(m registry.Manifest) registry.Descriptor {
	return registry.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Content))}
}

// revision checks that a repository has a manifest.
// Errors: registry.ErrManifestUnknown.
func (s *Store) revision(ctx context.Context, repo string, d registry.Digest) error {
	ok, err := s.exists(ctx, revisionLink(repo, d))
	if err != nil {
		return fmt.Errorf("stat revision %s: %w", d, err)
	}
	if !ok {
		return registry.ErrManifestUnknown.WithDetail(d)
	}
	return nil
}

// content reads the manifest of a digest, whatever repository has it. What does
// not hash to its digest or cannot be read is unknown, so that a client pushes
// it again. Errors: registry.ErrManifestUnknown.
func (s *Store) content(ctx context.Context, d registry.Digest) (registry.Manifest, error) {
	if m, ok := s.cache.get(d); ok {
		return m, nil
	}
	b, err := s.read(ctx, blobKey(d), registry.MaxManifestSize)
	if missing(err) {
		return registry.Manifest{}, registry.ErrManifestUnknown.WithDetail(d)
	}
	if err != nil {
		return registry.Manifest{}, fmt.Errorf("read manifest %s: %w", d, err)
	}
	if d.Algorithm().FromBytes(b) != d {
		return registry.Manifest{}, registry.ErrManifestUnknown.WithMessage("the manifest on disk is damaged").WithDetail(d)
	}
	p, err := manifest.Parse("", b)
	if err != nil {
		return registry.Manifest{}, registry.ErrManifestUnknown.WithMessage("the manifest on disk cannot be served: %v", err).WithDetail(d)
	}
	m := registry.Manifest{MediaType: p.MediaType, Digest: d, Content: b}
	s.cache.put(m)
	return m, nil
}
