package store

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"berth/registry"
	"berth/registry/index"
)

// going are links that are being removed outside the gate: nobody may be told
// any more that they are there.
type going struct {
	any  atomic.Int32
	mu   sync.Mutex
	keys map[string]struct{} // guarded by mu
}

func (g *going) add(keys []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.keys == nil {
		g.keys = map[string]struct{}{}
	}
	for _, key := range keys {
		g.keys[key] = struct{}{}
	}
	g.any.Store(int32(len(g.keys))) //nolint:gosec // few
}

func (g *going) gone(keys []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, key := range keys {
		delete(g.keys, key)
	}
	g.any.Store(int32(len(g.keys))) //nolint:gosec // few
}

// has is asked inside the gate.
func (g *going) has(key func(string, registry.Digest) string, repo string, d registry.Digest) bool {
	if g.any.Load() == 0 {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.keys[key(repo, d)]
	return ok
}

// removal is what a census found that it may remove, and holds the flights of:
// who needs one of the files from then on waits until it is gone for good, and
// everybody else goes on.
type removal struct {
	b       *batch
	have    map[string]struct{}
	keys    []string
	changes []index.Change
	swept   []registry.Digest
}

// claim takes the flight of a key, which is free: who has one is inside the
// gate, or is another removal, which waits for nobody. The caller is alone in
// the gate.
func (r *removal) claim(key string) bool {
	if _, ok := r.have[key]; ok {
		return false
	}
	if r.have == nil {
		r.have = map[string]struct{}{}
	}
	r.have[key] = struct{}{}
	r.keys = append(r.keys, key)
	r.b.fly(key)
	return true
}

// Unlink removes links; see registry.Census. Alone in the gate, it only looks.
func (c *census) Unlink(ctx context.Context, repo string, groups ...[]registry.Link) ([]registry.Why, error) {
	var why []registry.Why
	for len(groups) > 0 {
		if err := check(ctx, repo); err != nil {
			return nil, err
		}
		n, began := c.some(len(groups)), time.Now()
		some, err := c.unlink(ctx, repo, groups[:n])
		if err != nil {
			return nil, err
		}
		why, groups = append(why, some...), groups[n:]
		c.rest(ctx, began)
	}
	return why, nil
}

func (c *census) unlink(ctx context.Context, repo string, groups [][]registry.Link) ([]registry.Why, error) {
	s := c.s
	defer s.locks.shared(repo)()
	r := &removal{b: s.newBatch()}
	defer r.b.done()
	// Who deletes a manifest holds the lock of the repository alone, so this
	// stays true.
	why, err := s.incomplete(ctx, repo, groups)
	if err != nil {
		return nil, err
	}
	err = c.claimLinks(r, repo, groups, why)
	if err != nil {
		return nil, err
	}
	if len(r.keys) == 0 {
		return why, nil
	}
	defer s.going.gone(r.keys)
	if err := r.b.apply(context.WithoutCancel(ctx)); err != nil {
		s.doubt()
		return nil, fmt.Errorf("unlink from %s: %w", repo, err)
	}
	s.tell(ctx, repo, r.changes...)
	return why, nil
}

// incomplete says which groups lack a manifest by now: it was deleted, and may
// be brought back.
func (s *Store) incomplete(ctx context.Context, repo string, groups [][]registry.Link) ([]registry.Why, error) {
	why := make([]registry.Why, len(groups))
	for i, group := range groups {
		for _, l := range group {
			if l.Kind != registry.ManifestLink {
				continue
			}
			there, err := s.exists(ctx, revisionLink(repo, l.Digest))
			if err != nil {
				return nil, fmt.Errorf("unlink %s from %s: %w", l.Digest, repo, err)
			}
			if !there {
				why[i] = registry.Deleted
			}
		}
	}
	return why, nil
}

// claimLinks says which groups stay, and claims the links of the others.
func (c *census) claimLinks(r *removal, repo string, groups [][]registry.Link, why []registry.Why) error {
	s := c.s
	defer s.gate.remove()()
	if err := c.judge(repo, groups, why); err != nil {
		return err
	}
	for i, group := range groups {
		if why[i] != "" {
			continue
		}
		for _, l := range group {
			r.link(repo, l)
		}
	}
	s.going.add(r.keys)
	return nil
}

func (r *removal) link(repo string, l registry.Link) {
	if l.Kind == registry.ManifestLink && r.claim(revisionLink(repo, l.Digest)) {
		r.b.remove(revisionDir(repo, l.Digest))
		r.changes = append(r.changes, index.DropManifest{Repository: repo, Digest: l.Digest})
	}
	if l.Kind == registry.BlobLink && r.claim(layerLink(repo, l.Digest)) {
		r.b.remove(layerDir(repo, l.Digest))
		r.changes = append(r.changes, index.DropBlob{Repository: repo, Digest: l.Digest})
	}
}

func (c *census) judge(repo string, groups [][]registry.Link, why []registry.Why) error {
	all := c.s.censuses
	all.mu.Lock()
	defer all.mu.Unlock()
	if c.lost {
		return registry.ErrCensusLost
	}
	at := maphash.String(all.seed, repo)
	for i, group := range groups {
		for _, l := range group {
			if why[i] == "" {
				why[i] = c.keeps(l.Digest, linkNote{at, shorten(l.Digest)})
			}
			if why[i] == "" && l.Target != l.Digest && l.Target != "" {
				why[i] = c.keeps(l.Target, linkNote{at, shorten(l.Target)})
			}
		}
	}
	return nil
}

// keeps needs censuses.mu.
func (c *census) keeps(d registry.Digest, at linkNote) registry.Why {
	if _, ok := c.links[at]; ok {
		return registry.Referred
	}
	return c.promised(d)
}

func (c *census) promised(d registry.Digest) registry.Why {
	switch {
	case time.Since(c.s.opened) < c.s.opt.Grace:
		return registry.Restart
	case c.s.leases.held(d):
		return registry.Promised
	}
	return ""
}

// Sweep frees blobs; see registry.Census. Alone in the gate, it only looks:
// whoever would link one of them takes its flight first, and finds it gone.
func (c *census) Sweep(ctx context.Context, notAfter time.Time, blobs ...registry.Digest) ([]registry.Swept, error) {
	var swept []registry.Swept
	for len(blobs) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, began := c.some(len(blobs)), time.Now()
		some, err := c.sweep(ctx, notAfter, blobs[:n])
		if err != nil {
			return nil, err
		}
		swept, blobs = append(swept, some...), blobs[n:]
		c.rest(ctx, began)
	}
	return swept, nil
}

