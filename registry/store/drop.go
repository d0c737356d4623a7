package store

import (
	"context"
	"fmt"

	"berth/registry"
	"berth/registry/driver"
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
	if err := driver.Apply(context.WithoutCancel(ctx), s.drv, driver.Delete{Key: tagDir(repo, tag)}); err != nil {
		s.doubt()
		return fmt.Errorf("delete %s:%s: %w", repo, tag, err)
	}
	s.cache.tagged([]string{tag})
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
	if err := driver.Apply(context.WithoutCancel(ctx), s.drv, driver.Delete{Key: layerDir(repo, d)}); err != nil {
		s.doubt()
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
	tags, err := s.TagsOf(ctx, repo, d)
	if err != nil {
		return fmt.Errorf("delete manifest %s of %s: %w", d, repo, err)
	}
	b := s.newBatch()
	changes := make([]index.Change, 0, len(tags)+1)
	for _, tag := range tags {
		b.remove(tagDir(repo, tag))
		changes = append(changes, index.DropTag{Repository: repo, Tag: tag})
	}
	b.remove(revisionDir(repo, d))
	if err := b.apply(context.WithoutCancel(ctx)); err != nil {
		s.doubt()
		return fmt.Errorf("delete manifest %s of %s: %w", d, repo, err)
	}
	s.leases.keep(repo, d)
	s.cache.tagged(tags)
	s.tell(ctx, repo, append(changes, index.DropManifest{Repository: repo, Digest: d})...)
	return nil
}
