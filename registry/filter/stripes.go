package filter

import (
	"hash/maphash"
	"slices"
	"sync"
)

// stripes are locks by name. Two names may share a lock, which only makes one
// wait for the other.
type stripes struct {
	seed  maphash.Seed
	locks [256]sync.RWMutex
}

func newStripes() *stripes { return &stripes{seed: maphash.MakeSeed()} }

func (s *stripes) of(name string) *sync.RWMutex {
	return &s.locks[maphash.String(s.seed, name)%uint64(len(s.locks))]
}

// alone takes the locks of all names, in one order for everybody.
func (s *stripes) alone(names []string) (unlock func()) {
	at := make([]int, len(names))
	for i, name := range names {
		at[i] = int(maphash.String(s.seed, name) % uint64(len(s.locks)))
	}
	slices.Sort(at)
	at = slices.Compact(at)
	for _, i := range at {
		s.locks[i].Lock()
	}
	return func() {
		for _, i := range at {
			s.locks[i].Unlock()
		}
	}
}
