package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"berth/registry"
	"berth/registry/driver"
)

// session is an upload in memory. It belongs to its holder; who holds it is
// written in sessions.
type session struct {
	repo, id string
	started  time.Time
	w        driver.Writer // nil while all of it is in memory
	size     int64
	small    []byte // all of it, when it has size bytes
	hash     hasher
	filed    bool      // some of it may be on disk
	onDisk   *fileSize // what its file takes; nil while there is none
	broken   bool      // a write failed: only the file knows what is in it
}

// spill begins the file of an upload that was in memory so far. When it fails,
// either nothing has changed, or the upload is broken.
func (u *upload) spill() error {
	u.filed = true
	// The writer outlives the request that opens it.
	w, err := u.s.drv.Append(context.Background(), uploadData(u.repo, u.id), 0)
	if err != nil {
		return fmt.Errorf("keep upload %s: %w", u.id, err)
	}
	u.w, u.onDisk = w, u.s.beside.file(u.repo, u.id)
	n, err := w.Write(u.small)
	u.onDisk.grow(n)
	if err != nil {
		u.broken, u.size = true, int64(n)
		return fmt.Errorf("keep upload %s: %w", u.id, err)
	}
	return nil
}

// drop closes the file of an upload whose bytes are not needed any more.
func (sess *session) drop() {
	if sess.w == nil {
		return
	}
	w := sess.w
	sess.w = nil
	if d, ok := w.(driver.Dropper); ok {
		_ = d.Drop() // what becomes of it does not matter
		return
	}
	_ = w.Close()
}

const (
	// maxParked is how many uploads that keep a file open are parked at most,
	// and maxWaiting how many that have no bytes yet. What is closed beyond that
	// is put on disk at once.
	maxParked  = 128
	maxWaiting = 4096
	// warmFor is for how long the next request of a client that is still there
	// may be awaited.
	warmFor = 2 * time.Second
)

// sessions are the uploads in memory: those that are held, and those that were
// closed a moment ago and are parked.
type sessions struct {
	cores  int
	bodies atomic.Int32 // long bodies that come in now

	mu      sync.Mutex // guards what follows
	byKey   map[string]*slot
	parked  int // how many of byKey are, with a file
	waiting int // how many of byKey are, without
	closed  bool
	// pushed is when an upload to a repository was put down last, and any to
	// whichever; those of long ago are forgotten.
	pushed   map[string]time.Time
	any      time.Time
	settling sync.WaitGroup // Add only with mu held and closed unset
}

// slot is the place of one upload. Everything in it is guarded by sessions.mu.
type slot struct {
	parked *session      // nil while held
	since  time.Time     // when it was parked
	idle   *time.Timer   // puts the parked session on disk
	upkeep bool          // it is held by who only looks, or removes it
	busy   chan struct{} // not nil while it is put on disk; closed after
}

func newSessions() *sessions {
	return &sessions{cores: runtime.GOMAXPROCS(0), byKey: map[string]*slot{}, pushed: map[string]time.Time{}}
}

// count counts what is held, and what was parked so lately that its client is
// likely to go on.
func (ss *sessions) count() (n int) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for _, at := range ss.byKey {
		if at.parked == nil || time.Since(at.since) < warmFor {
			n++
		}
	}
	return n
}

// pushing reports whether an upload to a repository, "" for any, is held, or was
// within a time, which is a minute at most.
func (ss *sessions) pushing(repo string, within time.Duration) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	last := ss.any
	if repo != "" {
		last = ss.pushed[repo]
	}
	if time.Since(last) < within {
		return true
	}
	for key, at := range ss.byKey {
		if at.parked == nil && at.busy == nil && !at.upkeep && (repo == "" || strings.HasPrefix(key, repo+":")) {
			return true
		}
	}
	return false
}

// putDown notes that an upload to a repository is over, or waits. The caller
// holds mu.
func (ss *sessions) putDown(repo string) {
	now := time.Now()
	if len(ss.pushed) >= 1024 && ss.pushed[repo].IsZero() {
		for repo, at := range ss.pushed {
			if now.Sub(at) > time.Minute {
				delete(ss.pushed, repo)
			}
		}
	}
	ss.pushed[repo], ss.any = now, now
}

// end is leave for who pushed.
func (ss *sessions) end(repo, id string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.byKey, repo+":"+id)
	ss.putDown(repo)
}

// claim makes the caller, who does not push, the holder of what nobody holds and is not parked.
func (ss *sessions) claim(repo, id string) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.byKey[repo+":"+id] != nil {
		return false
	}
	ss.byKey[repo+":"+id] = &slot{upkeep: true}
	return true
}

