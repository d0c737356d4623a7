package store

import (
	"context"
	"errors"
	"fmt"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/manifest"
)

// TagAbove gives the first of those tags of a repository for which of answers
// true that cannot be pulled whole without a manifest or a blob: it names it, or
// something that it is a part of; "" when there is none. Tags that name no
// manifest of the repository do not count.
//
// The index is asked while it is believed, and otherwise each such tag is read.
// What another program wrote a moment ago may be missed, as by TagsOf.
func (s *Store) TagAbove(ctx context.Context, repo string, d registry.Digest, of func(tag string) bool) (string, error) {
	if err := check(ctx, repo, d); err != nil {
		return "", err
	}
	if ix, ok := s.ix.(index.Reacher); ok && s.trusts() {
		tags, err := ix.TagsReaching(ctx, repo, d)
		if err == nil {
			return s.standing(ctx, repo, tags, of)
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
	}
	apart := map[registry.Digest]bool{} // d is not below these
	for tag, err := range s.tagsOnDisk(ctx, repo, "") {
		if err != nil {
			return "", fmt.Errorf("list tags of %s: %w", repo, err)
		}
		if !of(tag.name) {
			continue
		}
		found, err := s.below(ctx, tag.digest, d, apart)
		if err != nil {
			return "", err
		}
		if found {
			name, err := s.standing(ctx, repo, []string{tag.name}, of)
			if name != "" || err != nil {
				return name, err
			}
		}
	}
	return "", nil
}

// standing gives the first of the tags that names a manifest of the repository.
func (s *Store) standing(ctx context.Context, repo string, tags []string, of func(tag string) bool) (string, error) {
	for _, tag := range tags {
		if !of(tag) {
			continue
		}
		now, err := s.readLink(ctx, currentLink(repo, tag))
		if err == nil {
			err = s.revision(ctx, repo, now)
		}
		switch {
		case err == nil:
			return tag, nil
		case missing(err), errors.Is(err, registry.ErrManifestUnknown), errors.Is(err, registry.ErrNameUnknown):
			s.doubtRepo(repo) // another program has been at it
		default:
			return "", fmt.Errorf("resolve %s:%s: %w", repo, tag, err)
		}
	}
	return "", nil
}

// below reports whether d is whole, or a part of it. A manifest that is not
// there, or is damaged, has no parts; whoever names it cannot be pulled anyway.
func (s *Store) below(ctx context.Context, whole, d registry.Digest, apart map[registry.Digest]bool) (bool, error) {
	if whole == d {
		return true, nil
	}
	if apart[whole] {
		return false, nil
	}
	apart[whole] = true
	m, err := s.content(ctx, whole)
	if errors.Is(err, registry.ErrManifestUnknown) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		return false, nil //nolint:nilerr // it cannot be served either
	}
	for _, b := range p.Blobs {
		if b.Digest == d {
			return true, nil
		}
	}
	for _, c := range p.Children {
		if found, err := s.below(ctx, c.Digest, d, apart); found || err != nil {
			return found, err
		}
	}
	return false, nil
}
