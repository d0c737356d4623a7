package store

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// Stale is an upload that nobody finished.
type Stale struct {
	Repository, ID string
	// Last is when it was last written.
	Last time.Time
}

// StaleUploads lists what PurgeUploads would remove.
func (s *Store) StaleUploads(ctx context.Context, olderThan time.Time) iter.Seq2[Stale, error] {
	return func(yield func(Stale, error) bool) {
		for repo, err := range s.reposOnDisk(ctx, "") {
			if err != nil {
				yield(Stale{}, fmt.Errorf("list stale uploads: %w", err))
				return
			}
			for id, err := range s.children(ctx, uploadsRoot(repo)) {
				var last time.Time
				if err == nil {
					last, err = s.staleSince(ctx, repo, id)
				}
				if err != nil {
					yield(Stale{}, fmt.Errorf("list stale uploads of %s: %w", repo, err))
					return
				}
				if !last.IsZero() && last.Before(olderThan) && !yield(Stale{repo, id, last}, nil) {
					return
				}
			}
		}
	}
}

// staleSince is the zero time for an upload that somebody is at.
func (s *Store) staleSince(ctx context.Context, repo, id string) (time.Time, error) {
	if !s.sessions.claim(repo, id) {
		return time.Time{}, ctx.Err()
	}
	defer s.sessions.leave(repo, id)
	return s.lastWritten(ctx, repo, id)
}

// lastWritten says when an upload was last written; the zero time means that it
// is gone.
func (s *Store) lastWritten(ctx context.Context, repo, id string) (last time.Time, err error) {
	for _, key := range []string{uploadData(repo, id), uploadStarted(repo, id)} {
		info, err := s.drv.Stat(ctx, key)
		if err != nil && !missing(err) {
			return time.Time{}, err
		}
		if err == nil && info.Modified.After(last) {
			last = info.Modified
		}
	}
	if !last.IsZero() {
		return last, nil
	}
	info, err := s.drv.Stat(ctx, uploadDir(repo, id))
	if missing(err) {
		return time.Time{}, nil
	}
	return info.Modified, err
}
