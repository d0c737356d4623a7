//go:build !headless

package ui

import (
	"testing"
	"testing/synctest"
	"time"

	"berth/ui/model"
)

// manual is a dispatcher whose queue and clock a test turns by hand.
type manual struct {
	queue []func()
	later []func()
}

func (m *manual) dispatcher() *dispatcher {
	return &dispatcher{
		do:    func(f func()) { m.queue = append(m.queue, f) },
		after: func(_ time.Duration, f func()) { m.later = append(m.later, f) },
	}
}

// turn runs what is queued, and says how much that was.
func (m *manual) turn() int {
	q := m.queue
	m.queue = nil
	for _, f := range q {
		f()
	}
	return len(q)
}

// pass lets the pace run out.
func (m *manual) pass() {
	l := m.later
	m.later = nil
	for _, f := range l {
		f()
	}
}

func TestABurstOfChangesIsDrawnAtOnceAndOnceMoreAtItsEnd(t *testing.T) {
	t.Parallel()
	var m manual
	var change func()
	drawn := 0
	m.dispatcher().bind(func(f func()) func() { change = f; return func() {} }, func() { drawn++ })
	for range 100 {
		change()
	}
	m.turn()
	if drawn != 1 {
		t.Fatalf("a burst was drawn %d times, want once at once", drawn)
	}
	for range 100 {
		change()
		m.turn()
	}
	if drawn != 1 {
		t.Errorf("within the pace it was drawn %d times", drawn)
	}
	m.pass()
	m.turn()
	if drawn != 2 {
		t.Errorf("the end of the burst was drawn %d times, want once", drawn-1)
	}
	m.pass()
	m.turn()
	if drawn != 2 || len(m.queue)+len(m.later) != 0 {
		t.Errorf("at rest it goes on: %d drawings, %d queued, %d waiting", drawn, len(m.queue), len(m.later))
	}
}

func TestNothingIsDrawnAfterTheEnd(t *testing.T) {
	t.Parallel()
	var m manual
	d := m.dispatcher()
	ran := false
	d.Do(func() { ran = true })
	d.close()
	m.turn()
	d.Do(func() { ran = true })
	m.turn()
	if ran {
		t.Error("something ran after close")
	}
}

func TestAnEndedBindingHearsNothing(t *testing.T) {
	t.Parallel()
	var m manual
	var s model.Signal
	cancel := m.dispatcher().bind(s.Subscribe, func() {})
	cancel()
	if m.turn() != 0 {
		t.Error("something is queued")
	}
}

// When its loop has ended, Fyne runs what it is given at once, where it is given.
func TestWorkThatIsRunAtOnceCanHandOnMoreAndEndAll(t *testing.T) {
	t.Parallel()
	d := &dispatcher{do: func(f func()) { f() }}
	ran := 0
	d.Do(func() {
		ran++
		d.Do(func() { ran++ })
		d.close()
		d.Do(func() { ran++ })
	})
	d.close()
	if ran != 2 {
		t.Errorf("%d were run, want the two before the end", ran)
	}
}

func TestTheEndWaitsForWhoHandsOnWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun, let := make(chan struct{}), make(chan struct{})
		d := &dispatcher{do: func(func()) { close(begun); <-let }}
		go d.Do(func() { t.Error("run after the end") })
		<-begun
		closed := false
		go func() { d.close(); closed = true }()
		synctest.Wait()
		if closed {
			t.Error("the end did not wait")
		}
		close(let)
		synctest.Wait()
		if !closed {
			t.Error("the end waits for ever")
		}
	})
}
