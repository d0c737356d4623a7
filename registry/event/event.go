package event

import (
	"context"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"berth/registry"
)

// Kind says what happened.
type Kind string

// The kinds of event.
const (
	Push   Kind = "push"   // a manifest or a blob was stored
	Pull   Kind = "pull"   // a manifest or a blob was read by a client
	Mount  Kind = "mount"  // a blob was mounted from another repository
	Delete Kind = "delete" // a tag, manifest or blob was deleted
	Lagged Kind = "lagged" // the reader was slow; events are missing here, with Manifest also pulls of manifests
)

// Event is one thing that happened.
type Event struct {
	Kind Kind
	Time time.Time
	// Repository and, where a tag was part of it, Tag.
	Repository string
	Tag        string
	// From is the source repository of a mount.
	From string
	// Target is what was pushed, pulled, mounted or deleted; for the delete of
	// a tag its digest may be empty.
	Target registry.Descriptor
	// Manifest tells a manifest from a blob.
	Manifest bool
	Caller   registry.Caller
}

// Bus spreads events. The zero value is not usable; see [NewBus].
type Bus struct {
	mu   sync.Mutex                      // guards the replacement of subs
	subs atomic.Pointer[[]*subscription] // never modified, only replaced
}

type subscription struct {
	limit int
	wake  chan struct{} // capacity 1: there are events
	hurry chan struct{} // capacity 1: there are so many that the reader must not rest

	mu     sync.Mutex // guards what follows
	queue  []Event
	spare  []Event // what the reader is done with
	lagged bool
	missed bool // a pull of a manifest as well
}

// A reader that is woken again and again rests: more than burst times within
// pace, it lets events gather for the rest of it. Nobody sees the delay, and
// many events cost one switch to the reader instead of many.
const (
	pace  = 10 * time.Millisecond
	burst = 8
	// maxSpare is how large a buffer may be that waits for more events.
	maxSpare = 1024
)

// NewBus makes a bus without subscribers.
func NewBus() *Bus {
	b := &Bus{}
	b.subs.Store(new([]*subscription))
	return b
}

// Publish hands e to every subscriber and returns at once.
func (b *Bus) Publish(e Event) {
	for _, s := range *b.subs.Load() {
		s.push(&e)
	}
}

// Subscribe yields events from now on until ctx ends or the loop breaks. At
// most buffer events wait for a slow reader. The subscription exists when
// Subscribe returns, so nothing published after it is missed.
func (b *Bus) Subscribe(ctx context.Context, buffer int) iter.Seq[Event] {
	s := &subscription{limit: max(buffer, 1), wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1)}
	b.replace(func(subs []*subscription) []*subscription { return append(subs, s) })
	stop := context.AfterFunc(ctx, func() { b.remove(s) })
	return func(yield func(Event) bool) {
		defer stop()
		defer b.remove(s)
		began, woken := time.Now(), 0
		for {
			events := s.take()
			for i := range events {
				if ctx.Err() != nil || !yield(events[i]) {
					return
				}
			}
			s.done(events)
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
			}
			since := time.Since(began)
			if since >= pace {
				began, woken = time.Now(), 0
			} else if woken++; woken > burst && !s.rest(ctx, pace-since) {
				return
			}
		}
	}
}

// rest waits while events gather; false when ctx has ended.
func (s *subscription) rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-s.hurry:
	}
	return true
}

func (b *Bus) remove(s *subscription) {
	b.replace(func(subs []*subscription) []*subscription {
		return slices.DeleteFunc(subs, func(other *subscription) bool { return other == s })
	})
}

// replace changes a copy of the subscriptions.
func (b *Bus) replace(change func([]*subscription) []*subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	subs := change(slices.Clone(*b.subs.Load()))
	b.subs.Store(&subs)
}

func (s *subscription) push(e *Event) {
	s.mu.Lock()
	n := len(s.queue)
	if n < s.limit {
		s.queue = append(s.queue, *e)
	} else {
		s.lagged, s.missed = true, s.missed || e.Kind == Pull && e.Manifest
	}
	s.mu.Unlock()
	if n == 0 {
		signal(s.wake)
	}
	if n >= s.limit/2 {
		signal(s.hurry)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// take gives what waits. [subscription.done] takes the buffer back.
func (s *subscription) take() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.queue
	s.queue, s.spare = s.spare, nil
	if s.lagged {
		out = append(out, Event{Kind: Lagged, Time: time.Now(), Manifest: s.missed})
		s.lagged, s.missed = false, false
	}
	select { // what it said was about what is taken
	case <-s.hurry:
	default:
	}
	return out
}

func (s *subscription) done(events []Event) {
	if cap(events) == 0 || cap(events) > maxSpare {
		return
	}
	clear(events)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue == nil {
		s.queue = events[:0]
	} else {
		s.spare = events[:0]
	}
}
