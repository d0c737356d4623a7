package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path"

	"berth/registry"
	"berth/registry/driver"

	"github.com/opencontainers/go-digest"
)

// Contents lists what a repository links; see registry.Keeper. Tags come
// first: what a tag names was linked before the tag was written.
func (s *Store) Contents(ctx context.Context, repo string) iter.Seq2[registry.Link, error] {
	return func(yield func(registry.Link, error) bool) {
		if err := check(ctx, repo); err != nil {
			yield(registry.Link{}, err)
			return
		}
		w := linkWalk{s: s, repo: repo, yield: yield}
		for _, list := range []func(context.Context) error{w.found, w.tags, w.manifests, w.blobs} {
			if err := list(ctx); errors.Is(err, errStop) {
				return
			} else if err != nil {
				yield(registry.Link{}, fmt.Errorf("list what %s holds: %w", repo, err))
				return
			}
		}
	}
}

type linkWalk struct {
	s     *Store
	repo  string
	yield func(registry.Link, error) bool
}

func (w *linkWalk) give(l registry.Link) error {
	if !w.yield(l, nil) {
		return errStop
	}
	return nil
}

// found refuses to take a part that is on a disk that is not there now for an
// empty one.
func (w *linkWalk) found(ctx context.Context) error {
	for _, folder := range []string{repoDir(w.repo), repoDir(w.repo) + "/" + manifestsDir} {
		for info, err := range w.s.drv.List(ctx, folder) {
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if err != nil {
				return err
			}
			if info.Lost && (folder != repoDir(w.repo) || lastPart(info.Key)[0] == '_') {
				return fmt.Errorf("%s is a link that leads nowhere", info.Key)
			}
		}
	}
	return nil
}

// tags gives also what is no tag by its name, and what cannot be read: neither
// is known to name nothing.
func (w *linkWalk) tags(ctx context.Context) error {
	for tag, err := range w.s.children(ctx, tagsRoot(w.repo)) {
		if err != nil {
			return err
		}
		d, err := w.s.readLink(ctx, currentLink(w.repo, tag))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil && !errors.Is(err, errDamaged) {
			return err
		}
		if err := w.give(registry.Link{Kind: registry.TagLink, Tag: tag, Digest: d, Target: d}); err != nil {
			return err
		}
	}
	return nil
}

func (w *linkWalk) manifests(ctx context.Context) error {
	return w.links(ctx, revisionsRoot(w.repo), func(d registry.Digest, info driver.Info) error {
		return w.give(registry.Link{Kind: registry.ManifestLink, Digest: d, Target: d, Linked: info.Modified})
	})
}

func (w *linkWalk) blobs(ctx context.Context) error {
	return w.links(ctx, layersRoot(w.repo), func(d registry.Digest, info driver.Info) error {
		l := registry.Link{Kind: registry.BlobLink, Digest: d, Target: d, Linked: info.Modified}
		if d.Algorithm() == digest.SHA256 {
			return w.give(l)
		}
		target, err := w.s.readLink(ctx, info.Key)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case errors.Is(err, errDamaged):
			target = d
		case err != nil:
			return err
		}
		l.Target = target
		return w.give(l)
	})
}

// links lists the folders <algorithm>/<hex> with a link in them. One of an
// algorithm that is not known is given by what is in the link.
func (w *linkWalk) links(ctx context.Context, key string, give func(registry.Digest, driver.Info) error) error {
	for algorithm, err := range w.s.children(ctx, key) {
		if err != nil {
			return err
		}
		for hex, err := range w.s.children(ctx, key+"/"+algorithm) {
			if err != nil {
				return err
			}
			info, err := w.s.drv.Stat(ctx, key+"/"+algorithm+"/"+hex+"/link")
			if missing(err) || err == nil && info.Dir {
				continue
			}
			if err != nil {
				return err
			}
			d, ok := digestAt(algorithm, hex)
			if !ok {
				if d, err = w.s.readLink(ctx, info.Key); missing(err) {
					continue
				} else if err != nil {
					return err
				}
			}
			if err := give(d, info); err != nil {
				return err
			}
		}
	}
	return nil
}

// Content gives the bytes of a manifest; see registry.Keeper. It leaves the
// cache to those who read on behalf of clients.
func (s *Store) Content(ctx context.Context, d registry.Digest) ([]byte, error) {
	if _, err := registry.ParseDigest(d.String()); err != nil {
		return nil, err
	}
	b, err := s.read(ctx, blobKey(d), registry.MaxManifestSize)
	if missing(err) {
		return nil, registry.ErrManifestUnknown.WithDetail(d)
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest %s: %w", d, err)
	}
	if d.Algorithm().FromBytes(b) != d {
		return nil, registry.ErrManifestUnknown.WithMessage("the manifest on disk is damaged").WithDetail(d)
	}
	return b, nil
}

// Strays lists what links under a name of its own; see registry.Keeper.
func (s *Store) Strays(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.walkStrays(ctx, "", yield); err != nil && !errors.Is(err, errStop) {
			yield("", fmt.Errorf("list what is beside the repositories: %w", err))
		}
	}
}

func (s *Store) walkStrays(ctx context.Context, prefix string, yield func(string, error) bool) error {
	for info, err := range s.drv.List(ctx, path.Join(reposRoot, prefix)) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		name := lastPart(info.Key)
		if info.Lost && name != uploadsDir && !yield(path.Join(prefix, name), nil) {
			return errStop
		}
		if !info.Dir {
			continue
		}
		switch name {
		case layersDir, manifestsDir, uploadsDir:
			if name == uploadsDir || prefix != "" && registry.ParseName(prefix) == nil {
				continue
			}
			if !yield(prefix, nil) {
				return errStop
			}
			continue
		}
		if err := s.walkStrays(ctx, path.Join(prefix, name), yield); err != nil {
			return err
		}
	}
	return nil
}

// Trim removes what is empty of a repository; see registry.Keeper. It needs no
// lock: a driver that trims takes no folder with something in it, and makes
// anew what a writer misses.
func (s *Store) Trim(ctx context.Context, repo string) error {
	if err := check(ctx, repo); err != nil {
		return err
	}
	trimmer, ok := driver.As[driver.Trimmer](s.drv)
	if !ok {
		return nil
	}
	for _, part := range []string{layersDir, manifestsDir, uploadsDir} {
		if _, err := s.trim(ctx, trimmer, repoDir(repo)+"/"+part); err != nil {
			return fmt.Errorf("trim %s: %w", repo, err)
		}
	}
	for name := repo; name != "."; name = path.Dir(name) {
		gone, err := trimmer.Trim(ctx, repoDir(name))
		if err != nil {
			return fmt.Errorf("trim %s: %w", repo, err)
		}
		if !gone {
			break
		}
	}
	return nil
}

// trim removes a folder if there is nothing but folders below it.
func (s *Store) trim(ctx context.Context, t driver.Trimmer, key string) (gone bool, err error) {
	for name, err := range s.children(ctx, key) {
		if err != nil {
			return false, err
		}
		if gone, err := s.trim(ctx, t, key+"/"+name); err != nil || !gone {
			return false, err
		}
	}
	return t.Trim(ctx, key)
}
