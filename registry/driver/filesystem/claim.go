package filesystem

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// claims orders changes that meet: of two whose keys are equal, or one above
// the other, the later waits until the earlier is carried out. So the files
// come to hold what the journal would give.
type claims struct {
	mu   sync.Mutex
	list []*claim // guarded by mu; in flight or waiting
}

type claim struct {
	keys []string
	done chan struct{} // guarded by claims.mu; made by the first who waits
}

// take returns when nobody earlier claims keys that meet these.
func (c *claims) take(ctx context.Context, keys []string) (*claim, error) {
	mine := &claim{keys: keys}
	var before []chan struct{}
	c.mu.Lock()
	for _, other := range c.list {
		if meet(mine.keys, other.keys) {
			if other.done == nil {
				other.done = make(chan struct{})
			}
			before = append(before, other.done)
		}
	}
	c.list = append(c.list, mine)
	c.mu.Unlock()
	for _, done := range before {
		select {
		case <-done:
		case <-ctx.Done():
			c.release(mine)
			return nil, ctx.Err()
		}
	}
	return mine, nil
}

func (c *claims) release(mine *claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.list, mine); i >= 0 {
		c.list = slices.Delete(c.list, i, i+1)
	}
	if mine.done != nil {
		close(mine.done)
	}
}

func meet(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if within(x, y) || within(y, x) {
				return true
			}
		}
	}
	return false
}

// within says whether key is folder, or below it.
func within(key, folder string) bool {
	n := len(folder)
	if len(key) == n {
		return key == folder
	}
	return len(key) > n && key[n] == '/' && strings.HasPrefix(key, folder)
}
