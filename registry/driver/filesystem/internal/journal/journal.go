package journal

import (
	"fmt"
	"io/fs"
	"iter"
	"sync"
	"time"

	"berth/registry/driver/filesystem/internal/disk"
)

// Options configure [Open].
type Options struct {
	Disk disk.Disk
	// Folder of the segments. It is made, together with its parent, when the
	// first record is committed; the folder above both must exist.
	Folder string
	// Life as [disk.Disk] gives it for the folder that records are about.
	Life string
	// Flush makes durable what was carried out of records.
	Flush func(records iter.Seq[[]byte]) error
	// Segment is where a segment is full, in bytes. 0 means 8 MiB.
	Segment int64
	// Idle is how long after the last record a checkpoint is made.
	Idle time.Duration
}

// Journal is a write-ahead journal. It is safe for concurrent use.
type Journal struct {
	o Options

	// lead is held by the one who writes for a group.
	lead sync.Mutex

	// io guards the segments and what is written. It is held during a flush.
	io      sync.Mutex
	room    *sync.Cond // on io: a segment became free, or never will
	current *segment
	sealed  []*segment // oldest first
	free    []*segment
	allowed int
	nextID  uint64
	last    uint64 // frame that is durable
	base    uint64 // and durable in a mark
	buf     []byte
	gap     bool // a frame of an earlier life is missing
	ended   bool // files are closed

	// checking is held during a checkpoint.
	checking sync.Mutex
	doubted  bool // guarded by checking; there may be a note of doubt
	// background counts running checkpoints.
	background sync.WaitGroup

	mu       sync.Mutex
	carried  *sync.Cond // on mu: low rose
	group    *group     // gathers while another is written
	failed   error      // for good: the first error of a flush
	closed   bool
	unmarked bool   // there are records behind base; changed with io held, too
	low      uint64 // all frames up to it are carried out
	done     []bool // those above it
	running  bool   // a checkpoint is asked for, or under way
	again    bool   // and another after it
	timer    *time.Timer
	armed    bool
	touched  time.Time // when the last group was written
	memos    []*memo   // of segments that are not free; the last is current's
	placed   disk.File // nil when the life is unknown
	lifeHash [16]byte
}

// Ticket is a committed record.
type Ticket struct {
	Number uint64
	Time   time.Time
}

// group is records that are written together.
type group struct {
	entries []entry
	size    int64
	done    chan struct{}
	// The results, once done is closed.
	first uint64
	time  time.Time
	err   error
}

type entry struct {
	kind    kind
	payload []byte
	hashes  []uint64
}

// maxGroup is how many bytes a group gathers; one record may be longer.
const maxGroup = 1 << 20

// Commit returns when the record is durable. The caller then carries it out
// and calls [Journal.Placed], or [Journal.Abort]. The hashes are remembered, see
// [Journal.Remembers]. After an error the record must not be carried out.
func (j *Journal) Commit(payload []byte, hashes []uint64) (Ticket, error) {
	return j.commit(entry{kind: record, payload: payload, hashes: hashes})
}

func (j *Journal) commit(e entry) (Ticket, error) {
	j.mu.Lock()
	g := j.group
	leads := g == nil || g.size > maxGroup
	if leads {
		g = &group{done: make(chan struct{})}
		j.group = g
	}
	i := len(g.entries)
	g.entries = append(g.entries, e)
	g.size += headSize + int64(len(e.payload))
	j.mu.Unlock()
	if !leads {
		<-g.done
	} else {
		j.lead.Lock()
		j.mu.Lock()
		if j.group == g {
			j.group = nil
		}
		j.mu.Unlock()
		g.first, g.time, g.err = j.write(g.entries, g.size)
		j.lead.Unlock()
		close(g.done)
	}
	return Ticket{g.first + uint64(i), g.time}, g.err
}

// write makes the frames of a group durable and gives the number of the first.
func (j *Journal) write(entries []entry, size int64) (uint64, time.Time, error) {
	j.io.Lock()
	defer j.io.Unlock()
	urgent := true
	for _, e := range entries {
		urgent = urgent && e.kind != record
	}
	if err := j.makeRoom(size, urgent); err != nil {
		return 0, time.Time{}, err
	}
	now := j.o.Disk.Now()
	first := j.last + 1
	if err := j.append(entries, now, j.base); err != nil {
		return 0, time.Time{}, err
	}
	j.mu.Lock()
	for _, e := range entries {
		j.done = append(j.done, e.kind != record)
		j.unmarked = j.unmarked || e.kind != mark
		for _, hash := range e.hashes {
			j.memos[len(j.memos)-1].add(hash)
		}
	}
	j.advanceLow()
	j.touched = now
	j.arm(j.o.Idle)
	j.mu.Unlock()
	return first, now, nil
}

