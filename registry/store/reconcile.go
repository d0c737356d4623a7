package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"berth/registry/index"
)

// The index is compared with the disk in the background: all of it at each
// start, after every doubt and from time to time; in between, the repositories
// whose folders have changed, and those that a request found to be other than
// the index says. The disk is read without a lock, and little of it at a time
// in memory; only bringing a few differences to the index excludes the writers
// of that one repository, and what they changed meanwhile is left as they said.

const (
	// retryReconcile is how long to wait after a failure.
	retryReconcile = 30 * time.Second
	// lookPace is how often folders are looked at, and wholePace how often
	// everything is read.
	lookPace  = 3 * time.Minute
	wholePace = time.Hour
	// calm and calmest bound the pause after a reconciliation, which is
	// calmShare times as long as that took.
	calm      = 250 * time.Millisecond
	calmest   = 5 * time.Second
	calmShare = 4
)

// pauseAfter is how long to rest after what began then.
func pauseAfter(began time.Time) time.Duration {
	return min(max(calm, calmShare*time.Since(began)), calmest)
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

// believe lets the index answer lists, unless there is a doubt. That is looked
// for afterwards, so that none that comes just now is overruled.
func (s *Store) believe() {
	s.trusted.Store(true)
	if len(s.doubts) > 0 {
		s.trusted.Store(false)
	}
}

// trusts reports whether the index may answer a list. What it has lost is
// found again by a reconciliation.
func (s *Store) trusts() bool {
	if !s.trusted.Load() {
		return false
	}
	if s.ix.Lost() {
		s.doubt()
		return false
	}
	return true
}

// doubtRepo says that something was found on the disk, or not found there, that
// the index says otherwise: another program is at work. The repository is
// compared soon; the index is believed meanwhile. It is cheap and may be called
// under any lock.
func (s *Store) doubtRepo(repo string) {
	if s.ix != nil {
		s.changes.suspect(repo)
	}
}

func (s *Store) reconcileLoop(ctx context.Context) {
	whole, first := true, true
	var last time.Time // when everything was read
	for {
		began := time.Now()
		err := s.reconcile(ctx, whole)
		if ctx.Err() != nil {
			return
		}
		next := lookPace
		switch {
		case err != nil:
			s.log.Warn("reconciliation of the index failed", "error", err)
			next = retryReconcile
		case whole:
			last = began
			if first {
				first = false
				close(s.reconciled)
			}
		}
		if !s.sleep(ctx, pauseAfter(began)) {
			return
		}
		doubted, ok := s.await(ctx, next)
		if !ok {
			return
		}
		whole = doubted || err != nil || time.Since(last) >= wholePace
	}
}

// sleep waits; false when the store closes.
func (s *Store) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// await returns when it is time for the next reconciliation, or when there is
// a doubt, and looks after single repositories until then.
func (s *Store) await(ctx context.Context, d time.Duration) (doubted, ok bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false, false
		case <-s.doubts:
			s.doubt() // for reconcile to answer
			return true, true
		case <-timer.C:
			return false, true
		case <-s.changes.suspected():
		}
		began := time.Now()
		for _, repo := range s.changes.suspects() {
			if err := s.compare(ctx, repo, &pace{}); err != nil && ctx.Err() == nil {
				s.log.Warn("reconciliation of the index failed", "repository", repo, "error", err)
			}
		}
		// Requests may find the same again and again: it must not take all.
		if !s.sleep(ctx, pauseAfter(began)) {
			return false, false
		}
	}
}

// reconcile makes the index say what the disk says. Unless it is to read
// everything, it passes over repositories whose folders look as they did.
func (s *Store) reconcile(ctx context.Context, whole bool) error {
	began := time.Now()
	select {
	case <-s.doubts: // answered by what follows
	default:
	}
	complete, err := s.ix.Complete(ctx)
	if err != nil {
		return err
	}
	if err := s.storageIsThere(ctx); err != nil {
		return err
	}
	p := &pace{hurry: !complete}
	count, compared := 0, 0
	had := s.rowsOf("", func(after string, limit int) ([]string, error) { return s.ix.RepositoryNames(ctx, after, limit) })
	gone := func(repo string) error { return s.compare(ctx, repo, p) }
	for repo, err := range s.reposOnDisk(ctx, "") {
		if err != nil {
			return err
		}
		count++
		if _, err := had.upTo(repo, gone); err != nil {
			return err
		}
		did, err := s.compareUnlessSame(ctx, repo, whole, p)
		if err != nil {
			return err
		}
		if did {
			compared++
		}
		if err := p.rest(ctx); err != nil {
			return err
		}
	}
	if err := had.rest(gone); err != nil {
		return err
	}
	if whole {
		if err := s.compareRest(ctx, p); err != nil {
			return err
		}
	}
	if len(s.doubts) > 0 {
		return nil // there will be another
	}
	if whole && (!complete || s.ix.Lost()) {
		if err := s.ix.SetComplete(ctx, true); err != nil {
			return err
		}
	}
	if whole {
		s.pages.forget()
		s.believe()
	}
	s.log.Debug("index reconciled", "repositories", count, "compared", compared, "duration", time.Since(began))
	return nil
}

