package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"berth/registry"
)

// This file shows the disk as it is; see registry.Inspector. It asks no cache.
// No lock is held from one look to the next: who looks must expect that it
// changes. One look at a link sees no change of ours half-made.

// Blobs lists the blobs on disk, and goes on behind what cannot be read.
func (s *Store) Blobs(ctx context.Context, after registry.Digest) iter.Seq2[registry.Stored, error] {
	return func(yield func(registry.Stored, error) bool) {
		w := blobWalk{s: s, yield: yield}
		if d, err := registry.ParseDigest(after.String()); err == nil {
			w.last = blobDir(d)
		}
		w.folder(ctx, blobsRoot, 2)
	}
}

// blobWalk goes through <algorithm>/<two>/<hex>.
type blobWalk struct {
	s     *Store
	yield func(registry.Stored, error) bool
	last  string // key of the blob that the list begins after
}

// folder walks what lies in a folder that has depth levels of folders above
// those of blobs; false when nobody reads on.
func (w *blobWalk) folder(ctx context.Context, key string, depth int) bool {
	for name, err := range w.s.children(ctx, key) {
		if err != nil {
			return w.yield(registry.Stored{}, fmt.Errorf("list %s: %w", key, err)) && ctx.Err() == nil
		}
		child := key + "/" + name
		if child <= w.last && !strings.HasPrefix(w.last, child+"/") {
			continue
		}
		on := true
		if depth > 0 {
			on = w.folder(ctx, child, depth-1)
		} else if d, ok := digestAt(lastPart(path.Dir(key)), name); ok {
			on = w.blob(ctx, d)
		}
		if !on {
			return false
		}
	}
	return true
}

func (w *blobWalk) blob(ctx context.Context, d registry.Digest) bool {
	st, err := w.s.StatStored(ctx, d)
	if errors.Is(err, registry.ErrBlobUnknown) {
		return true
	}
	return w.yield(st, err) && ctx.Err() == nil
}

// StatStored looks at a blob on disk.
func (s *Store) StatStored(ctx context.Context, d registry.Digest) (registry.Stored, error) {
	if _, err := registry.ParseDigest(d.String()); err != nil {
		return registry.Stored{}, err
	}
	info, err := s.drv.Stat(ctx, blobKey(d))
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Dir {
		return registry.Stored{}, registry.ErrBlobUnknown.WithDetail(d)
	}
	if err != nil {
		return registry.Stored{Digest: d}, fmt.Errorf("stat blob %s: %w", d, err)
	}
	return registry.Stored{Digest: d, Size: info.Size, Modified: info.Modified}, nil
}

// OpenStored opens a blob as it lies on disk.
func (s *Store) OpenStored(ctx context.Context, d registry.Digest) (io.ReadCloser, error) {
	if _, err := registry.ParseDigest(d.String()); err != nil {
		return nil, err
	}
	f, err := s.drv.Open(ctx, blobKey(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, registry.ErrBlobUnknown.WithDetail(d)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", d, err)
	}
	return f, nil
}

// LinksOf lists the links of a repository, and goes on behind what cannot be read.
func (s *Store) LinksOf(ctx context.Context, repo string) iter.Seq2[registry.RawLink, error] {
	return func(yield func(registry.RawLink, error) bool) {
		if err := check(ctx, repo); err != nil {
			yield(registry.RawLink{}, err)
			return
		}
		_ = s.linksBelow(ctx, repo, revisionsRoot(repo), registry.RawLink{Kind: registry.RawRevision}, yield) &&
			s.tagLinks(ctx, repo, yield) &&
			s.linksBelow(ctx, repo, layersRoot(repo), registry.RawLink{Kind: registry.RawLayer}, yield)
	}
}

// linksBelow gives the links in <algorithm>/<hex>; false when nobody reads on.
func (s *Store) linksBelow(ctx context.Context, repo, key string, l registry.RawLink, yield func(registry.RawLink, error) bool) bool {
	for algorithm, err := range s.children(ctx, key) {
		if err != nil {
			return yield(l, fmt.Errorf("list %s: %w", key, err)) && ctx.Err() == nil
		}
		for hex, err := range s.children(ctx, key+"/"+algorithm) {
			if err != nil {
				if !yield(l, fmt.Errorf("list %s/%s: %w", key, algorithm, err)) || ctx.Err() != nil {
					return false
				}
				break
			}
			d, ok := digestAt(algorithm, hex)
			if !ok {
				continue
			}
			l.Digest = d
			if found, ok, err := s.ReadLink(ctx, repo, l); (ok || err != nil) && !yield(found, err) {
				return false
			}
		}
	}
	return ctx.Err() == nil
}

func (s *Store) tagLinks(ctx context.Context, repo string, yield func(registry.RawLink, error) bool) bool {
	for tag, err := range s.children(ctx, tagsRoot(repo)) {
		if err != nil {
			return yield(registry.RawLink{Kind: registry.RawTag}, fmt.Errorf("list tags of %s: %w", repo, err)) && ctx.Err() == nil
		}
		if registry.ParseTag(tag) != nil {
			continue
		}
		found, ok, err := s.ReadLink(ctx, repo, registry.RawLink{Kind: registry.RawTag, Tag: tag})
		if (ok || err != nil) && !yield(found, err) {
			return false
		}
		if !s.linksBelow(ctx, repo, tagDir(repo, tag)+"/index", registry.RawLink{Kind: registry.RawHistory, Tag: tag}, yield) {
			return false
		}
	}
	return ctx.Err() == nil
}

// ReadLink reads one link again.
func (s *Store) ReadLink(ctx context.Context, repo string, l registry.RawLink) (registry.RawLink, bool, error) {
	l.Target, l.Missing = "", false
	key, err := linkKey(repo, l)
	if err == nil {
		err = check(ctx, repo)
	}
	if err != nil {
		return l, false, err
	}
	defer s.locks.shared(repo)()
	if l.Tag != "" {
		defer s.lockTags(repo, []string{l.Tag})()
	} else {
		defer s.flights.shared(key)()
	}
	d, err := s.readLink(ctx, key)
	switch {
	case err == nil:
		l.Target = d
		return l, true, nil
	case errors.Is(err, errDamaged):
		return l, true, nil
	case !errors.Is(err, fs.ErrNotExist):
		return l, false, err
	case l.Kind != registry.RawTag:
		return l, false, nil
	}
	l.Missing, err = s.exists(ctx, tagDir(repo, l.Tag))
	return l, l.Missing, err
}

func linkKey(repo string, l registry.RawLink) (string, error) {
	if l.Kind == registry.RawTag || l.Kind == registry.RawHistory {
		if err := registry.ParseTag(l.Tag); err != nil {
			return "", err
		}
	}
	if l.Kind == registry.RawTag {
		return currentLink(repo, l.Tag), nil
	}
	if _, err := registry.ParseDigest(l.Digest.String()); err != nil {
		return "", err
	}
	switch l.Kind {
	case registry.RawRevision:
		return revisionLink(repo, l.Digest), nil
	case registry.RawHistory:
		return historyLink(repo, l.Tag, l.Digest), nil
	case registry.RawLayer, registry.RawTag:
	}
	return layerLink(repo, l.Digest), nil
}
