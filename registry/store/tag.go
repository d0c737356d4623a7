package store

import (
	"context"
	"fmt"

	"berth/registry"
)

// ResolveTag says what a tag names; see registry.Reader. A tag whose manifest
// is gone is unknown.
func (s *Store) ResolveTag(ctx context.Context, repo, tag string) (registry.Descriptor, error) {
	if err := check(ctx, repo); err != nil {
		return registry.Descriptor{}, err
	}
	if err := registry.ParseTag(tag); err != nil {
		return registry.Descriptor{}, err
	}
	d, err := s.current(ctx, repo, tag)
	if err != nil {
		return registry.Descriptor{}, err
	}
	return s.StatManifest(ctx, repo, d)
}

// current reads what a tag names. Errors: registry.ErrManifestUnknown.
func (s *Store) current(ctx context.Context, repo, tag string) (registry.Digest, error) {
	d, err := s.readLink(ctx, currentLink(repo, tag))
	if missing(err) {
		return "", registry.ErrManifestUnknown.WithDetail(map[string]string{"name": repo, "tag": tag})
	}
	if err != nil {
		return "", fmt.Errorf("resolve %s:%s: %w", repo, tag, err)
	}
	return d, nil
}
