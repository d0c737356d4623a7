package journal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"berth/registry/driver/filesystem/internal/disk"
)

// Found is what [Open] finds of an earlier life.
type Found struct {
	// Frames whose effect may not be durable, in order.
	Frames []Frame
	// Placed says up to where they were carried out, and that nothing was lost
	// since. 0 after a power cut.
	Placed uint64
	// Doubt says that what was carried out may never come to the disk, though it
	// can be read: it failed to, and the system does not try again.
	Doubt bool
	// Newest is the latest time of any frame. What changed later was changed by
	// another program.
	Newest time.Time
	// Last is the number of the last frame.
	Last uint64
}

// Open reads the journal in a folder. Where something is found the caller
// carries it out again, then calls [Journal.Replayed], and before that no
// other method but Close.
func Open(o Options) (*Journal, Found, error) {
	if o.Segment == 0 {
		o.Segment = segmentSize
	}
	j := &Journal{o: o, allowed: maxSegments, nextID: 1}
	j.room = sync.NewCond(&j.io)
	j.carried = sync.NewCond(&j.mu)
	sum := fnv.New128a()
	_, _ = sum.Write([]byte(o.Life))
	sum.Sum(j.lifeHash[:0])
	all, err := j.read()
	if err != nil {
		return nil, Found{}, err
	}
	j.last, j.base, j.low = all.last, all.base, all.last
	live, end := all.live()
	j.unmarked, j.gap = len(live) > 0, end != all.last
	for _, s := range all.segments {
		// One that is behind base may be overwritten, but not the one that
		// tells base: without it older segments would come to life.
		if s.last <= j.base {
			j.free = append(j.free, s)
		} else {
			j.sealed = append(j.sealed, s)
		}
	}
	slices.SortFunc(j.sealed, func(a, b *segment) int { return cmp.Compare(a.last, b.last) })
	j.allowed += len(j.sealed)
	if len(live) == 0 {
		return j, Found{}, nil
	}
	j.harden()
	j.memos = []*memo{{}}
	j.sealed[len(j.sealed)-1].memo = j.memos[0]
	found := Found{Frames: live, Placed: min(j.readPlaced(), all.last), Last: all.last}
	if _, err := j.o.Disk.Stat(j.doubtPath()); err == nil {
		found.Doubt, found.Placed, j.doubted = true, 0, true
	}
	for _, f := range all.frames {
		if f.Time.After(found.Newest) {
			found.Newest = f.Time
		}
	}
	return j, found, nil
}

// harden makes durable what was found: a process that ended may have written
// frames and not come to their flush, and what they say is shown from now on.
func (j *Journal) harden() {
	if j.usable() != nil {
		return
	}
	for _, s := range j.sealed {
		if err := s.f.SyncData(); err != nil {
			j.fail(err)
			return
		}
	}
}

// live gives the records behind base, up to the first that is missing, and the
// number of the last frame that counts.
func (a *found) live() ([]Frame, uint64) {
	var live []Frame
	index := map[uint64]int{}
	next := a.base + 1
	for _, f := range a.frames {
		if f.Number < next {
			continue
		}
		if f.Number > next {
			break
		}
		next++
		switch f.head.kind {
		case record:
			index[f.Number] = len(live)
			live = append(live, f)
		case abort:
			number, kept := parseAbort(f.Payload)
			if i, ok := index[number]; ok {
				live[i].Aborted, live[i].Kept = true, kept
			}
		case mark:
		}
	}
	return live, next - 1
}

// Replayed says that what was found is carried out; a checkpoint in the
// background then empties the journal.
func (j *Journal) Replayed() error {
	j.openPlaced()
	j.tellPlaced(j.placed, j.low)
	if j.gap {
		// Damage in the midst. Nothing that is recorded behind it would be
		// found, so it goes first.
		return j.Checkpoint()
	}
	j.ask()
	return nil
}

func abortPayload(number uint64, kept int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, number)
	return binary.LittleEndian.AppendUint64(b, uint64(kept))
}

func parseAbort(b []byte) (number uint64, kept int) {
	if len(b) != 16 {
		return 0, 0
	}
	return binary.LittleEndian.Uint64(b), int(binary.LittleEndian.Uint64(b[8:]))
}

const (
	placedName = "placed"
	doubtName  = "doubt"
)

func (j *Journal) doubtPath() string { return filepath.Join(j.o.Folder, doubtName) }

// doubt notes for the next start that a flush has failed. The note need not
// outlive a power cut: after one, what can be read is what is on the disk.
func (j *Journal) doubt() {
	j.doubted = true
	_ = j.o.Disk.WriteNew(j.doubtPath(), nil)
}

// trust withdraws the note, once all has come to the disk.
func (j *Journal) trust() {
	if j.doubted {
		j.doubted = j.o.Disk.Remove(j.doubtPath()) != nil
	}
}

// openPlaced makes the file that is never synced. Without it, a crash counts
// as a power cut.
func (j *Journal) openPlaced() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.o.Life == "" || j.placed != nil {
		return
	}
	f, err := j.o.Disk.Open(filepath.Join(j.o.Folder, placedName), os.O_RDWR|os.O_CREATE)
	if err != nil {
		return
	}
	j.placed = f
}

func (j *Journal) tellPlaced(f disk.File, low uint64) {
	if f == nil {
		return
	}
	b := make([]byte, 0, 24)
	b = append(b, j.lifeHash[:]...)
	b = binary.LittleEndian.AppendUint64(b, low)
	_, _ = f.WriteAt(b, 0)
}

func (j *Journal) readPlaced() uint64 {
	if j.o.Life == "" {
		return 0
	}
	b, err := j.o.Disk.ReadFile(filepath.Join(j.o.Folder, placedName))
	if err != nil || len(b) != 24 || [16]byte(b[:16]) != j.lifeHash {
		return 0
	}
	return binary.LittleEndian.Uint64(b[16:])
}

// Close makes a checkpoint and leaves an empty journal in one small segment.
// After it records are refused with fs.ErrClosed.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	if j.timer != nil {
		j.timer.Stop()
	}
	j.mu.Unlock()
	j.wake()
	j.background.Wait()
	j.lead.Lock()
	//lint:ignore SA2001 only until the last group is written; whoever comes now is refused
	j.lead.Unlock()
	err := j.Checkpoint()
	j.io.Lock()
	defer j.io.Unlock()
	if err == nil {
		err = j.shrink()
	}
	j.ended = true
	for _, s := range append(append(j.sealed, j.free...), j.current) {
		if s != nil {
			err = errors.Join(err, s.f.Close())
		}
	}
	j.sealed, j.free, j.current = nil, nil, nil
	if j.placed != nil {
		err = errors.Join(err, j.placed.Close())
	}
	return err
}

// shrink leaves nothing but a mark. It needs io.
func (j *Journal) shrink() error {
	if j.current == nil || j.unmarked || len(j.sealed) > 0 {
		return nil
	}
	for _, s := range j.free {
		if err := j.drop(s); err != nil {
			return err
		}
	}
	dropped := len(j.free)
	j.free = nil
	if dropped > 0 {
		if err := j.o.Disk.SyncFolder(j.o.Folder); err != nil {
			return err
		}
	}
	// The mark comes first: a file that is cut short would end in the midst of
	// what is done with, without the mark that says so.
	s := j.current
	j.begin(s)
	if err := j.grow(s, headSize, true); err != nil {
		return err
	}
	if err := j.append([]entry{{kind: mark}}, j.o.Disk.Now(), j.last); err != nil {
		return err
	}
	if s.size <= 4*firstSize {
		return nil
	}
	return s.f.Truncate(4 * firstSize)
}
