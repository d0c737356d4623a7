package store

import (
	"context"
	"fmt"
	"slices"

	"berth/registry"
	"berth/registry/index"
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

// DeleteTag removes one tag; see registry.Deleter. A tag that names nothing
// that can be served is removed as well.
func (s *Store) DeleteTag(ctx context.Context, repo, tag string) error {
	if err := check(ctx, repo); err != nil {
		return err
	}
	if err := registry.ParseTag(tag); err != nil {
		return err
	}
	defer s.locks.shared(repo)()
	defer s.lockTags(repo, []string{tag})()
	ok, err := s.exists(ctx, currentLink(repo, tag))
	if err != nil {
		return fmt.Errorf("delete %s:%s: %w", repo, tag, err)
	}
	if !ok {
		return registry.ErrManifestUnknown.WithDetail(map[string]string{"name": repo, "tag": tag})
	}
	if err := s.remove(ctx, tagDir(repo, tag)); err != nil {
		return fmt.Errorf("delete %s:%s: %w", repo, tag, err)
	}
	s.tell(ctx, repo, index.DropTag{Repository: repo, Tag: tag})
	return nil
}

// lockTags takes the locks of tags, which are sorted and distinct.
func (s *Store) lockTags(repo string, tags []string) (unlock func()) {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = repo + ":" + tag
	}
	return s.tags.all(names)
}

// distinctTags checks tags, sorts them, and drops what is said twice.
func distinctTags(tags []string) ([]string, error) {
	for _, tag := range tags {
		if err := registry.ParseTag(tag); err != nil {
			return nil, err
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(tags))), nil
}
