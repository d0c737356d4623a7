package store

import (
	"context"
	"fmt"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/index"
)

// Clear removes tags and manifests of a repository; see registry.Keeper.
func (s *Store) Clear(ctx context.Context, repo string, tags []string, manifests []registry.Digest) error {
	if err := check(ctx, repo, manifests...); err != nil {
		return err
	}
	deletes := make([]driver.Change, 0, len(tags)+len(manifests))
	changes := make([]index.Change, 0, cap(deletes))
	for _, tag := range tags {
		if err := registry.ParseTag(tag); err != nil {
			return err
		}
		deletes = append(deletes, driver.Delete{Key: tagDir(repo, tag)})
		changes = append(changes, index.DropTag{Repository: repo, Tag: tag})
	}
	for _, d := range manifests {
		deletes = append(deletes, driver.Delete{Key: revisionDir(repo, d)})
		changes = append(changes, index.DropManifest{Repository: repo, Digest: d})
	}
	if len(deletes) == 0 {
		return nil
	}
	defer s.locks.alone(repo)()
	if err := driver.Apply(context.WithoutCancel(ctx), s.drv, deletes...); err != nil {
		s.doubt()
		return fmt.Errorf("clear %s: %w", repo, err)
	}
	s.cache.tagged(tags)
	s.tell(ctx, repo, changes...)
	return nil
}
