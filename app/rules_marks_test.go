package app

import (
	"context"
	"errors"
	"testing"

	"berth/registry/event"
)

func TestAMarkTellsItsOwnAndMissedEventsTellAll(t *testing.T) {
	t.Parallel()
	c := &Core{bus: event.NewBus(), life: t.Context()} // of which nobody reads events
	waiting := func() int {
		c.marks.mu.Lock()
		defer c.marks.mu.Unlock()
		return len(c.marks.waiting)
	}
	next := c.bus.Subscribe(t.Context(), 8)
	told := make(chan error)
	for range 3 {
		go func() { told <- c.pullsCounted(t.Context()) }()
	}
	n := 0
	for e := range next {
		if n++; n == 1 {
			c.happened(e, pulls{})
			if err := <-told; err != nil || waiting() > 2 {
				t.Errorf("one: %v, %d wait", err, waiting())
			}
		}
		if n == 3 {
			break
		}
	}
	if waiting() != 2 {
		t.Errorf("%d wait", waiting())
	}
	c.marks.meet("")
	for range 2 {
		if err := <-told; err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.marks.put = 0
	if err := c.pullsCounted(ctx); !errors.Is(err, context.Canceled) || waiting() != 0 {
		t.Errorf("who leaves: %v, %d wait", err, waiting())
	}
}
