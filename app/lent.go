package app

import (
	"context"
	"slices"
)

// lend hides the name that a push has in an engine for now from the list of
// local images, until the function it gives is called. A name that the user
// has given is not Berth's, and stays in the list.
func (c *Core) lend(ctx context.Context, e LocalEngine, name string) (over func()) {
	images, err := e.Images(ctx)
	if err != nil || slices.ContainsFunc(images, func(i EngineImage) bool { return slices.Contains(i.Names, name) }) {
		return func() {}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lent[name] {
		return func() {}
	}
	c.lent[name] = true
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.lent, name)
	}
}

func (c *Core) isLent(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lent[name]
}
