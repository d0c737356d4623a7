package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/manifest"
)

// The index is compared with the disk in the background, at each start and
// after every doubt. The disk is read without a lock, repository by repository;
// only bringing the difference to the index excludes writers of that one
// repository, and a repository that changed meanwhile is read again.

// retryReconcile is how long to wait after a failure.
const retryReconcile = 30 * time.Second

// changes counts what is changed in each repository while a reconciliation
// reads it.
type changes struct {
	mu    sync.Mutex // guards count
	count map[string]uint64
}

func (c *changes) note(repo string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count = map[string]uint64{}
	}
	c.count[repo]++
}

func (c *changes) of(repo string) uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[repo]
}

// doubt says that the index may not be what the disk is.
func (s *Store) doubt() {
	if s.ix == nil {
		return
	}
	select {
	case s.doubts <- struct{}{}:
	default:
	}
	s.trusted.Store(false)
}

func (s *Store) reconcileLoop(ctx context.Context) {
	first := true
	for {
		err := s.reconcile(ctx)
		if ctx.Err() != nil {
			return
		}
		var retry <-chan time.Time
		if err != nil {
			s.log.Warn("reconciliation of the index failed", "error", err)
			retry = time.After(retryReconcile)
		} else if first {
			first = false
			close(s.reconciled)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.doubts:
			s.trusted.Store(false)
		case <-retry:
		}
	}
}

// reconcile makes the index say what the disk says.
func (s *Store) reconcile(ctx context.Context) error {
	began := time.Now()
	select {
	case <-s.doubts: // answered by what follows
	default:
	}
	complete, err := s.ix.Complete(ctx)
	if err != nil {
		return err
	}
	rows, err := s.ix.Repositories(ctx, index.Query{Order: index.ByName})
	if err != nil {
		return err
	}
	glance := map[string]int{} // how many manifests the index has of a repository that may look the same
	for _, row := range rows {
		if complete {
			glance[row.Name] = row.Manifests
		}
	}
	onDisk := map[string]bool{}
	for repo, err := range s.reposOnDisk(ctx, "") {
		if err != nil {
			return err
		}
		onDisk[repo] = true
		if err := s.reconcileRepo(ctx, repo, glance); err != nil {
			return fmt.Errorf("repository %s: %w", repo, err)
		}
	}
	if err := s.forgetRepos(ctx, onDisk); err != nil {
		return err
	}
	if err := s.ix.SetComplete(ctx, true); err != nil {
		return err
	}
	if len(s.doubts) == 0 {
		s.trusted.Store(true)
	}
	s.log.Debug("index reconciled", "repositories", len(onDisk), "duration", time.Since(began))
	return nil
}

