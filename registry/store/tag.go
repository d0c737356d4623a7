package store

import (
	"context"
	"fmt"
	"time"

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
	if err := s.revision(ctx, repo, d); err != nil {
		return registry.Descriptor{}, err
	}
	m, err := s.content(ctx, d)
	if err != nil {
		return registry.Descriptor{}, err
	}
	registry.Found(ctx, s, repo, d)
	return describeManifest(m), nil
}

// current says what a tag names. Errors: registry.ErrManifestUnknown.
//
// What was read is kept, and believed as long as the link is the same file:
// another program that moves the tag replaces or rewrites it.
func (s *Store) current(ctx context.Context, repo, tag string) (registry.Digest, error) {
	at := head{repo, tag}
	known, ok := s.cache.heads.get(at)
	written := s.cache.written.of(tag).Load()
	ours := !ok || known.written != written
	if !ours {
		info, err := s.drv.Stat(ctx, known.key)
		if err == nil && same(info, known.info) {
			return known.digest, nil
		}
	}
	// The link is looked at before it is read: when it is replaced in between,
	// the next look sees another file.
	known = named{key: currentLink(repo, tag), written: written}
	now := time.Now()
	info, err := s.drv.Stat(ctx, known.key)
	if err == nil {
		known.info = info
		known.digest, err = s.readLink(ctx, known.key)
	}
	if missing(err) {
		if ok {
			s.cache.heads.drop(at)
		}
		if !ours {
			s.doubtRepo(repo) // another program has deleted it
		}
		return "", registry.ErrManifestUnknown.WithDetail(map[string]string{"name": repo, "tag": tag})
	}
	if err != nil {
		return "", fmt.Errorf("resolve %s:%s: %w", repo, tag, err)
	}
	if settled(info, now) {
		s.cache.heads.put(at, known, int64(len(repo)+len(tag)+len(known.key)+len(known.digest)))
	}
	return known.digest, nil
}
