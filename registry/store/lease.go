package store

import (
	"sync"
	"sync/atomic"
	"time"

	"berth/registry"
)

// leases remember what a client was promised: a blob that was seen, pushed or
// mounted stays for the grace time, so that the manifest that needs it can
// arrive. They are in memory only; after a restart the age of a blob, and the
// rule that nothing is swept before the store is open for as long as the grace,
// stand in for them.
type leases struct {
	grace atomic.Int64 // a time.Duration

	mu    sync.Mutex // guards what follows
	until map[registry.Digest]time.Time
	prune int // size of until at which the expired are dropped
}

const pruneLeasesAt = 1024

func newLeases(grace time.Duration) *leases {
	l := &leases{until: map[registry.Digest]time.Time{}, prune: pruneLeasesAt}
	l.grace.Store(int64(grace))
	return l
}

// take begins or prolongs a lease.
func (l *leases) take(d registry.Digest) {
	grace := time.Duration(l.grace.Load())
	if grace <= 0 {
		return
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until[d] = now.Add(grace)
	if len(l.until) < l.prune {
		return
	}
	for d, until := range l.until {
		if !until.After(now) {
			delete(l.until, d)
		}
	}
	l.prune = max(2*len(l.until), pruneLeasesAt)
}

// SetGrace changes Options.Grace from now on: what was promised before stays as
// long as it was promised.
func (s *Store) SetGrace(grace time.Duration) {
	if grace == 0 {
		grace = DefaultGrace
	}
	s.leases.grace.Store(int64(grace))
}

// settling reports whether what was promised before the start may still hold.
func (s *Store) settling() bool { return time.Since(s.opened) < time.Duration(s.leases.grace.Load()) }

// held reports whether a lease still runs.
func (l *leases) held(d registry.Digest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until[d].After(time.Now())
}
