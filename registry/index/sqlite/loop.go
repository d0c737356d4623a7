package sqlite

import (
	"errors"
	"fmt"
	"time"
)

// write is the writer goroutine: it takes what has gathered, until Close.
func (x *Index) write(w *writer) {
	defer close(x.done)
	defer func() { w.close() }()
	rest := time.NewTimer(idle)
	defer rest.Stop()
	for {
		if x.damaged.Load() && !x.awaitsEnd() {
			w = x.heal(w)
		}
		b, ok := x.take()
		if !ok {
			if x.awaitsEnd() {
				x.leave(w)
				return
			}
			rest.Reset(idle)
			select {
			case <-x.wake:
			case <-rest.C:
				x.relax(w)
				<-x.wake
			}
			if !x.awaited() {
				x.gather()
			}
			continue
		}
		w = x.commit(w, b)
		x.wrote(b)
		if len(b.changes) < batchLimit && !x.awaited() {
			x.gather()
		}
	}
}

func (x *Index) awaitsEnd() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.closing
}

// gather waits a little for more changes.
func (x *Index) gather() {
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-x.hurry:
			if x.awaited() {
				return
			}
		}
	}
}

// commit writes a batch, and gives the writer to go on with, which is another
// when the file had to be made anew. While the disk refuses, the changes stay
// in the queue's view, and are tried again. Where one change alone cannot be
// written, that one is lost.
func (x *Index) commit(w *writer, b batch) *writer {
	for {
		if x.gone() || x.damaged.Load() {
			w = x.heal(w)
		}
		if len(b.changes) == 1 && b.changes[0].do != nil {
			err := x.watch(b.changes[0].do(w))
			x.graphs.spoil() // rows may be gone
			b.changes[0].done <- err
			return w
		}
		// Without room it waits; at the end of the index it is tried all the same.
		if len(b.changes) > 0 && x.hasRoom != nil && !x.hasRoom() && x.pause(errNoRoom) {
			continue
		}
		err := x.watch(w.transact(b))
		if err == nil {
			x.graphs.tell(w.written)
			return w
		}
		switch {
		case x.damaged.Load():
		case refused(err) && x.pause(err):
		case refused(err), len(b.changes) <= 1:
			x.lose(b, err)
			return w
		default:
			for _, q := range b.changes {
				w = x.commit(w, batch{changes: []queued{q}})
			}
			b = batch{pulls: b.pulls}
		}
	}
}

// lose remembers that changes are missing in the database.
func (x *Index) lose(b batch, err error) {
	if len(b.changes) == 0 {
		return // some pulls were not counted
	}
	x.log.Error("index changes lost", "first", fmt.Sprintf("%T", b.changes[0].change), "count", len(b.changes), "error", err)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.forsake()
}

var errNoRoom = errors.New("what room is left is for others")

// Refused reports whether the disk refuses what is written now: lists miss what
// waits for it.
func (x *Index) Refused() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.stuck
}

// pause waits before the next try; false means that the index is being closed.
func (x *Index) pause(err error) bool {
	x.mu.Lock()
	first := !x.stuck
	x.stuck = true
	x.release()
	x.mu.Unlock()
	if first {
		x.log.Warn("index cannot be written", "path", x.path, "error", err)
		if x.told != nil {
			x.told()
		}
	}
	timer := time.NewTimer(retry)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.closed:
		return false
	}
}
