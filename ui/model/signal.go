package model

import (
	"slices"
	"sync"
)

// Signal tells listeners to look again. The zero value is ready. It is safe
// for concurrent use.
type Signal struct {
	mu   sync.Mutex // guards subs
	subs []*func()
}

// Subscribe calls f after every change, from the goroutine that made it. The
// function that comes back ends the subscription.
func (s *Signal) Subscribe(f func()) (cancel func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &f
	s.subs = append(s.subs, p)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.subs = slices.DeleteFunc(s.subs, func(q *func()) bool { return q == p })
	}
}

func (s *Signal) emit() {
	s.mu.Lock()
	subs := slices.Clone(s.subs)
	s.mu.Unlock()
	for _, f := range subs {
		(*f)()
	}
}
