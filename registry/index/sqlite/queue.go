package sqlite

import (
	"context"
	"errors"
	"slices"
	"time"

	"berth/registry"
	"berth/registry/index"
)

const (
	// linger is for how long changes gather before they are written, unless
	// somebody waits for them: many in one transaction cost a tenth of many
	// transactions.
	linger = 100 * time.Millisecond
	// batchLimit is how many changes one transaction takes, so that a reader
	// who waits for one of them does not wait for all.
	batchLimit = 2048
	// queueLimit bounds what waits, in bytes as weigh guesses them.
	queueLimit = 32 << 20
	// patience is for how long Apply waits for the next batch when the queue is
	// full: the disk stalls, and who pushes must not stall with it.
	patience = time.Second
	// pullsLimit is how many different pulls are counted before they are written.
	pullsLimit = 4096
	// idle is how long nothing must happen for the writer to let go of memory
	// and to empty the write-ahead log.
	idle = 2 * time.Second
	// retry is the pause after the disk refused a batch.
	retry = 250 * time.Millisecond
)

// errBehind is given to who applies when the queue is full and stays so.
var errBehind = errors.New("the index cannot keep up")

// queued is a change that waits, or something else that the writer does in turn.
type queued struct {
	number uint64
	weight int
	change index.Change
	do     func(w *writer) error
	done   chan error // of do; capacity 1
}

// pull is a key of what is counted, not queued.
type pull struct {
	repo, tag string
	digest    registry.Digest
}

type pullCount struct {
	n    int64
	last time.Time
}

// waiter wants everything up to a number written.
type waiter struct {
	number uint64
	done   chan struct{}
}

// weigh guesses what a change takes in memory.
func weigh(c index.Change) int {
	const base, descriptor = 256, 192
	m, ok := c.(index.PutManifest)
	if !ok {
		return base
	}
	n := base + descriptor*(1+len(m.Manifest.Blobs)+len(m.Manifest.Children))
	for k, v := range m.Manifest.Descriptor.Annotations {
		n += len(k) + len(v)
	}
	return n
}

// Apply queues changes; a read that starts later sees them. The first waits
// until the file says durably that it is being written: what a crash then takes
// of the queue is known to be lost.
func (x *Index) Apply(ctx context.Context, changes ...index.Change) error {
	if !x.marked.Load() && slices.ContainsFunc(changes, matters) {
		x.mark(ctx)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.weight > queueLimit && !x.closing {
		if err := x.room(ctx); err != nil {
			return err
		}
	}
	if x.closing {
		return ErrClosed
	}
	x.versions.note(changes)
	for _, c := range changes {
		x.next++
		if p, ok := c.(index.Pulled); ok {
			x.count(p)
			continue
		}
		weight := weigh(c)
		x.weight += weight
		x.queue = append(x.queue, queued{number: x.next, weight: weight, change: c})
		x.pending.add(c, x.next)
	}
	signal(x.wake)
	if len(x.queue) >= batchLimit || len(x.pulls) >= pullsLimit {
		signal(x.hurry)
	}
	return nil
}

// matters says whether a list is wrong without a change.
func matters(c index.Change) bool {
	_, pulled := c.(index.Pulled)
	return !pulled
}

// mark has the file say that it is being written. A disk that refuses, or
// stalls, holds nobody up: the next batch marks it as well.
func (x *Index) mark(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := x.inTurn(ctx, (*writer).mark); err != nil {
		x.log.Debug("index could not be marked", "path", x.path, "error", err)
	}
	x.marked.Store(true)
}

func (x *Index) count(p index.Pulled) {
	key := pull{p.Repository, p.Tag, p.Digest}
	was := x.pulls[key]
	was.n++
	if p.At.After(was.last) {
		was.last = p.At
	}
	if x.pulls == nil {
		x.pulls = map[pull]pullCount{}
	}
	x.pulls[key] = was
}

// room waits until the queue is shorter, though not for long: then what was
// not taken makes the index incomplete. The caller holds mu.
func (x *Index) room(ctx context.Context) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for x.weight > queueLimit && !x.closing {
		if x.stuck {
			x.forsake()
			return errBehind
		}
		timer.Reset(patience)
		done := make(chan struct{})
		x.waiters = append(x.waiters, waiter{x.written + 1, done})
		signal(x.hurry)
		x.mu.Unlock()
		var err error
		select {
		case <-done:
		case <-timer.C:
			err = errBehind
		case <-ctx.Done():
			err = ctx.Err()
		}
		x.mu.Lock()
		if err != nil {
			x.forsake()
			return err
		}
	}
	return nil
}

// forsake remembers that the index misses something. The caller holds mu.
func (x *Index) forsake() {
	x.lost.Store(true)
	x.failed, x.again = true, true
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// settle waits until everything that was applied before is written; not while
// the disk refuses, when what was written before is the best there is.
func (x *Index) settle(ctx context.Context) error {
	x.mu.Lock()
	target := x.next
	if x.written >= target {
		x.mu.Unlock()
		return ctx.Err()
	}
	if x.stuck {
		x.mu.Unlock()
		return ctx.Err()
	}
	done := make(chan struct{})
	x.waiters = append(x.waiters, waiter{target, done})
	signal(x.hurry)
	x.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// inTurn has the writer do something after everything that was applied before.
func (x *Index) inTurn(ctx context.Context, do func(w *writer) error) error {
	done := make(chan error, 1)
	x.mu.Lock()
	if x.closing {
		x.mu.Unlock()
		return ErrClosed
	}
	x.next++
	x.queue = append(x.queue, queued{number: x.next, do: do, done: done})
	signal(x.wake)
	signal(x.hurry)
	x.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// batch is what one transaction writes.
type batch struct {
	changes []queued
	pulls   map[pull]pullCount
	upTo    uint64 // everything up to this number is in the database then
}

// take gives the next batch; ok is false when there is nothing to do. What is
// to be done in turn stands alone in its batch.
func (x *Index) take() (b batch, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for n < len(x.queue) && n < batchLimit && x.queue[n].do == nil {
		n++
	}
	if n == 0 && len(x.queue) > 0 {
		n = 1
	}
	b.changes = x.queue[:n:n]
	if x.queue = x.queue[n:]; len(x.queue) > 0 {
		b.upTo = b.changes[n-1].number
		return b, true
	}
	x.queue = nil
	b.pulls, x.pulls, b.upTo = x.pulls, nil, x.next
	return b, n > 0 || len(b.pulls) > 0
}

// wrote tells everybody that a batch is in the database, or was given up.
func (x *Index) wrote(b batch) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.written = b.upTo
	for _, q := range b.changes {
		x.weight -= q.weight
	}
	if x.written == x.next {
		x.pending = pending{}
	} else {
		for _, q := range b.changes {
			x.pending.forget(q.change, x.written)
		}
	}
	x.stuck = false
	x.release()
}

// release lets go who waited for what is written, or everybody while the disk
// refuses. The caller holds mu.
func (x *Index) release() {
	keep := x.waiters[:0]
	for _, w := range x.waiters {
		if w.number <= x.written || x.stuck {
			close(w.done)
		} else {
			keep = append(keep, w)
		}
	}
	clear(x.waiters[len(keep):])
	x.waiters = keep
}

// awaited reports whether the writer should not let changes gather any longer.
func (x *Index) awaited() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.closing || len(x.waiters) > 0 || len(x.queue) >= batchLimit || len(x.pulls) >= pullsLimit ||
		len(x.queue) > 0 && x.queue[0].do != nil
}
