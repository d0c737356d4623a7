package store

import (
	"context"
	"fmt"

	"berth/registry"
)

// Forget removes what tags remember of manifests that are gone; see
// registry.Keeper.
func (s *Store) Forget(ctx context.Context, repo string) (n int, err error) {
	if err := check(ctx, repo); err != nil {
		return 0, err
	}
	for tag, err := range s.children(ctx, tagsRoot(repo)) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return n, fmt.Errorf("forget manifests of %s: %w", repo, err)
		}
		if registry.ParseTag(tag) != nil {
			continue
		}
		m, err := s.forget(ctx, repo, tag)
		if n += m; err != nil {
			return n, fmt.Errorf("forget manifests of %s:%s: %w", repo, tag, err)
		}
	}
	return n, nil
}

// forget holds the tag, so that nobody is about to bring one of them back.
func (s *Store) forget(ctx context.Context, repo, tag string) (int, error) {
	var gone []registry.Digest
	for d, err := range s.digests(ctx, tagDir(repo, tag)+"/index", "link") {
		if err != nil {
			return 0, err
		}
		if there, err := s.exists(ctx, revisionLink(repo, d)); err != nil {
			return 0, err
		} else if !there {
			gone = append(gone, d)
		}
	}
	if len(gone) == 0 {
		return 0, nil
	}
	defer s.locks.shared(repo)()
	defer s.lockTags(repo, []string{tag})()
	now, err := s.readLink(ctx, currentLink(repo, tag))
	if err != nil && !missing(err) {
		return 0, err
	}
	b := s.newBatch()
	n := 0
	for _, d := range gone {
		there, err := s.exists(ctx, revisionLink(repo, d))
		if err != nil {
			return 0, err
		}
		if there || d == now {
			continue
		}
		b.remove(historyLink(repo, tag, d))
		b.remove(historyDir(repo, tag, d))
		n++
	}
	return n, b.apply(context.WithoutCancel(ctx))
}
