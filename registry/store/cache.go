package store

import (
	"container/list"
	"sync"

	"berth/registry"
)

// cache keeps the content of manifests, which a digest can never make stale:
// the least recently used goes first. Whether a repository has the manifest is
// not its business.
type cache struct {
	limit int64

	mu    sync.Mutex // guards what follows
	size  int64
	order *list.List // of registry.Manifest, newest first
	at    map[registry.Digest]*list.Element
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, order: list.New(), at: map[registry.Digest]*list.Element{}}
}

func (c *cache) get(d registry.Digest) (registry.Manifest, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.at[d]
	if e == nil {
		return registry.Manifest{}, false
	}
	c.order.MoveToFront(e)
	return e.Value.(registry.Manifest), true
}

// put keeps m, unless it is so large that it would push out too many others.
func (c *cache) put(m registry.Manifest) {
	size := int64(len(m.Content))
	if size > c.limit/16 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at[m.Digest] != nil {
		return
	}
	c.at[m.Digest] = c.order.PushFront(m)
	c.size += size
	for c.size > c.limit {
		c.dropElement(c.order.Back())
	}
}

func (c *cache) drop(d registry.Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.at[d]; e != nil {
		c.dropElement(e)
	}
}

func (c *cache) dropElement(e *list.Element) {
	m := c.order.Remove(e).(registry.Manifest)
	delete(c.at, m.Digest)
	c.size -= int64(len(m.Content))
}
