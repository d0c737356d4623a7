package store

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"berth/registry"
	"berth/registry/driver"
)

// bounded is a map that forgets what was not asked for lately, so that it stays
// within limit. A reader takes a lock with others and moves nothing: it marks
// what it found, and whoever makes room passes over what is marked, once.
type bounded[K comparable, V any] struct {
	limit   int64
	largest int64 // what is larger is not kept: it would push out too many others

	mu   sync.RWMutex // guards what follows
	size int64
	at   map[K]*kept[K, V]
	hand *kept[K, V] // of a ring: the next to be looked at for room
}

type kept[K comparable, V any] struct {
	key        K
	value      V
	size       int64
	used       atomic.Bool
	next, prev *kept[K, V]
}

// overhead is about what an entry takes besides its texts and its content.
const overhead = 192

func newBounded[K comparable, V any](limit int64) *bounded[K, V] {
	return &bounded[K, V]{limit: limit, largest: limit / 8, at: map[K]*kept[K, V]{}}
}

func (b *bounded[K, V]) get(key K) (V, bool) {
	b.mu.RLock()
	e := b.at[key]
	if e == nil {
		b.mu.RUnlock()
		var none V
		return none, false
	}
	value := e.value
	b.mu.RUnlock()
	if !e.used.Load() {
		e.used.Store(true)
	}
	return value, true
}

// put keeps a value of about size bytes, unless it is too large.
func (b *bounded[K, V]) put(key K, value V, size int64) {
	size += overhead
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.at[key]; e != nil {
		b.remove(e)
	}
	if size > b.largest {
		return
	}
	e := &kept[K, V]{key: key, value: value, size: size}
	if b.hand == nil {
		e.next, e.prev = e, e
		b.hand = e
	} else { // behind the hand: the last to be looked at
		e.next, e.prev = b.hand, b.hand.prev
		e.prev.next, e.next.prev = e, e
	}
	b.at[key] = e
	for b.size += size; b.size > b.limit; {
		if old := b.hand; old.used.Swap(false) {
			b.hand = old.next
		} else {
			b.remove(old)
		}
	}
}

func (b *bounded[K, V]) drop(key K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.at[key]; e != nil {
		b.remove(e)
	}
}

func (b *bounded[K, V]) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.at)
	b.size, b.hand = 0, nil
}

// remove needs mu.
func (b *bounded[K, V]) remove(e *kept[K, V]) {
	delete(b.at, e.key)
	b.size -= e.size
	if e.next == e {
		b.hand = nil
		return
	}
	e.prev.next, e.next.prev = e.next, e.prev
	if b.hand == e {
		b.hand = e.next
	}
}

// generations count changes by name, many names to a counter. What was found
// out while a counter stood at n is out of date once it does not: a name that
// shares the counter only makes that more often than it need be.
type generations struct {
	seed  maphash.Seed
	count [512]atomic.Uint64
}

func newGenerations() *generations { return &generations{seed: maphash.MakeSeed()} }

func (g *generations) of(name string) *atomic.Uint64 {
	return &g.count[maphash.String(g.seed, name)%uint64(len(g.count))]
}

// cache keeps in memory what reads ask for again and again. Nothing in it is
// believed for its own sake: content is that of its digest and cannot change,
// and whether it is still there, or what a tag names by now, is asked of the
// disk at each read, with a stat.
type cache struct {
	manifests *bounded[registry.Digest, registry.Manifest]
	blobs     *bounded[registry.Digest, smallBlob]
	heads     *bounded[head, named]
	written   *generations // of tags, by name of the tag
}

// head is a tag of a repository.
type head struct{ repo, tag string }

// named is what a tag named when its link was the file that info describes.
type named struct {
	key     string // of the link
	info    driver.Info
	written uint64 // generation when it was read
	digest  registry.Digest
}

// smallBlob is the content of a blob, and the file that it was read from.
type smallBlob struct {
	info    driver.Info
	content []byte
}

func newCache(limit int64) *cache {
	return &cache{
		manifests: newBounded[registry.Digest, registry.Manifest](limit / 2),
		blobs:     newBounded[registry.Digest, smallBlob](limit / 16 * 3),
		heads:     newBounded[head, named](limit / 8),
		written:   newGenerations(),
	}
}

func (c *cache) get(d registry.Digest) (registry.Manifest, bool) { return c.manifests.get(d) }

func (c *cache) put(m registry.Manifest) {
	c.manifests.put(m.Digest, m, int64(len(m.Content)+len(m.Digest)))
}

// drop forgets the content of a digest.
func (c *cache) drop(d registry.Digest) {
	c.manifests.drop(d)
	c.blobs.drop(d)
}

// tagged says that tags were written by us. It is called after the disk was,
// and before the lock of the tags is left.
func (c *cache) tagged(tags []string) {
	for _, tag := range tags {
		c.written.of(tag).Add(1)
	}
}

// tick is more than the clock of any file system stands still; coarse, that of
// one that counts seconds, or two.
const (
	tick   = 50 * time.Millisecond
	coarse = 3 * time.Second
)

// settled reports whether a file is old enough for a later change to show in
// its time. What is asked at now must have been read after.
func settled(info driver.Info, now time.Time) bool {
	age := now.Sub(info.Modified)
	if info.Modified.Nanosecond() == 0 {
		return age > coarse
	}
	return age > tick
}

// same reports whether two looks at a key saw the same file.
func same(a, b driver.Info) bool {
	return a.ID == b.ID && a.Size == b.Size && a.Dir == b.Dir && a.Modified.Equal(b.Modified)
}
