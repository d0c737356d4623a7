package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/index"
)

// clearing is how many tags and manifests go with one flush, and how many
// changes the index is told at once.
const clearing = 256

// Clear removes tags and manifests of a repository; see registry.Keeper. When
// there is nothing else among them, their folders go, which costs the same
// however many they are.
func (s *Store) Clear(ctx context.Context, repo string, tags []string, manifests []registry.Digest) error {
	if err := check(ctx, repo, manifests...); err != nil {
		return err
	}
	for _, tag := range tags {
		if err := registry.ParseTag(tag); err != nil {
			return err
		}
	}
	if len(manifests) == 0 {
		return s.clearTags(ctx, repo, tags)
	}
	changes := make([]index.Change, 0, len(tags)+len(manifests))
	keys := make([]string, 0, cap(changes))
	for _, tag := range tags {
		changes = append(changes, index.DropTag{Repository: repo, Tag: tag})
		keys = append(keys, tagDir(repo, tag))
	}
	for _, d := range manifests {
		changes = append(changes, index.DropManifest{Repository: repo, Digest: d})
		keys = append(keys, revisionDir(repo, d))
	}
	defer s.locks.alone(repo)()
	all, err := s.nothingBut(ctx, repo, keys)
	if err != nil {
		return fmt.Errorf("clear %s: %w", repo, err)
	}
	ctx = context.WithoutCancel(ctx)
	gone := 0
	if !all {
		gone, err = s.deleteSome(ctx, keys)
	} else if err = s.deleteAll(ctx, tagsRoot(repo), revisionsRoot(repo)); err == nil {
		gone = len(changes)
	}
	if err != nil {
		s.doubt()
		err = fmt.Errorf("clear %s: %w", repo, err)
	}
	s.cache.tagged(tags)
	for some := range slices.Chunk(changes[:gone], clearing) {
		s.tell(ctx, repo, some...)
	}
	return err
}

// clearTags does beside pushes of other tags.
func (s *Store) clearTags(ctx context.Context, repo string, tags []string) error {
	ctx = context.WithoutCancel(ctx)
	tags = slices.Compact(slices.Sorted(slices.Values(tags)))
	for some := range slices.Chunk(tags, clearing) {
		if err := s.clearFewTags(ctx, repo, some); err != nil {
			return fmt.Errorf("clear %s: %w", repo, err)
		}
	}
	return nil
}

func (s *Store) clearFewTags(ctx context.Context, repo string, tags []string) error {
	defer s.locks.shared(repo)()
	defer s.lockTags(repo, tags)()
	keys := make([]string, len(tags))
	changes := make([]index.Change, len(tags))
	for i, tag := range tags {
		keys[i], changes[i] = tagDir(repo, tag), index.DropTag{Repository: repo, Tag: tag}
	}
	err := s.deleteAll(ctx, keys...)
	s.cache.tagged(tags)
	if err != nil {
		s.doubt()
		return err
	}
	s.tell(ctx, repo, changes...)
	return nil
}

// nothingBut reports whether the folders of tags and of manifests hold exactly
// what is at keys, or less. Nobody else changes the repository.
func (s *Store) nothingBut(ctx context.Context, repo string, keys []string) (bool, error) {
	if len(keys) < clearing {
		return false, nil // not worth the look
	}
	given := make(map[string]bool, len(keys))
	for _, key := range keys {
		given[key] = true
	}
	folders := []string{tagsRoot(repo)}
	for info, err := range s.drv.List(ctx, revisionsRoot(repo)) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil || !info.Dir {
			return false, err
		}
		folders = append(folders, info.Key)
	}
	for _, folder := range folders {
		for info, err := range s.drv.List(ctx, folder) {
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if err != nil || !given[info.Key] {
				return false, err
			}
		}
	}
	return true, nil
}

func (s *Store) deleteAll(ctx context.Context, keys ...string) error {
	deletes := make([]driver.Change, len(keys))
	for i, key := range keys {
		deletes[i] = driver.Delete{Key: key}
	}
	return driver.Apply(ctx, s.drv, deletes...)
}

// deleteSome says how many are gone for certain.
func (s *Store) deleteSome(ctx context.Context, keys []string) (gone int, err error) {
	for some := range slices.Chunk(keys, clearing) {
		if err := s.deleteAll(ctx, some...); err != nil {
			return gone, err
		}
		gone += len(some)
	}
	return gone, nil
}
