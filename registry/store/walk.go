package store

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"time"

	"berth/registry"
)

// This file reads the disk in order. What does not belong there is passed over;
// only an error of the driver ends a sequence.

func lastPart(key string) string { return path.Base(key) }

// children lists a folder; a folder that is not there has none.
func (s *Store) children(ctx context.Context, key string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for info, err := range s.drv.List(ctx, key) {
			if err != nil {
				if !errors.Is(err, fs.ErrNotExist) {
					yield("", err)
				}
				return
			}
			if info.Dir && !yield(lastPart(info.Key), nil) {
				return
			}
		}
	}
}

// digests lists the folders <algorithm>/<hex> below key that hold a file of
// the given name.
func (s *Store) digests(ctx context.Context, key, file string) iter.Seq2[registry.Digest, error] {
	return func(yield func(registry.Digest, error) bool) {
		for algorithm, err := range s.children(ctx, key) {
			if err != nil {
				yield("", err)
				return
			}
			for hex, err := range s.children(ctx, key+"/"+algorithm) {
				if err != nil {
					yield("", err)
					return
				}
				d, ok := digestAt(algorithm, hex)
				if !ok {
					continue
				}
				if ok, err = s.exists(ctx, key+"/"+algorithm+"/"+hex+"/"+file); err != nil {
					yield("", err)
					return
				}
				if ok && !yield(d, nil) {
					return
				}
			}
		}
	}
}

// reposOnDisk lists every repository, in byte order strictly after `after`:
// each folder with a part of a repository in it. A tree is not in the order of
// its paths, since "a-b" lies between "a" and "a/b": a folder therefore comes
// twice, by its name for itself, and by its name and "/" for what is below.
func (s *Store) reposOnDisk(ctx context.Context, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if err := s.walkRepos(ctx, "", after, yield); err != nil && !errors.Is(err, errStop) {
			yield("", err)
		}
	}
}

// errStop ends a walk whose reader has left.
var errStop = errors.New("stop")

func (s *Store) walkRepos(ctx context.Context, prefix, after string, yield func(string, error) bool) error {
	var names []string
	for name, err := range s.children(ctx, path.Join(reposRoot, prefix)) {
		if err != nil {
			return err
		}
		if full := prefix + name; registry.ParseName(full) == nil {
			names = append(names, full, full+"/")
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if below, ok := strings.CutSuffix(name, "/"); ok {
			// "0" is the byte behind "/": everything below is passed.
			if after >= below+"0" {
				continue
			}
			if err := s.walkRepos(ctx, name, after, yield); err != nil {
				return err
			}
			continue
		}
		if name <= after {
			continue
		}
		is, err := s.isRepo(ctx, name)
		if err != nil {
			return err
		}
		if is && !yield(name, nil) {
			return errStop
		}
	}
	return nil
}

func (s *Store) isRepo(ctx context.Context, repo string) (bool, error) {
	for _, part := range []string{manifestsDir, layersDir, uploadsDir} {
		if ok, err := s.exists(ctx, repoDir(repo)+"/"+part); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// hasManifests reports whether a repository holds at least one manifest.
func (s *Store) hasManifests(ctx context.Context, repo string) (bool, error) {
	for _, err := range s.digests(ctx, revisionsRoot(repo), "link") {
		return err == nil, err
	}
	return false, nil
}

// diskTag is a tag as it lies on disk.
type diskTag struct {
	name   string
	digest registry.Digest
}

// tagsOnDisk lists the tags of a repository in byte order strictly after
// `after`, without those that name nothing.
func (s *Store) tagsOnDisk(ctx context.Context, repo, after string) iter.Seq2[diskTag, error] {
	return func(yield func(diskTag, error) bool) {
		for tag, err := range s.children(ctx, tagsRoot(repo)) {
			if err != nil {
				yield(diskTag{}, err)
				return
			}
			if tag <= after || registry.ParseTag(tag) != nil {
				continue
			}
			d, err := s.readLink(ctx, currentLink(repo, tag))
			if missing(err) {
				continue
			}
			if err != nil {
				yield(diskTag{}, err)
				return
			}
			if !yield(diskTag{tag, d}, nil) {
				return
			}
		}
	}
}

// unsettled is how old the time of a folder must be to be told from the next
// change's: file systems count in steps of up to two seconds.
const unsettled = 3 * time.Second

// stamp tells the folders of a repository in which manifests and tags come and
// go from what they were; 0 when they have changed too lately to say.
func (s *Store) stamp(ctx context.Context, repo string) (uint64, error) {
	h, now := fnv.New64a(), time.Now()
	lately := false
	add := func(key string) error {
		info, err := s.drv.Stat(ctx, key)
		if err != nil && !missing(err) {
			return err
		}
		if age := now.Sub(info.Modified); age < unsettled && err == nil {
			lately = true
		}
		return binary.Write(h, binary.LittleEndian, [...]int64{info.Modified.UnixNano(), int64(len(key))})
	}
	if err := add(tagsRoot(repo)); err != nil {
		return 0, err
	}
	for algorithm, err := range s.children(ctx, revisionsRoot(repo)) {
		if err == nil {
			err = add(revisionsRoot(repo) + "/" + algorithm)
		}
		if err != nil {
			return 0, err
		}
	}
	if lately {
		return 0, nil
	}
	return max(h.Sum64(), 1), nil
}