// forgetRepos drops what the index has and the disk has not.
func (s *Store) forgetRepos(ctx context.Context, onDisk map[string]bool) error {
	names, err := s.ix.RepositoryNames(ctx, "", 0)
	if err != nil {
		return err
	}
	for _, repo := range names {
		if onDisk[repo] {
			continue
		}
		unlock := s.locks.alone(repo)
		is, err := s.isRepo(ctx, repo)
		if err == nil && !is {
			err = s.ix.Apply(ctx, index.DropRepository{Repository: repo})
		}
		unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// scan is what the disk says about one repository.
type scan struct {
	manifests []registry.Digest
	tags      map[string]registry.Digest
	blobs     []registry.Digest
}

// reconcileRepo brings one repository to the index. One that looks the same at
// a glance is left alone.
func (s *Store) reconcileRepo(ctx context.Context, repo string, glance map[string]int) error {
	for attempt := 0; ; attempt++ {
		before := s.changes.of(repo)
		var unlock func()
		if attempt == 3 {
			// It never rests; read it while nobody writes.
			unlock = s.locks.alone(repo)
		}
		changes, err := s.difference(ctx, repo, glance)
		if err != nil || len(changes) == 0 && s.changes.of(repo) == before {
			if unlock != nil {
				unlock()
			}
			return err
		}
		if unlock == nil {
			unlock = s.locks.alone(repo)
		}
		fresh := s.changes.of(repo) == before
		if fresh {
			err = s.ix.Apply(ctx, changes...)
		}
		unlock()
		if fresh || err != nil {
			return err
		}
	}
}

// difference reads a repository on disk and in the index, and says what the
// index must be told.
func (s *Store) difference(ctx context.Context, repo string, glance map[string]int) ([]index.Change, error) {
	disk, err := s.scan(ctx, repo)
	if err != nil {
		return nil, err
	}
	rows, err := s.ix.Tags(ctx, repo, index.Query{Order: index.ByName})
	if err != nil && !errors.Is(err, index.ErrUnknown) {
		return nil, err
	}
	was := make(map[string]index.Tag, len(rows))
	for _, row := range rows {
		was[row.Name] = row
	}
	if count, ok := glance[repo]; ok && count == len(disk.manifests) && sameTags(was, disk.tags) {
		return nil, nil
	}
	var changes []index.Change
	anew, err := s.tooMany(ctx, repo, len(disk.manifests))
	if err != nil {
		return nil, err
	}
	if anew {
		changes = append(changes, index.DropRepository{Repository: repo})
	}
	for _, d := range disk.blobs {
		if size, err := s.stored(ctx, d); err == nil {
			changes = append(changes, index.PutBlob{Repository: repo, Digest: d, Size: size})
		}
	}
	for _, d := range disk.manifests {
		if row, ok := s.rowOf(ctx, d); ok {
			changes = append(changes, index.PutManifest{Repository: repo, Manifest: row, At: s.linked(ctx, repo, d)})
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(disk.tags)) {
		d, old := disk.tags[tag], was[tag]
		same := old.Descriptor.Digest == d
		switch {
		case same && !anew:
		case same:
			changes = append(changes, index.PutTag{Repository: repo, Tag: tag, Digest: d, At: old.Pushed, By: old.By})
		default:
			changes = append(changes, index.PutTag{Repository: repo, Tag: tag, Digest: d, At: s.tagged(ctx, repo, tag)})
		}
	}
	for tag := range was {
		if _, ok := disk.tags[tag]; !ok && !anew {
			changes = append(changes, index.DropTag{Repository: repo, Tag: tag})
		}
	}
	return changes, nil
}

func sameTags(was map[string]index.Tag, disk map[string]registry.Digest) bool {
	if len(was) != len(disk) {
		return false
	}
	for tag, d := range disk {
		if was[tag].Descriptor.Digest != d {
			return false
		}
	}
	return true
}

func (s *Store) scan(ctx context.Context, repo string) (scan, error) {
	out := scan{tags: map[string]registry.Digest{}}
	for d, err := range s.digests(ctx, revisionsRoot(repo), "link") {
		if err != nil {
			return scan{}, err
		}
		out.manifests = append(out.manifests, d)
	}
	for tag, err := range s.tagsOnDisk(ctx, repo, "") {
		if err != nil {
			return scan{}, err
		}
		if _, ok := slices.BinarySearch(out.manifests, tag.digest); ok {
			out.tags[tag.name] = tag.digest
		}
	}
	for d, err := range s.digests(ctx, layersRoot(repo), "link") {
		if err != nil {
			return scan{}, err
		}
		out.blobs = append(out.blobs, d)
	}
	return out, nil
}

// tooMany reports whether the index may have manifests of a repository that the
// disk has not. It cannot list them, so that repository is then told anew. Of
// one without tags it does not even say how many there are.
func (s *Store) tooMany(ctx context.Context, repo string, onDisk int) (bool, error) {
	rows, err := s.ix.Repositories(ctx, index.Query{Search: repo})
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		if row.Name == repo {
			return row.Manifests > onDisk, nil
		}
	}
	_, err = s.ix.TagNames(ctx, repo, "", 1)
	if errors.Is(err, index.ErrUnknown) {
		return false, nil
	}
	return err == nil, err
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
	info, err := s.drv.Stat(ctx, revisionLink(repo, d))
	if err != nil {
		return time.Time{}
	}
	return info.Modified
}