// take makes the caller the holder. It gives the session if that was parked,
// and nil if it has to be read from the disk. Errors: ErrBlobUploadInvalid when
// it is held.
func (ss *sessions) take(ctx context.Context, repo, id string) (*session, error) {
	for {
		ss.mu.Lock()
		at := ss.byKey[repo+":"+id]
		if at == nil {
			ss.byKey[repo+":"+id] = &slot{}
			ss.mu.Unlock()
			return nil, nil
		}
		if at.busy == nil {
			defer ss.mu.Unlock()
			if at.parked == nil {
				return nil, registry.ErrBlobUploadInvalid.WithMessage("the upload is in use by another request").WithDetail(id)
			}
			parked := at.parked
			at.idle.Stop()
			at.parked = nil
			*ss.kept(parked)--
			return parked, nil
		}
		busy := at.busy
		ss.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// leave ends the holder's right; the session is on disk, or gone.
func (ss *sessions) leave(repo, id string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.byKey, repo+":"+id)
}

// kept is the count in which a parked session is. The caller holds mu.
func (ss *sessions) kept(sess *session) *int {
	if sess.w == nil {
		return &ss.waiting
	}
	return &ss.parked
}

// park keeps a session open for a while. It reports false when the store is
// closed, does not park, or has parked enough: then the holder settles it.
func (s *Store) park(sess *session) bool {
	ss := s.sessions
	ss.mu.Lock()
	defer ss.mu.Unlock()
	at := ss.byKey[sess.repo+":"+sess.id]
	if ss.closed || s.opt.Park < 0 || at == nil || sess.broken || ss.parked >= maxParked && sess.w != nil || ss.waiting >= maxWaiting {
		return false
	}
	*ss.kept(sess)++
	at.parked, at.since = sess, time.Now()
	ss.putDown(sess.repo)
	at.idle = time.AfterFunc(s.opt.Park, func() { s.settleIdle(at) })
	return true
}

func (s *Store) settleIdle(at *slot) {
	ss := s.sessions
	ss.mu.Lock()
	sess := at.parked
	if sess == nil || ss.closed {
		ss.mu.Unlock()
		return
	}
	at.parked, at.busy = nil, make(chan struct{})
	*ss.kept(sess)--
	ss.settling.Add(1)
	ss.mu.Unlock()
	defer ss.settling.Done()
	if err := s.settle(context.Background(), sess); err != nil {
		s.log.Warn("upload could not be kept", "repository", sess.repo, "upload", sess.id, "error", err)
	}
	ss.leave(sess.repo, sess.id)
	close(at.busy)
}

// settle puts on disk what going on needs: the bytes, the state of the hash,
// and the start, by which distribution knows an upload.
func (s *Store) settle(ctx context.Context, sess *session) error {
	b := s.newBatch()
	if sess.w == nil && sess.size == 0 {
		b.put(uploadData(sess.repo, sess.id), nil)
	}
	if sess.w != nil {
		err := sess.w.Close()
		sess.w = nil
		if err != nil {
			return fmt.Errorf("close upload %s: %w", sess.id, err)
		}
	}
	if sess.broken {
		return nil
	}
	state, err := sess.hash.state()
	if err != nil {
		return fmt.Errorf("keep upload %s: %w", sess.id, err)
	}
	b.put(hashStateKey(sess.repo, sess.id, sess.hash.algorithm, sess.size), state)
	b.put(uploadStarted(sess.repo, sess.id), []byte(sess.started.UTC().Format(time.RFC3339)))
	if err := b.apply(ctx); err != nil {
		return fmt.Errorf("keep upload %s: %w", sess.id, err)
	}
	return nil
}

func (s *Store) closeSessions() error {
	ss := s.sessions
	ss.mu.Lock()
	ss.closed = true
	var parked []*session
	for key, at := range ss.byKey {
		if at.parked != nil {
			at.idle.Stop()
			parked = append(parked, at.parked)
			delete(ss.byKey, key)
			*ss.kept(at.parked)--
		}
	}
	ss.mu.Unlock()
	ss.settling.Wait()
	var errs []error
	for _, sess := range parked {
		errs = append(errs, s.settle(context.Background(), sess))
	}
	return errors.Join(errs...)
}

// load reads a session from the disk, whoever wrote it.
// Errors: ErrBlobUploadUnknown.
func (s *Store) load(ctx context.Context, repo, id string) (*session, error) {
	sess := &session{repo: repo, id: id, filed: true}
	info, err := s.drv.Stat(ctx, uploadData(repo, id))
	switch {
	case err == nil:
		sess.size, sess.started = info.Size, info.Modified
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("resume upload %s: %w", id, err)
	}
	text, startErr := s.read(ctx, uploadStarted(repo, id), 64)
	if started, perr := time.Parse(time.RFC3339, string(text)); startErr == nil && perr == nil {
		sess.started = started
	}
	if err != nil && startErr != nil {
		return nil, registry.ErrBlobUploadUnknown.WithDetail(id)
	}
	if sess.hash, err = s.loadHash(ctx, repo, id, sess.size); err != nil {
		return nil, fmt.Errorf("resume upload %s: %w", id, err)
	}
	// The writer outlives the request that opens it.
	sess.w, err = s.drv.Append(context.WithoutCancel(ctx), uploadData(repo, id), sess.size)
	if err != nil {
		return nil, fmt.Errorf("resume upload %s: %w", id, err)
	}
	sess.onDisk = s.beside.file(repo, id)
	sess.onDisk.found(sess.size, time.Now())
	return sess, nil
}
