package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"berth/registry"
	"berth/registry/index"
)

// pageSize is how many rows are asked of the index at a time, but for the
// first page: who reads on reads much, and most do not.
const (
	pageSize  = 1000
	firstPage = 128
)

// Repositories lists the repositories with a manifest; see registry.Lister.
func (s *Store) Repositories(ctx context.Context, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := ctx.Err(); err != nil {
			yield("", err)
			return
		}
		if s.trusts() {
			known := s.fromIndex("", after, yield, func(after string, limit int) ([]string, error) {
				return s.ix.RepositoryNames(ctx, after, limit)
			})
			if known {
				return
			}
		}
		for repo, err := range s.reposOnDisk(ctx, after) {
			var ok bool
			if err == nil {
				ok, err = s.hasManifests(ctx, repo)
			}
			if err != nil {
				yield("", fmt.Errorf("list repositories: %w", err))
				return
			}
			if ok && !yield(repo, nil) {
				return
			}
		}
	}
}

// Tags lists the tags of a repository; see registry.Lister. A repository that
// holds manifests and no tag has an empty list.
func (s *Store) Tags(ctx context.Context, repo, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := check(ctx, repo); err != nil {
			yield("", err)
			return
		}
		if s.trusts() {
			if s.tagsFromIndex(ctx, repo, after, yield) {
				return
			}
			// Another program may have put it there.
		}
		some := after != ""
		for tag, err := range s.tagsOnDisk(ctx, repo, after) {
			if err != nil {
				yield("", fmt.Errorf("list tags of %s: %w", repo, err))
				return
			}
			some = true
			if !yield(tag.name, nil) {
				return
			}
		}
		if some && s.trusts() {
			s.doubtRepo(repo)
		}
		if some && after == "" {
			return
		}
		if ok, err := s.holds(ctx, repo); err != nil {
			yield("", fmt.Errorf("list tags of %s: %w", repo, err))
		} else if !ok {
			yield("", registry.ErrNameUnknown.WithDetail(map[string]string{"name": repo}))
		}
	}
}

// holds reports whether a repository has a manifest or a tag, or has had a tag:
// as in distribution, one that has lost them all is empty, and not unknown.
func (s *Store) holds(ctx context.Context, repo string) (bool, error) {
	if ok, err := s.hasManifests(ctx, repo); ok || err != nil {
		return ok, err
	}
	_, err := s.drv.Stat(ctx, tagsRoot(repo))
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}

// tagsFromIndex yields the tags that the index lists, or, when another program
// has changed them, those on the disk. It reports false, having yielded
// nothing, when the index does not know the repository, or fails.
func (s *Store) tagsFromIndex(ctx context.Context, repo, after string, yield func(string, error) bool) bool {
	names, seen, err := s.tagsSeen(ctx, repo)
	switch {
	case errors.Is(err, index.ErrUnknown):
		return false
	case err == nil && !seen:
		from, found := slices.BinarySearch(names, after)
		if found {
			from++
		}
		for _, name := range names[from:] {
			if !yield(name, nil) {
				break
			}
		}
		return true
	}
	// What could not be looked at is as the index says.
	return s.fromIndex(repo, after, yield, func(after string, limit int) ([]string, error) {
		return s.ix.TagNames(ctx, repo, after, limit)
	})
}

// fromIndex yields what next gives, page by page. It reports false, having
// yielded nothing, when the index does not know what was asked for, or fails.
func (s *Store) fromIndex(repo, after string, yield func(string, error) bool, next func(after string, limit int) ([]string, error)) bool {
	for limit := firstPage; ; limit = pageSize {
		page, err := s.pages.get(page{repo, after, limit}, func() ([]string, error) { return next(after, limit) })
		if errors.Is(err, index.ErrUnknown) {
			return false
		}
		if err != nil && limit == firstPage && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			s.log.Warn("index does not answer, lists come from the disk", "error", err)
			s.doubt()
			return false
		}
		if err != nil {
			yield("", err)
			return true
		}
		for _, name := range page {
			if !yield(name, nil) {
				return true
			}
			after = name
		}
		if len(page) < limit {
			return true
		}
	}
}
