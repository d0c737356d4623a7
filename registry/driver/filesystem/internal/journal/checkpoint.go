package journal

import (
	"io/fs"
	"iter"
	"slices"
	"time"

	"berth/registry/driver/filesystem/internal/disk"
)

// ask has a checkpoint made in the background.
func (j *Journal) ask() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.running {
		j.again = true
		return
	}
	if j.closed || j.failed != nil {
		return
	}
	j.running = true
	j.background.Go(func() {
		for {
			_ = j.Checkpoint() // its error is told to whoever writes next
			j.mu.Lock()
			if !j.again || j.failed != nil || j.closed {
				j.running, j.again = false, false
				j.mu.Unlock()
				j.wake()
				return
			}
			j.again = false
			j.mu.Unlock()
		}
	})
}

// wake lets those who wait for room look again.
func (j *Journal) wake() {
	j.io.Lock()
	defer j.io.Unlock()
	j.room.Broadcast()
}

// arm needs mu. The timer is not set anew for each group: it looks, when it
// fires, how long ago the last one was.
func (j *Journal) arm(after time.Duration) {
	if j.armed || j.closed || after <= 0 {
		return
	}
	j.armed = true
	if j.timer == nil {
		j.timer = time.AfterFunc(after, j.idle)
		return
	}
	j.timer.Reset(after)
}

func (j *Journal) idle() {
	j.mu.Lock()
	j.armed = false
	// Where the clock jumped, the wait begins anew.
	if rest := j.o.Idle - j.o.Disk.Now().Sub(j.touched); rest > 0 && rest < j.o.Idle {
		j.arm(rest)
		j.mu.Unlock()
		return
	}
	j.mu.Unlock()
	j.ask()
}

// Checkpoint makes durable what was carried out of all records so far, and
// empties the journal of them.
func (j *Journal) Checkpoint() error {
	j.checking.Lock()
	defer j.checking.Unlock()
	j.io.Lock()
	upto, from := j.last, j.base
	segments := slices.Clone(j.sealed)
	if j.current != nil {
		segments = append(segments, j.current)
	}
	ends := make([]int64, len(segments))
	for i, s := range segments {
		ends[i] = s.end
	}
	nothing := !j.unmarked || j.ended
	j.io.Unlock()
	if nothing {
		return nil
	}
	if err := j.await(upto); err != nil {
		return err
	}
	var broken error
	err := j.o.Flush(records(segments, ends, from, upto, &broken))
	if err != nil {
		j.doubt()
	}
	if err == nil {
		err = broken
	}
	if err == nil {
		err = j.advance(upto)
	}
	if err == nil {
		j.trust()
	}
	if err != nil {
		j.fail(err)
		j.wake()
	}
	return err
}

// await returns when all frames up to one are carried out.
func (j *Journal) await(upto uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.low < upto && j.failed == nil {
		j.carried.Wait()
	}
	return j.failed
}

// records reads them again, for a system that has to sync file by file.
func records(segments []*segment, ends []int64, from, upto uint64, broken *error) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i, s := range segments {
			frames, _, err := scan(s.f, ends[i])
			if err != nil {
				*broken = err
				return
			}
			for _, f := range frames {
				if f.head.kind == record && f.Number > from && f.Number <= upto && !yield(f.Payload) {
					return
				}
			}
		}
	}
}

// advance writes the mark, and frees what is behind it.
func (j *Journal) advance(upto uint64) error {
	j.io.Lock()
	defer j.io.Unlock()
	if j.ended {
		return fs.ErrClosed
	}
	if j.current == nil {
		switch next, err := j.rotate(headSize, nil); {
		case disk.IsNoSpace(err) || err == nil && !next:
			return j.dropOld(upto)
		case err != nil:
			return err
		}
	}
	if err := j.grow(j.current, headSize, true); err != nil {
		if disk.IsNoSpace(err) && j.current.end == 0 {
			return j.dropOld(upto)
		}
		return err
	}
	if err := j.writeMark(j.o.Disk.Now(), upto); err != nil {
		return err
	}
	j.mu.Lock()
	j.unmarked = j.last > upto+1
	j.mu.Unlock()
	j.base = upto
	j.release()
	return nil
}

// dropOld empties a journal of another life where the disk is too full for a
// mark: the oldest first, so that what a power cut leaves has no beginning.
func (j *Journal) dropOld(upto uint64) error {
	for len(j.sealed) > 0 {
		if err := j.drop(j.sealed[0]); err != nil {
			return err
		}
		j.sealed = j.sealed[1:]
		if err := j.o.Disk.SyncFolder(j.o.Folder); err != nil {
			return err
		}
	}
	j.mu.Lock()
	j.unmarked = j.last > upto
	j.mu.Unlock()
	j.base = upto
	j.release()
	return nil
}