// append needs io and room. A failed flush is final: the system forgets which
// pages it could not write, so a later one that succeeds means nothing.
func (j *Journal) append(entries []entry, now time.Time, base uint64) error {
	s := j.current
	b := j.buf[:0]
	number := j.last
	for _, e := range entries {
		number++
		b = appendFrame(b, head{kind: e.kind, number: number, base: base, epoch: s.epoch, time: now.UnixNano()}, e.payload)
	}
	if cap(b) <= maxGroup {
		j.buf = b
	}
	if _, err := s.f.WriteAt(b, s.end); err != nil {
		// What arrived of it must not count, nor be continued by a later frame.
		_, wiped := s.f.WriteAt(make([]byte, headSize), s.end)
		if wiped == nil {
			wiped = s.f.SyncData()
		}
		if wiped != nil || !disk.IsNoSpace(err) {
			j.fail(err)
		}
		s.end = max(j.o.Segment, s.size)
		return err
	}
	if err := s.f.SyncData(); err != nil {
		j.fail(err)
		return err
	}
	s.end += int64(len(b))
	s.size = max(s.size, s.end)
	s.last, j.last = number, number
	return nil
}

// Placed says that a record was carried out.
func (j *Journal) Placed(number uint64) {
	j.mu.Lock()
	before := j.low
	j.done[number-j.low-1] = true
	j.advanceLow()
	low, f := j.low, j.placed
	j.mu.Unlock()
	if low != before {
		j.tellPlaced(f, low)
	}
}

// advanceLow needs mu.
func (j *Journal) advanceLow() {
	n := 0
	for n < len(j.done) && j.done[n] {
		n++
	}
	if n > 0 {
		j.done = j.done[:copy(j.done, j.done[n:])]
		j.low += uint64(n)
		j.carried.Broadcast()
	}
}

// Abort says that of a record only the first kept changes were carried out,
// and returns when a power cut does not bring back the rest.
func (j *Journal) Abort(number uint64, kept int) error {
	j.Placed(number) // as far as it ever will be
	_, err := j.commit(entry{kind: abort, payload: abortPayload(number, kept)})
	return err
}

// Stamp records that the time is now, unless the newest frame is younger than
// late or nothing is recorded: what is done later than the newest frame would be
// taken for another program's.
//
// It goes past the group that gathers: that may wait for room, and room for the
// record whose effect waits for the stamp. Where not even the reserve has room
// there is none: a stamp is a caution.
func (j *Journal) Stamp(late time.Duration) error {
	j.io.Lock()
	defer j.io.Unlock()
	now := j.o.Disk.Now()
	j.mu.Lock()
	needless := !j.unmarked || now.Sub(j.touched) < late
	j.mu.Unlock()
	if needless {
		return nil
	}
	if err := j.usable(); err != nil {
		return err
	}
	if j.current == nil {
		if next, err := j.rotate(headSize, nil); err != nil || !next {
			return err
		}
	}
	s := j.current
	if !j.fits(s, headSize, true) || j.grow(s, headSize, true) != nil {
		return nil
	}
	return j.writeMark(now, j.base)
}

// writeMark needs io and room.
func (j *Journal) writeMark(now time.Time, base uint64) error {
	if err := j.append([]entry{{kind: mark}}, now, base); err != nil {
		return err
	}
	j.mu.Lock()
	j.done = append(j.done, true)
	j.advanceLow()
	j.touched = now
	low, f := j.low, j.placed
	j.mu.Unlock()
	j.tellPlaced(f, low)
	return nil
}

// Remember remembers a hash until a checkpoint was made of all that is
// recorded now.
func (j *Journal) Remember(hash uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.memos) > 0 {
		j.memos[len(j.memos)-1].add(hash)
	}
}

// Remembers says whether any of the hashes is remembered. Now and then it says
// so of one that is not.
func (j *Journal) Remembers(hashes ...uint64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, m := range j.memos {
		for _, hash := range hashes {
			if m.has(hash) {
				return true
			}
		}
	}
	return false
}

// fail is for errors after which nothing can be promised any more.
func (j *Journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil {
		j.failed = fmt.Errorf("journal %s: %w", j.o.Folder, err)
	}
	j.carried.Broadcast()
}

// Refuse has the journal take no more records, and keep those it has.
func (j *Journal) Refuse(err error) { j.fail(err) }

// usable gives the error of a journal that takes no more records.
func (j *Journal) usable() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed == nil && j.closed {
		return fs.ErrClosed
	}
	return j.failed
}

// Closed says whether [Journal.Close] was called.
func (j *Journal) Closed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.closed
}
