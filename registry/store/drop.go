package store

import (
	"context"
	"fmt"
	"slices"

	"berth/registry"
	"berth/registry/index"
)

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

// DeleteBlob removes a repository's link to a blob; see registry.Deleter.
func (s *Store) DeleteBlob(ctx context.Context, repo string, d registry.Digest) error {
	if err := check(ctx, repo, d); err != nil {
		return err
	}
	defer s.locks.alone(repo)()
	if _, err := s.layer(ctx, repo, d); err != nil {
		return err
	}
	if err := s.remove(ctx, layerDir(repo, d)); err != nil {
		return fmt.Errorf("delete blob %s of %s: %w", d, repo, err)
	}
	s.tell(ctx, repo, index.DropBlob{Repository: repo, Digest: d})
	return nil
}

// DeleteManifest removes a manifest and its tags; see registry.Deleter.
func (s *Store) DeleteManifest(ctx context.Context, repo string, d registry.Digest) error {
	if err := check(ctx, repo, d); err != nil {
		return err
	}
	defer s.locks.alone(repo)()
	if err := s.revision(ctx, repo, d); err != nil {
		return err
	}
	tags, err := s.tagsOf(ctx, repo, d)
	if err != nil {
		return fmt.Errorf("delete manifest %s of %s: %w", d, repo, err)
	}
	ctx = context.WithoutCancel(ctx)
	var removals []func() error
	var changes []index.Change
	for _, tag := range tags {
		removals = append(removals, func() error { return s.remove(ctx, tagDir(repo, tag)) })
		changes = append(changes, index.DropTag{Repository: repo, Tag: tag})
	}
	for some := range slices.Chunk(removals, 16) {
		if err := together(some...); err != nil {
			s.doubt()
			return fmt.Errorf("delete the tags of %s in %s: %w", d, repo, err)
		}
	}
	if err := s.remove(ctx, revisionDir(repo, d)); err != nil {
		s.doubt()
		return fmt.Errorf("delete manifest %s of %s: %w", d, repo, err)
	}
	s.tell(ctx, repo, append(changes, index.DropManifest{Repository: repo, Digest: d})...)
	return nil
}

// tagsOf lists the tags that name a manifest, from the disk.
func (s *Store) tagsOf(ctx context.Context, repo string, d registry.Digest) ([]string, error) {
	var out []string
	for tag, err := range s.tagsOnDisk(ctx, repo, "") {
		if err != nil {
			return nil, err
		}
		if tag.digest == d {
			out = append(out, tag.name)
		}
	}
	return out, nil
}
