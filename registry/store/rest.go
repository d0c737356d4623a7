package store

import (
	"context"
	"time"
)

// fewAtOnce and manyAtOnce are how many groups of links, or blobs, are removed with one
// flush while somebody pushes, and while nobody does: what is deleted keeps the
// disk busy, and a push should not have to wait for much of it.
const (
	fewAtOnce  = 8
	manyAtOnce = 64
	maxRest    = 200 * time.Millisecond
)

// some says how many of n come next.
func (c *census) some(n int) int {
	if c.busy.Load() {
		return min(n, fewAtOnce)
	}
	return min(n, manyAtOnce)
}

// rest leaves the disk to those who push, for twice as long as what began
// then took. When nobody has pushed since the last time, it does not wait.
func (c *census) rest(ctx context.Context, began time.Time) {
	all := c.s.censuses
	all.mu.Lock()
	busy := c.calls != c.rested
	c.rested = c.calls
	all.mu.Unlock()
	c.busy.Store(busy)
	if !busy {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(min(2*time.Since(began), maxRest)):
	}
}
