package journal

import (
	"errors"
	"slices"

	"berth/registry/driver/filesystem/internal/disk"
)

// makeRoom returns when current has room for n more bytes. It needs io, and
// lets go of it while it waits for a checkpoint.
func (j *Journal) makeRoom(n int64, urgent bool) error {
	var full error // the disk is
	for {
		if err := j.usable(); err != nil {
			return err
		}
		if s := j.current; s != nil && j.fits(s, n, urgent) {
			err := j.grow(s, n, urgent)
			if err == nil {
				return nil
			}
			if !disk.IsNoSpace(err) {
				return err
			}
			full = err
		}
		next, err := j.rotate(n, full)
		if err != nil {
			return err
		}
		if !next {
			j.ask()
			j.room.Wait()
		}
	}
}

// rotate goes on in another segment; false means that none is free yet. On a
// full disk it makes none,
// and takes only one that holds n bytes.
func (j *Journal) rotate(n int64, full error) (bool, error) {
	// The largest: on a full disk it may be the only one with room.
	slices.SortFunc(j.free, func(a, b *segment) int { return int(a.size - b.size) })
	if last := len(j.free) - 1; last >= 0 && (full == nil || j.free[last].size >= n) {
		s := j.free[last]
		j.free = j.free[:last]
		j.enter(s)
		return true, nil
	}
	if full == nil && j.current == nil && len(j.sealed) == 1 && !j.unmarked {
		return j.startOver(j.sealed[0])
	}
	if full == nil && len(j.sealed) < j.allowed {
		s, err := j.create()
		if err == nil {
			j.enter(s)
			return true, nil
		}
		if !disk.IsNoSpace(err) {
			return false, err
		}
		full = err
	}
	switch {
	case j.unmarked:
		return false, nil
	case j.current == nil && len(j.sealed) == 1:
		return j.startOver(j.sealed[0])
	case j.current != nil && j.current.end > 0 && len(j.sealed) == 0:
		return j.startOver(j.current)
	}
	return false, full
}

// startOver begins the only segment there is anew; all in it is done with.
func (j *Journal) startOver(s *segment) (bool, error) {
	// A segment that was removed must not come back, now that the one goes that
	// tells it is done with.
	if err := j.o.Disk.SyncFolder(j.o.Folder); err != nil {
		return false, err
	}
	j.base = j.last
	j.sealed, j.current = nil, s
	j.begin(s)
	j.openPlaced()
	// By itself, as it fits a sector: of a larger write the beginning may be
	// lost, and what was there would come to life.
	return true, j.writeMark(j.o.Disk.Now(), j.base)
}

// enter seals current and begins s. It needs io.
func (j *Journal) enter(s *segment) {
	if j.current != nil {
		j.sealed = append(j.sealed, j.current)
		j.ask()
	}
	j.begin(s)
	j.current = s
	j.openPlaced()
}

func (j *Journal) begin(s *segment) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forget(s.memo)
	s.begin()
	s.memo = &memo{}
	j.memos = append(j.memos, s.memo)
}

// forget needs mu.
func (j *Journal) forget(m *memo) {
	if i := slices.Index(j.memos, m); m != nil && i >= 0 {
		j.memos = slices.Delete(j.memos, i, i+1)
	}
}

// release makes the segments up to base free. It needs io.
func (j *Journal) release() {
	for len(j.sealed) > 0 && j.sealed[0].last <= j.base {
		s := j.sealed[0]
		j.sealed = j.sealed[1:]
		j.mu.Lock()
		j.forget(s.memo)
		j.mu.Unlock()
		s.memo = nil
		if len(j.sealed)+len(j.free)+1 >= maxSegments || s.size > j.o.Segment {
			_ = j.drop(s) // it would only be an empty file
			continue
		}
		j.free = append(j.free, s)
	}
	j.allowed = maxSegments
	j.room.Broadcast()
}

func (j *Journal) drop(s *segment) error {
	return errors.Join(s.f.Close(), j.o.Disk.Remove(s.path))
}
