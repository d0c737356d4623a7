package transfer

import (
	"sync"
	"time"

	"berth/registry"
)

// interval is how often bytes alone are reported.
const interval = 100 * time.Millisecond

// State says how far a blob is.
type State string

// The states of a blob.
const (
	Waiting State = "waiting"
	Active  State = "active"
	Done    State = "done"
	Exists  State = "exists"  // was there already
	Mounted State = "mounted" // was in another repository
)

// Progress is a copy as it stands.
type Progress struct {
	Blobs []Blob
	// Done and Total in bytes, without blobs that need not be copied. Total
	// shrinks as more turn out to be there.
	Done, Total int64
}

// Blob is one blob of a copy.
type Blob struct {
	Descriptor registry.Descriptor
	State      State
	// Done in bytes.
	Done int64
}

// blob is a blob of the plan.
type blob struct {
	registry.Descriptor
	elsewhere bool
}

// tracker keeps the state of all blobs and reports it.
type tracker struct {
	list []blob
	tell func(Progress)

	// mu guards the rest, and keeps reports from overlapping.
	mu    sync.Mutex
	blobs []Blob
	last  time.Time
}

func newTracker(list []blob, tell func(Progress)) *tracker {
	t := &tracker{list: list, tell: tell, blobs: make([]Blob, len(list))}
	for i, b := range list {
		t.blobs[i] = Blob{Descriptor: b.Descriptor, State: Waiting}
	}
	return t
}

func (t *tracker) set(i int, s State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.blobs[i].State = s
	t.emit(true)
}

func (t *tracker) add(i int, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	changed := t.blobs[i].State != Active
	t.blobs[i].State = Active
	t.blobs[i].Done += n
	t.emit(changed)
}

// rewind follows an upload that has less than was sent.
func (t *tracker) rewind(i int, size int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.blobs[i].Done = size
}

func (t *tracker) report() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.emit(true)
}

func (t *tracker) emit(now bool) {
	if t.tell == nil || !now && time.Since(t.last) < interval {
		return
	}
	t.last = time.Now()
	p := Progress{Blobs: append([]Blob(nil), t.blobs...)}
	for _, b := range t.blobs {
		if b.State != Exists && b.State != Mounted {
			p.Done += b.Done
			p.Total += b.Descriptor.Size
		}
	}
	t.tell(p)
}
