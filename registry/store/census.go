package store

import (
	"context"
	"hash/maphash"
	"iter"
	"slices"
	"sync"
	"sync/atomic"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

// maxNotes bounds what a census remembers: about 60 bytes each, twice that for
// a manifest.
const maxNotes = 1 << 18

// censuses are those that have begun and not ended.
type censuses struct {
	any  atomic.Int32 // how many; changed by who is alone in the gate
	seed maphash.Seed

	mu   sync.Mutex // guards what follows, and what the censuses remember
	open []*census
}

// census implements registry.Census. A census begins alone in the gate: who was
// inside before has left, and what he referred to can be read; who comes after
// notes what he refers to before he leaves.
type census struct {
	s *Store

	// guarded by censuses.mu, up to busy
	links  map[linkNote]struct{}
	blobs  map[short]struct{}
	pushed []pushedManifest
	calls  int // of note
	lost   bool
	rested int // calls, when the last removal ended

	busy atomic.Bool // somebody has pushed between the last two removals
}

// short is the beginning of a digest. Two that begin alike are taken for one,
// and then both are kept.
type short [16]byte

// linkNote is a link, by hashes.
type linkNote struct {
	repo uint64
	d    short
}

type pushedManifest struct {
	repo   string
	digest registry.Digest
}

func newCensuses() *censuses { return &censuses{seed: maphash.MakeSeed()} }

func shorten(d registry.Digest) (s short) {
	hex := d.Encoded()
	if d.Algorithm() != digest.SHA256 || len(hex) != 64 {
		hex = digest.FromString(string(d)).Encoded()
	}
	for i := range s {
		s[i] = nibble(hex[2*i])<<4 | nibble(hex[2*i+1])
	}
	return s
}

func nibble(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// note tells the censuses that a repository refers to blobs or manifests. The
// caller is inside the gate until the reference is made.
func (c *censuses) note(repo string, digests ...registry.Digest) {
	if c.any.Load() == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at := maphash.String(c.seed, repo)
	for _, one := range c.open {
		one.calls++
		if one.lost {
			continue
		}
		for _, d := range digests {
			short := shorten(d)
			one.blobs[short] = struct{}{}
			one.links[linkNote{at, short}] = struct{}{}
		}
		one.bound()
	}
}

// pushed tells them of a manifest that comes into a repository.
func (c *censuses) pushed(repo string, d registry.Digest) {
	if c.any.Load() == 0 {
		return
	}
	c.note(repo, d)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.open {
		if one.lost {
			continue
		}
		one.pushed = append(one.pushed, pushedManifest{repo, d})
		one.bound()
	}
}

// bound forgets everything when it is too much. It needs censuses.mu.
func (c *census) bound() {
	if len(c.links)+len(c.pushed) > maxNotes {
		c.lost = true
		c.links, c.blobs, c.pushed = map[linkNote]struct{}{}, map[short]struct{}{}, nil
	}
}

// Census begins one; see registry.Keeper. One that is never closed costs what
// it remembers, which is bounded.
func (s *Store) Census(ctx context.Context) (registry.Census, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := &census{s: s, links: map[linkNote]struct{}{}, blobs: map[short]struct{}{}}
	defer s.gate.remove()()
	s.censuses.mu.Lock()
	defer s.censuses.mu.Unlock()
	s.censuses.open = append(s.censuses.open, c)
	s.censuses.any.Add(1)
	return c, nil
}

// Close ends it; see registry.Census.
func (c *census) Close() error {
	all := c.s.censuses
	all.mu.Lock()
	defer all.mu.Unlock()
	before := len(all.open)
	all.open = slices.DeleteFunc(all.open, func(one *census) bool { return one == c })
	all.any.Add(int32(len(all.open) - before)) //nolint:gosec // 0 or -1
	c.lost = true
	c.links, c.blobs, c.pushed = nil, nil, nil
	return nil
}

// Lost reports that it is of no use; see registry.Census.
func (c *census) Lost() bool {
	c.s.censuses.mu.Lock()
	defer c.s.censuses.mu.Unlock()
	return c.lost
}

// Pushed lists the manifests that came; see registry.Census.
func (c *census) Pushed() iter.Seq2[string, registry.Digest] {
	c.s.censuses.mu.Lock()
	pushed := c.pushed // only ever grows
	c.s.censuses.mu.Unlock()
	return func(yield func(string, registry.Digest) bool) {
		for _, p := range pushed {
			if !yield(p.repo, p.digest) {
				return
			}
		}
	}
}
