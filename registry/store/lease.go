package store

import (
	"sync"
	"sync/atomic"
	"time"

	"berth/registry"
)

// InFlight, as Options.Grace, is for who wants garbage gone at once, and no push
// to fail for it: what a client was promised stays until a manifest of the same
// repository needs it, for as long as an upload to that repository is open (an
// hour at most), and for a quarter of a minute in any case. Nothing waits after
// the start.
const InFlight time.Duration = -2

// passingTime is how long a promise in flight stays by itself: between the last
// upload of a push and its manifest.
const passingTime = 15 * time.Second

// longPush is how many graces a promise holds at most while uploads to its
// repository go on: the first layer of a push waits for the last.
const longPush = 4

// leases remember what a client was promised: a blob that was seen, pushed or
// mounted stays for the grace time, so that the manifest that needs it can
// arrive, and for longer while the push goes on, see longPush. They are in memory;
// a store that is closed in order writes them down for the next one. After a crash
// the age of a blob, and the rule that nothing is swept before the store is open
// for as long as the grace, stand in for them.
type leases struct {
	grace atomic.Int64 // a time.Duration
	// pushing reports whether an upload to a repository, "" for any, is open,
	// or was within a time.
	pushing func(repo string, within time.Duration) bool

	mu      sync.Mutex // guards what follows
	until   map[registry.Digest]lease
	passing map[registry.Digest]passing // promised while grace was InFlight
	prune   int                         // how many there may be before the expired are dropped
}

// lease is a promise with a grace.
type lease struct {
	until time.Time
	repo  string // "" for several
}

// passing is a promise in flight.
type passing struct {
	at   time.Time
	repo string // "" for several
}

const pruneLeasesAt = 1024

func newLeases(grace time.Duration, pushing func(repo string, within time.Duration) bool) *leases {
	l := &leases{pushing: pushing, until: map[registry.Digest]lease{}, passing: map[registry.Digest]passing{}, prune: pruneLeasesAt}
	l.grace.Store(int64(grace))
	return l
}

// take begins or prolongs a lease for who works in a repository.
func (l *leases) take(repo string, d registry.Digest) {
	if grace := time.Duration(l.grace.Load()); grace <= 0 && grace != InFlight {
		return
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	grace := time.Duration(l.grace.Load()) // which changes under the lock
	if grace == InFlight {
		if was, ok := l.passing[d]; ok && was.repo != repo {
			repo = ""
		}
		l.passing[d] = passing{now, repo}
	} else {
		if was, ok := l.until[d]; ok && was.repo != repo && l.runs(was, now) {
			repo = ""
		}
		l.until[d] = lease{now.Add(grace), repo}
	}
	if len(l.until)+len(l.passing) < l.prune {
		return
	}
	for d, was := range l.until {
		if !l.runs(was, now) {
			delete(l.until, d)
		}
	}
	for d, p := range l.passing {
		if now.Sub(p.at) >= DefaultGrace {
			delete(l.passing, d)
		}
	}
	l.prune = max(2*(len(l.until)+len(l.passing)), pruneLeasesAt)
}

// runs reports whether a lease still does. The caller holds mu.
func (l *leases) runs(is lease, now time.Time) bool {
	if is.until.After(now) {
		return true
	}
	more, within := (longPush-1)*time.Duration(l.grace.Load()), time.Minute
	if more <= 0 { // there is none any more
		more, within = DefaultGrace, passingTime
	}
	return !is.until.IsZero() && is.until.Add(more).After(now) && l.pushing(is.repo, min(within, more))
}

// keep ends promises in flight that a manifest of the repository has kept, or
// that its deletion made void. Other leases stay: somebody else may rely on them.
func (l *leases) keep(repo string, digests ...registry.Digest) {
	if time.Duration(l.grace.Load()) != InFlight {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range digests {
		if l.passing[d].repo == repo {
			delete(l.passing, d)
		}
	}
}

// held reports whether a lease still runs.
func (l *leases) held(d registry.Digest) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.runs(l.until[d], time.Now()) {
		return true
	}
	p, ok := l.passing[d]
	return ok && l.passes(p)
}

// passes reports whether a promise in flight still holds. The caller holds mu.
func (l *leases) passes(p passing) bool {
	age := time.Since(p.at)
	return age < passingTime || age < DefaultGrace && l.pushing(p.repo, passingTime)
}

// SetGrace changes Options.Grace from now on. A shorter one counts for what was
// promised before, too: it ends no later than if it had been promised now.
func (s *Store) SetGrace(grace time.Duration) {
	if grace == 0 {
		grace = DefaultGrace
	}
	s.leases.setGrace(grace)
}

func (l *leases) setGrace(grace time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := time.Duration(l.grace.Load())
	if shorter := grace == InFlight || grace > 0 && grace < was; shorter && was > 0 {
		l.shorten(grace)
	}
	l.grace.Store(int64(grace))
}

// shorten has what runs by the grace that was run by a shorter one. The caller
// holds mu.
func (l *leases) shorten(grace time.Duration) {
	now := time.Now()
	for d, is := range l.until {
		latest := now.Add(grace)
		switch {
		case !l.runs(is, now):
			delete(l.until, d)
		case grace == InFlight:
			if p, ok := l.passing[d]; ok && p.repo != is.repo {
				is.repo = ""
			}
			l.passing[d] = passing{now, is.repo}
			delete(l.until, d)
		case is.until.After(latest) || is.until.Before(now): // or it runs for its push
			l.until[d] = lease{latest, is.repo}
		}
	}
}

// settling reports whether what was promised before the start may still hold.
func (s *Store) settling() bool { return !s.Settled().IsZero() }

// Settled is from when on something can be freed, since what was promised before
// the start is over by then; zero when that is now.
func (s *Store) Settled() time.Time {
	left := time.Duration(s.leases.grace.Load()) - time.Since(s.opened)
	if s.inherited || left <= 0 {
		return time.Time{}
	}
	return time.Now().Add(left)
}
