package app

import (
	"context"
	"sync"
	"time"
)

// chosen is the engine that was asked for last, and tells when that changes.
type chosen struct {
	mu      sync.Mutex // guards what follows
	name    string
	changed chan struct{} // closed by the next change
}

func (c *chosen) choose(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if name == c.name {
		return
	}
	c.name = name
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// now gives the name, and what is closed once it is another.
func (c *chosen) now() (string, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.name, c.changed
}

// watchEngine tells watchers when the engine's images change, and when an
// engine comes or goes, until ctx ends. It follows the engine that was asked
// for last.
func (c *Core) watchEngine(ctx context.Context) {
	const again = 3 * time.Second
	for first := true; ctx.Err() == nil; first = false {
		name, changed := c.engine.now()
		c.followEngine(ctx, name, changed, first)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(again):
		}
	}
}

// followEngine follows one engine until it goes, or another is chosen.
func (c *Core) followEngine(ctx context.Context, name string, changed <-chan struct{}, first bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var other sync.WaitGroup
	other.Go(func() {
		select {
		case <-changed:
			cancel()
		case <-ctx.Done():
		}
	})
	defer other.Wait()
	defer cancel()
	e, err := c.engines.Open(ctx, name)
	if err != nil {
		return
	}
	defer func() { _ = e.Close() }()
	if !first {
		c.notify(Notice{Kind: NoticeLocal}) // it is there again
	}
	for range e.Watch(ctx) {
		c.notify(Notice{Kind: NoticeLocal})
	}
}
