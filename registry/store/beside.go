package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Beside is what lies on the storage beside blobs, in bytes.
type Beside struct {
	// Uploads is what unfinished uploads take, and Stale the part of it that was
	// last written long ago; Quarantine is what was moved aside.
	Uploads, Stale, Quarantine int64
	// Known is false until everything that was there before Open is counted, and
	// the index was compared with it.
	Known bool
}

// Beside tells it without looking at the storage: uploads of ours as they grow,
// the others as the last reconciliation found them. Stale is what was written
// before olderThan.
func (s *Store) Beside(olderThan time.Time) Beside {
	l := &s.beside
	l.mu.Lock()
	defer l.mu.Unlock()
	out := Beside{Quarantine: l.quarantine, Known: l.known}
	for _, n := range l.uploads {
		out.Uploads += n.Load()
		if n.last.Load() < olderThan.UnixNano() {
			out.Stale += n.Load()
		}
	}
	return out
}

// besides counts what lies beside blobs. Whoever holds an upload tells what its
// file takes; nobody else does meanwhile.
type besides struct {
	mu         sync.Mutex               // guards what follows
	uploads    map[uploadName]*fileSize // those with a file
	quarantine int64
	moves      int // of what is in quarantine
	known      bool
}

type uploadName struct{ repo, id string }

// fileSize is what the file of an upload takes, and when it was last written.
type fileSize struct {
	atomic.Int64
	last atomic.Int64
}

// grow counts bytes that were written just now.
func (f *fileSize) grow(n int) {
	f.Add(int64(n))
	f.last.Store(time.Now().UnixNano())
}

// found counts a file as it lies on disk.
func (f *fileSize) found(size int64, last time.Time) {
	f.Store(size)
	f.last.Store(last.UnixNano())
}

// file gives the count of an upload.
func (l *besides) file(repo, id string) *fileSize {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := uploadName{repo, id}
	if l.uploads[name] == nil {
		if l.uploads == nil {
			l.uploads = map[uploadName]*fileSize{}
		}
		l.uploads[name] = &fileSize{}
	}
	return l.uploads[name]
}

// gone ends the count of an upload that has no file any more.
func (l *besides) gone(repo, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.uploads, uploadName{repo, id})
}

// moved counts bytes that came into the quarantine, or left it.
func (l *besides) moved(by int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quarantine += by
	l.moves++
}

// countUploads counts the uploads of a repository that nobody holds.
func (s *Store) countUploads(ctx context.Context, repo string) error {
	for id, err := range s.children(ctx, uploadsRoot(repo)) {
		if err == nil {
			err = s.countUpload(ctx, repo, id)
		}
		if err != nil {
			return fmt.Errorf("count uploads of %s: %w", repo, err)
		}
	}
	return nil
}

// countUpload looks at one upload, unless somebody is at it, who counts himself.
func (s *Store) countUpload(ctx context.Context, repo, id string) error {
	if !s.sessions.claim(repo, id) {
		return ctx.Err()
	}
	defer s.sessions.leave(repo, id)
	info, err := s.drv.Stat(ctx, uploadData(repo, id))
	switch {
	case missing(err), err == nil && info.Dir:
		s.beside.gone(repo, id)
		return nil
	case err == nil:
		s.beside.file(repo, id).found(info.Size, info.Modified)
	}
	return err
}

// countBeside counts what a reconciliation has not met on its way: uploads that
// are gone, with their repositories maybe, and the quarantine.
func (s *Store) countBeside(ctx context.Context) error {
	l := &s.beside
	l.mu.Lock()
	names := make([]uploadName, 0, len(l.uploads))
	for name := range l.uploads {
		names = append(names, name)
	}
	l.mu.Unlock()
	for _, name := range names {
		if err := s.countUpload(ctx, name.repo, name.id); err != nil {
			return fmt.Errorf("count uploads of %s: %w", name.repo, err)
		}
	}
	for range tries {
		l.mu.Lock()
		moves := l.moves
		l.mu.Unlock()
		sum := int64(0)
		for q, err := range s.Quarantined(ctx) {
			if err != nil {
				return err
			}
			sum += q.Size
		}
		l.mu.Lock()
		same := moves == l.moves
		if same {
			l.quarantine = sum
		}
		l.mu.Unlock()
		if same {
			break
		}
	}
	return nil
}
