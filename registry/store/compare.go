package store

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/manifest"
)

// tellAtOnce is how many differences are brought to the index at a time, while
// writers of the repository wait.
const tellAtOnce = 256

// comparison brings the differences of one repository to the index.
type comparison struct {
	s       *Store
	repo    string
	pace    *pace
	watch   *watch
	changes []index.Change
	empty   bool // the index has no manifest of it
	blobs   bool // the index was told of its blobs
	dropped map[registry.Digest]bool
	settled bool              // what was applied before is in the index
	missing []registry.Digest // manifests that are linked, and not on disk
}

// compare makes the index say of one repository what the disk says.
func (s *Store) compare(ctx context.Context, repo string, p *pace) error {
	c := &comparison{s: s, repo: repo, pace: p, watch: s.changes.watch(repo), dropped: map[registry.Digest]bool{}}
	defer s.changes.unwatch(c.watch)
	is, err := s.isRepo(ctx, repo)
	if err != nil {
		return err
	}
	if !is {
		return c.forget(ctx)
	}
	if err := c.manifests(ctx); err != nil {
		return err
	}
	if err := c.tags(ctx); err != nil {
		return err
	}
	if c.empty && p.hurry {
		if err := c.linkedBlobs(ctx); err != nil {
			return err
		}
	}
	return c.tell(ctx)
}

// forget drops a repository that is not on the disk.
func (c *comparison) forget(ctx context.Context) error {
	defer c.s.locks.alone(c.repo)()
	is, err := c.s.isRepo(ctx, c.repo)
	if err == nil && !is {
		c.s.tell(ctx, c.repo, index.DropRepository{Repository: c.repo})
	}
	return err
}

func (c *comparison) manifests(ctx context.Context) error {
	had := c.s.rowsOf("", func(after string, limit int) ([]string, error) {
		page, err := c.s.ix.Manifests(ctx, c.repo, registry.Digest(after), limit)
		names := make([]string, len(page))
		for i, d := range page {
			names[i] = string(d)
		}
		return names, err
	})
	if err := had.fetch(); err != nil {
		return err
	}
	c.empty = len(had.page) == 0
	gone := func(d string) error {
		c.dropped[registry.Digest(d)] = true
		return c.add(ctx, index.DropManifest{Repository: c.repo, Digest: registry.Digest(d)})
	}
	for d, err := range c.s.digests(ctx, revisionsRoot(c.repo), "link") {
		if err != nil {
			return err
		}
		if err := c.pace.rest(ctx); err != nil {
			return err
		}
		has, err := had.upTo(string(d), gone)
		if err != nil {
			return err
		}
		if has {
			continue
		}
		if row, ok := c.s.rowOf(ctx, d); ok {
			if err := c.add(ctx, index.PutManifest{Repository: c.repo, Manifest: row, At: c.s.linked(ctx, c.repo, d)}); err != nil {
				return err
			}
			if there, err := c.s.exists(ctx, blobKey(d)); err == nil && !there {
				c.missing = append(c.missing, d)
			}
		}
	}
	return had.rest(gone)
}

func (c *comparison) tags(ctx context.Context) error {
	had := c.s.rowsOf("", func(after string, limit int) ([]string, error) { return c.s.ix.TagNames(ctx, c.repo, after, limit) })
	gone := func(tag string) error { return c.add(ctx, index.DropTag{Repository: c.repo, Tag: tag}) }
	names, err := c.naming(ctx)
	if err != nil {
		return err
	}
	for tag, err := range c.s.tagsOnDisk(ctx, c.repo, "") {
		if err != nil {
			return err
		}
		if err := c.pace.rest(ctx); err != nil {
			return err
		}
		has, err := had.upTo(tag.name, gone)
		if err != nil {
			return err
		}
		if has && !c.dropped[tag.digest] {
			same, err := names(tag)
			if err != nil {
				return err
			}
			if same {
				continue
			}
		}
		if err := c.tag(ctx, tag, has); err != nil {
			return err
		}
	}
	return had.rest(gone)
}

// tag brings a tag to the index that has another, or none.
func (c *comparison) tag(ctx context.Context, tag diskTag, has bool) error {
	there, err := c.s.exists(ctx, revisionLink(c.repo, tag.digest))
	switch {
	case err != nil:
		return err
	case there:
		return c.add(ctx, index.PutTag{Repository: c.repo, Tag: tag.name, Digest: tag.digest, At: c.s.tagged(ctx, c.repo, tag.name)})
	case has:
		return c.add(ctx, index.DropTag{Repository: c.repo, Tag: tag.name})
	}
	return nil
}

