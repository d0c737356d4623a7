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
	// Size is what it takes, in bytes.
	Size int64
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
				var u Stale
				if err == nil {
					u, err = s.stale(ctx, repo, id)
				}
				if err != nil {
					yield(Stale{}, fmt.Errorf("list stale uploads of %s: %w", repo, err))
					return
				}
				if !u.Last.IsZero() && u.Last.Before(olderThan) && !yield(u, nil) {
					return
				}
			}
		}
	}
}

// stale has no Last for an upload that somebody is at, or that is gone.
func (s *Store) stale(ctx context.Context, repo, id string) (Stale, error) {
	if !s.sessions.claim(repo, id) {
		return Stale{}, ctx.Err()
	}
	defer s.sessions.leave(repo, id)
	last, err := s.lastWritten(ctx, repo, id)
	if err != nil {
		return Stale{}, err
	}
	info, err := s.drv.Stat(ctx, uploadData(repo, id))
	if err != nil && !missing(err) {
		return Stale{}, err
	}
	return Stale{Repository: repo, ID: id, Last: last, Size: info.Size}, nil
}

// PurgeUpload removes one upload that StaleUploads listed, and reports whether
// it did: not when somebody is at it, or was since olderThan.
func (s *Store) PurgeUpload(ctx context.Context, u Stale, olderThan time.Time) (bool, error) {
	purged, err := s.purgeUpload(ctx, u.Repository, u.ID, olderThan)
	if err != nil {
		return false, fmt.Errorf("purge upload %s of %s: %w", u.ID, u.Repository, err)
	}
	return purged, nil
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
