package store

import (
	"slices"
	"sync"
)

// locks is a set of read-write locks by name. A lock exists while somebody
// holds or awaits it.
type locks struct {
	mu    sync.Mutex // guards named and the counts
	named map[string]*namedLock
}

type namedLock struct {
	sync.RWMutex
	users int // guarded by locks.mu
}

func (l *locks) enter(name string) *namedLock {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.named == nil {
		l.named = map[string]*namedLock{}
	}
	n := l.named[name]
	if n == nil {
		n = &namedLock{}
		l.named[name] = n
	}
	n.users++
	return n
}

func (l *locks) leave(name string, n *namedLock) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n.users--; n.users == 0 {
		delete(l.named, name)
	}
}

// alone takes a lock for itself; the result gives it back.
func (l *locks) alone(name string) (unlock func()) {
	n := l.enter(name)
	n.Lock()
	return func() { n.Unlock(); l.leave(name, n) }
}

// try takes a lock for itself if nobody has it.
func (l *locks) try(name string) (unlock func(), ok bool) {
	n := l.enter(name)
	if !n.TryLock() {
		l.leave(name, n)
		return nil, false
	}
	return func() { n.Unlock(); l.leave(name, n) }, true
}

// shared takes a lock with others; the result gives it back.
func (l *locks) shared(name string) (unlock func()) {
	n := l.enter(name)
	n.RLock()
	return func() { n.RUnlock(); l.leave(name, n) }
}

// all takes several locks, each for itself. The names must be sorted and
// distinct, so that two callers cannot wait for each other.
func (l *locks) all(names []string) (unlock func()) {
	unlocks := make([]func(), 0, len(names))
	for _, name := range names {
		unlocks = append(unlocks, l.alone(name))
	}
	return func() {
		for _, unlock := range slices.Backward(unlocks) {
			unlock()
		}
	}
}
