//go:build !headless

package ui

import (
	"sync"
	"time"

	"fyne.io/fyne/v2"
)

// drawPace is the shortest time between two drawings of one view.
const drawPace = 100 * time.Millisecond

// dispatcher hands work to the goroutine of the window. It is safe for
// concurrent use; nothing is run after close. Fyne runs what it is given at once,
// on whatever goroutine, when its loop has ended, and its queue takes nothing
// then: so close comes before the end of the loop, and no lock is held while
// Fyne has the word.
type dispatcher struct {
	do    func(func()) // queues, and returns at once
	after func(time.Duration, func())

	mu      sync.Mutex // guards what follows
	closed  bool
	handing int           // calls of do that are under way
	handed  chan struct{} // not nil while close waits for them
}

// newDispatcher hands work to Fyne.
func newDispatcher() *dispatcher {
	return &dispatcher{
		do:    fyne.Do,
		after: func(d time.Duration, f func()) { time.AfterFunc(d, f) },
	}
}

// Do runs f on the goroutine of the window, after what is queued already.
func (d *dispatcher) Do(f func()) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return
	}
	d.handing++
	d.mu.Unlock()
	done := sync.OnceFunc(d.done)
	defer done()
	d.do(func() {
		done()
		if !d.isClosed() {
			f()
		}
	})
}

func (d *dispatcher) done() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.handing--; d.handing == 0 && d.handed != nil {
		close(d.handed)
		d.handed = nil
	}
}

// close drops what is queued, and returns when nobody hands on work any more.
func (d *dispatcher) close() {
	d.mu.Lock()
	d.closed = true
	if d.handing > 0 && d.handed == nil {
		d.handed = make(chan struct{})
	}
	handed := d.handed
	d.mu.Unlock()
	if handed != nil {
		<-handed
	}
}

func (d *dispatcher) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

// bind has draw run on the goroutine of the window after every change of a
// model: at once when nothing was drawn for a while, else when the pace allows,
// so that a burst of changes is one drawing and the last one is always shown.
func (d *dispatcher) bind(subscribe func(func()) func(), draw func()) (cancel func()) {
	b := &binding{d: d, draw: draw}
	return subscribe(b.changed)
}

// binding paces one view.
type binding struct {
	d    *dispatcher
	draw func()

	mu      sync.Mutex // guards what follows
	waiting bool       // a drawing is queued
	resting bool       // the pace is running
	again   bool       // a change came while resting
}

func (b *binding) changed() {
	b.mu.Lock()
	if b.waiting || b.resting {
		b.again = b.again || b.resting
		b.mu.Unlock()
		return
	}
	b.waiting = true
	b.mu.Unlock()
	b.d.Do(b.run)
}

// run draws, on the goroutine of the window.
func (b *binding) run() {
	b.mu.Lock()
	b.waiting, b.resting, b.again = false, true, false
	b.mu.Unlock()
	b.draw()
	b.d.after(drawPace, b.rested)
}

func (b *binding) rested() {
	b.mu.Lock()
	b.resting = false
	again := b.again
	b.mu.Unlock()
	if again {
		b.changed()
	}
}
