package store

import (
	"sync"
	"time"

	"berth/registry"
)

// leases remember what a client was promised: a blob that was seen, pushed or
// mounted stays for the grace time, so that the manifest that needs it can
// arrive. They are in memory only; after a restart the age of a blob, and the
// rule that nothing is swept before the store is open for as long as the grace,
// stand in for them.
type leases struct {
	grace time.Duration

	mu    sync.Mutex // guards what follows
	until map[registry.Digest]time.Time
	prune int // size of until at which the expired are dropped
}

const pruneLeasesAt = 1024

func newLeases(grace time.Duration) *leases {
	return &leases{grace: grace, until: map[registry.Digest]time.Time{}, prune: pruneLeasesAt}
}

// take begins or prolongs a lease.
func (l *leases) take(d registry.Digest) {
	if l.grace <= 0 {
		return
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.until[d] = now.Add(l.grace)
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

// held reports whether a lease still runs.
func (l *leases) held(d registry.Digest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until[d].After(time.Now())
}