// naming gives what says whether a tag of the index names what it names on disk.
func (c *comparison) naming(ctx context.Context) (func(diskTag) (bool, error), error) {
	if p, ok := c.s.ix.(index.Pusher); ok {
		return func(tag diskTag) (bool, error) {
			_, _, err := p.Pushed(ctx, c.repo, tag.name, tag.digest)
			if errors.Is(err, index.ErrUnknown) && !c.settled {
				// It may have been applied a moment ago: Usage waits for that.
				if _, err := c.s.ix.Usage(ctx); err != nil {
					return false, err
				}
				c.settled = true
				_, _, err = p.Pushed(ctx, c.repo, tag.name, tag.digest)
			}
			if errors.Is(err, index.ErrUnknown) {
				return false, nil
			}
			return err == nil, err
		}, nil
	}
	rows, err := c.s.ix.Tags(ctx, c.repo, index.Query{Order: index.ByName})
	if err != nil && !errors.Is(err, index.ErrUnknown) {
		return nil, err
	}
	was := make(map[string]registry.Digest, len(rows))
	for _, row := range rows {
		was[row.Name] = row.Descriptor.Digest
	}
	return func(tag diskTag) (bool, error) { return was[tag.name] == tag.digest, nil }, nil
}

// linkedBlobs tells the index of the blobs, once: a repository whose manifests
// and tags are the same has the same blobs.
func (c *comparison) linkedBlobs(ctx context.Context) error {
	if c.blobs {
		return nil
	}
	c.blobs = true
	for d, err := range c.s.digests(ctx, layersRoot(c.repo), "link") {
		if err != nil {
			return err
		}
		if st, err := c.s.StatStored(ctx, d); err == nil && !c.s.hollow(d, st.Size) {
			if err := c.add(ctx, index.PutBlob{Repository: c.repo, Digest: d, Size: st.Size, At: notAhead(st.Modified)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *comparison) add(ctx context.Context, change index.Change) error {
	if err := c.linkedBlobs(ctx); err != nil {
		return err
	}
	c.changes = append(c.changes, change)
	if len(c.changes) < tellAtOnce {
		return nil
	}
	return c.tell(ctx)
}

// tell brings what was found to the index, but for what was changed meanwhile:
// of that the index was told by who changed it.
func (c *comparison) tell(ctx context.Context) error {
	if len(c.changes) == 0 {
		return nil
	}
	unlock := c.s.locks.alone(c.repo)
	if changes := c.watch.without(c.changes); len(changes) > 0 {
		c.s.tell(ctx, c.repo, changes...)
		c.s.pages.looks.drop(c.repo) // this was no push of ours
	}
	unlock()
	c.changes = c.changes[:0]
	for _, d := range c.missing {
		c.s.tellLeft(ctx, d)
	}
	c.missing = nil
	// Wait until the index has written it, so as not to fill its queue while
	// pushes want to get in.
	if _, err := c.s.ix.Usage(ctx); err != nil {
		return err
	}
	return c.pace.rest(ctx)
}

// rowOf describes a manifest for the index: as the index knows it already, else
// from the disk.
func (s *Store) rowOf(ctx context.Context, d registry.Digest) (index.Manifest, bool) {
	if row, err := s.ix.Manifest(ctx, d); err == nil {
		return row, true
	}
	m, err := s.content(ctx, d)
	if err != nil {
		return index.Manifest{}, false
	}
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		return index.Manifest{}, false
	}
	return s.row(ctx, m, p), true
}

// linked says since when a repository has a manifest, as the disk remembers.
func (s *Store) linked(ctx context.Context, repo string, d registry.Digest) time.Time {
	return s.since(ctx, revisionLink(repo, d))
}

// tagged says since when a tag names what it names, as the disk remembers.
func (s *Store) tagged(ctx context.Context, repo, tag string) time.Time {
	return s.since(ctx, currentLink(repo, tag))
}

// since is the time of a file. One that comes from the future was written by a
// clock that is wrong, and must not stay ahead of all that comes.
func (s *Store) since(ctx context.Context, key string) time.Time {
	info, err := s.drv.Stat(ctx, key)
	if err != nil {
		return time.Time{}
	}
	return notAhead(info.Modified)
}

// keyOf says what a change is about, within its repository.
func keyOf(c index.Change) string {
	switch c := c.(type) {
	case index.PutTag:
		return c.Tag
	case index.DropTag:
		return c.Tag
	case index.PutManifest:
		return string(c.Manifest.Descriptor.Digest)
	case index.DropManifest:
		return string(c.Digest)
	case index.PutBlob:
		return "blob " + string(c.Digest)
	case index.DropBlob:
		return "blob " + string(c.Digest)
	}
	return ""
}

// without drops the changes that are about what was changed since the watch
// began. The caller holds the lock of the repository alone.
func (w *watch) without(changes []index.Change) []index.Change {
	w.of.mu.Lock()
	defer w.of.mu.Unlock()
	if w.all {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(changes), func(c index.Change) bool { return w.seen[keyOf(c)] })
}

// suspects takes the repositories that are doubted, sorted.
func (c *changes) suspects() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := slices.Sorted(maps.Keys(c.doubted))
	c.doubted = nil
	return out
}