func (c *census) sweep(ctx context.Context, notAfter time.Time, blobs []registry.Digest) ([]registry.Swept, error) {
	out := make([]registry.Swept, len(blobs))
	r := &removal{b: c.s.newBatch()}
	defer r.b.done()
	if err := c.claimBlobs(ctx, r, notAfter, blobs, out); err != nil || len(r.keys) == 0 {
		return out, err
	}
	if err := r.b.apply(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	for _, d := range r.swept {
		c.s.cache.drop(d)
	}
	return out, nil
}

func (c *census) claimBlobs(ctx context.Context, r *removal, notAfter time.Time, blobs []registry.Digest, out []registry.Swept) error {
	s := c.s
	defer s.gate.remove()()
	for i, d := range blobs {
		kept, err := c.keepsBlob(d)
		if err != nil {
			return err
		}
		if out[i].Kept = kept; kept != "" {
			continue
		}
		info, err := s.drv.Stat(ctx, blobKey(d))
		if missing(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("sweep %s: %w", d, err)
		}
		if info.Modified.After(notAfter) {
			out[i].Kept = registry.Young
			continue
		}
		if r.claim(blobKey(d)) {
			out[i].Freed = info.Size
			r.b.remove(blobDir(d))
			r.swept = append(r.swept, d)
		}
	}
	return nil
}

func (c *census) keepsBlob(d registry.Digest) (registry.Why, error) {
	all := c.s.censuses
	all.mu.Lock()
	defer all.mu.Unlock()
	if c.lost {
		return "", registry.ErrCensusLost
	}
	if _, ok := c.blobs[shorten(d)]; ok {
		return registry.Referred, nil
	}
	return c.promised(d), nil
}

// fewAtOnce and manyAtOnce are how many groups of links, or blobs, are removed with one
// flush while somebody pushes, and while nobody does: what is deleted keeps the
// disk busy, and a push should not have to wait for much of it.
const (
	fewAtOnce  = 16
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