// compareUnlessSame compares a repository, unless its folders look as they did,
// and reports whether it did. All of it includes its uploads.
func (s *Store) compareUnlessSame(ctx context.Context, repo string, whole bool, p *pace) (bool, error) {
	now, err := s.stamp(ctx, repo)
	if err != nil {
		return false, err
	}
	if whole {
		if err := s.countUploads(ctx, repo); err != nil {
			return false, err
		}
	}
	if !whole && now != 0 && s.changes.stamped(repo, now) {
		return false, nil
	}
	if err := s.compare(ctx, repo, p); err != nil {
		return false, fmt.Errorf("repository %s: %w", repo, err)
	}
	s.changes.stampAs(repo, now)
	return true, nil
}

// compareRest brings to the index what no repository tells.
func (s *Store) compareRest(ctx context.Context, p *pace) error {
	if err := s.compareStored(ctx, p); err != nil {
		return err
	}
	if err := s.countBeside(ctx); err != nil {
		return err
	}
	if err := s.compareRoots(ctx); err != nil {
		// Lists are right all the same.
		s.log.Warn("what holds manifests beside tags was not compared with the index", "error", err)
	}
	if ctx.Err() == nil {
		s.beside.mu.Lock()
		s.beside.known = true
		s.beside.mu.Unlock()
	}
	return ctx.Err()
}

// storageIsThere refuses to take a disk that is unplugged for an empty one.
func (s *Store) storageIsThere(ctx context.Context) error {
	_, err := s.drv.Stat(ctx, reposRoot)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, err := range s.drv.List(ctx, "") {
		if err != nil {
			return fmt.Errorf("the storage is gone: %w", err)
		}
		break
	}
	return nil
}

// rows reads names from the index, sorted, page by page.
type rows struct {
	page  []string
	after string
	done  bool
	next  func(after string, limit int) ([]string, error)
}

func (s *Store) rowsOf(after string, next func(after string, limit int) ([]string, error)) *rows {
	return &rows{after: after, next: next}
}

func (r *rows) fetch() error {
	page, err := r.next(r.after, pageSize)
	if errors.Is(err, index.ErrUnknown) {
		page, err = nil, nil
	}
	if err != nil {
		return err
	}
	if r.done = len(page) < pageSize; len(page) > 0 {
		r.after = page[len(page)-1]
	}
	r.page = page
	return nil
}

// upTo passes the names before name to gone, and reports whether name is there.
func (r *rows) upTo(name string, gone func(string) error) (bool, error) {
	for {
		for len(r.page) == 0 {
			if r.done {
				return false, nil
			}
			if err := r.fetch(); err != nil {
				return false, err
			}
		}
		first := r.page[0]
		if first > name {
			return false, nil
		}
		r.page = r.page[1:]
		if first == name {
			return true, nil
		}
		if err := gone(first); err != nil {
			return false, err
		}
	}
}

// rest passes all names that are left to gone.
func (r *rows) rest(gone func(string) error) error {
	for {
		for _, name := range r.page {
			if err := gone(name); err != nil {
				return err
			}
		}
		if r.page = nil; r.done {
			return nil
		}
		if err := r.fetch(); err != nil {
			return err
		}
	}
}

// pace keeps background work from taking a processor for itself.
type pace struct {
	hurry bool // somebody waits for the end
	began time.Time
}

// rest pauses after some milliseconds of work: as long as it worked, or a
// fourth of that in a hurry.
func (p *pace) rest(ctx context.Context) error {
	const slice = 5 * time.Millisecond
	if p.began.IsZero() {
		p.began = time.Now()
	}
	busy := time.Since(p.began)
	if busy < slice {
		return ctx.Err()
	}
	if p.hurry {
		busy /= 4
	}
	timer := time.NewTimer(busy)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	p.began = time.Now()
	return nil
}
