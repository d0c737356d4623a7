package store

import (
	"hash/maphash"
	"sync"

	"berth/registry/index"
)

// changes is what reconciliation is told, and what it remembers.
type changes struct {
	mu      sync.Mutex          // guards what follows
	watches map[string][]*watch // by repository
	doubted map[string]struct{} // repositories
	signal  chan struct{}       // capacity 1: something is doubted
	stamps  map[uint64]uint64   // hash of a repository → how its folders looked when it was compared
	seed    maphash.Seed
}

// watch notes what is changed in a repository while it is compared.
type watch struct {
	of   *changes
	repo string
	seen map[string]bool // guarded by changes.mu, as is:
	all  bool            // the repository was dropped
}

// note takes a change that the index is told of.
func (c *changes) note(repo string, changed []index.Change) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.watches[repo] {
		for _, change := range changed {
			if _, dropped := change.(index.DropRepository); dropped {
				w.all = true
			}
			w.seen[keyOf(change)] = true
		}
	}
}

func (c *changes) watch(repo string) *watch {
	w := &watch{of: c, repo: repo, seen: map[string]bool{}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.watches == nil {
		c.watches = map[string][]*watch{}
	}
	c.watches[repo] = append(c.watches[repo], w)
	return w
}

func (c *changes) unwatch(w *watch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := c.watches[w.repo][:0]
	for _, other := range c.watches[w.repo] {
		if other != w {
			left = append(left, other)
		}
	}
	if c.watches[w.repo] = left; len(left) == 0 {
		delete(c.watches, w.repo)
	}
}

// suspect notes that a repository is doubted.
func (c *changes) suspect(repo string) {
	signal := c.suspected()
	c.mu.Lock()
	if c.doubted == nil {
		c.doubted = map[string]struct{}{}
	}
	c.doubted[repo] = struct{}{}
	c.mu.Unlock()
	select {
	case signal <- struct{}{}:
	default:
	}
}

// suspected gives the channel that says that something is doubted.
func (c *changes) suspected() chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.signal == nil {
		c.signal = make(chan struct{}, 1)
	}
	return c.signal
}

// stamped reports whether the folders of a repository looked so when it was
// compared last.
func (c *changes) stamped(repo string, stamp uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stamps != nil && c.stamps[maphash.String(c.seed, repo)] == stamp
}

// stampAs remembers how they look; 0 forgets.
func (c *changes) stampAs(repo string, stamp uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stamps == nil {
		c.stamps, c.seed = map[uint64]uint64{}, maphash.MakeSeed()
	}
	key := maphash.String(c.seed, repo)
	if stamp == 0 {
		delete(c.stamps, key)
		return
	}
	c.stamps[key] = stamp
}
