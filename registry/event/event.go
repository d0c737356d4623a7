package event

import (
	"context"
	"iter"
	"sync"
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
	Lagged Kind = "lagged" // the reader was slow; events are missing here
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
	mu   sync.Mutex // guards subs
	subs map[*subscription]struct{}
}

type subscription struct {
	mu     sync.Mutex // guards what follows
	queue  []Event
	limit  int
	lagged bool
	wake   chan struct{} // capacity 1
}

// NewBus makes a bus without subscribers.
func NewBus() *Bus { return &Bus{subs: map[*subscription]struct{}{}} }

// Publish hands e to every subscriber and returns at once.
func (b *Bus) Publish(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.subs {
		s.push(e)
	}
}

// Subscribe yields events from now on until ctx ends or the loop breaks. At
// most buffer events wait for a slow reader. The subscription exists when
// Subscribe returns, so nothing published after it is missed.
func (b *Bus) Subscribe(ctx context.Context, buffer int) iter.Seq[Event] {
	s := &subscription{limit: max(buffer, 1), wake: make(chan struct{}, 1)}
	b.mu.Lock()
	b.subs[s] = struct{}{}
	b.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { b.remove(s) })
	return func(yield func(Event) bool) {
		defer stop()
		defer b.remove(s)
		for {
			for _, e := range s.take() {
				if ctx.Err() != nil || !yield(e) {
					return
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
			}
		}
	}
}

func (b *Bus) remove(s *subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subs, s)
}

func (s *subscription) push(e Event) {
	s.mu.Lock()
	if len(s.queue) < s.limit {
		s.queue = append(s.queue, e)
	} else {
		s.lagged = true
	}
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *subscription) take() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.queue
	s.queue = nil
	if s.lagged {
		s.lagged = false
		out = append(out, Event{Kind: Lagged, Time: time.Now()})
	}
	return out
}
