package store

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"berth/registry"
	"berth/registry/index"
)

// removal is what a census may remove. It holds the flight of each file: who
// needs one from then on waits until it is gone for good, or stays.
type removal struct {
	b       *batch
	flights map[string]func() // by key: lets go
	changes []index.Change
	swept   []registry.Digest
}

func (s *Store) newRemoval() *removal {
	return &removal{b: s.newBatch(), flights: map[string]func(){}}
}

// claim takes the flights of keys, or none: who has one of them is about to
// refer to it, or removes it, too. That may be this removal.
func (r *removal) claim(keys ...string) bool {
	for i, key := range keys {
		letGo, ok := r.b.s.flights.try(key)
		if !ok {
			r.letGo(keys[:i]...)
			return false
		}
		r.flights[key] = letGo
	}
	return true
}

func (r *removal) letGo(keys ...string) {
	for _, key := range keys {
		if letGo, ok := r.flights[key]; ok {
			letGo()
			delete(r.flights, key)
		}
	}
}

func (r *removal) done() {
	for _, letGo := range r.flights {
		letGo()
	}
}

// landed waits for a removal that is under way, and reports whether there may
// have been one since the caller came into the gate.
func (s *Store) landed(key string) bool {
	if s.censuses.any.Load() == 0 {
		return false
	}
	s.flights.shared(key)()
	return true
}

// Unlink removes links; see registry.Census.
func (c *census) Unlink(ctx context.Context, repo string, notAfter time.Time, groups ...[]registry.Link) ([]registry.Why, error) {
	var why []registry.Why
	for len(groups) > 0 {
		if err := check(ctx, repo); err != nil {
			return why, err
		}
		n, began := c.some(len(groups)), time.Now()
		some, err := c.unlink(ctx, repo, notAfter, groups[:n])
		if why = append(why, some...); err != nil {
			return why, err
		}
		groups = groups[n:]
		c.rest(ctx, began)
	}
	return why, nil
}

func (c *census) unlink(ctx context.Context, repo string, notAfter time.Time, groups [][]registry.Link) ([]registry.Why, error) {
	s := c.s
	defer s.locks.shared(repo)()
	r := s.newRemoval()
	defer r.done()
	// Who deletes a manifest holds the lock of the repository alone, so this
	// stays true.
	why, err := s.changed(ctx, repo, notAfter, groups)
	if err != nil {
		return nil, err
	}
	if err := c.claimLinks(r, repo, groups, why); err != nil {
		return nil, err
	}
	for i, group := range groups {
		if why[i] == "" {
			r.unlink(repo, group)
		}
	}
	if len(r.b.changes) == 0 {
		return why, nil
	}
	if err = r.b.apply(context.WithoutCancel(ctx)); err != nil {
		err = fmt.Errorf("unlink from %s: %w", repo, err)
		s.doubt() // more may have gone than is told
		n, changes := s.unlinked(context.WithoutCancel(ctx), repo, groups, why)
		why, r.changes = why[:n], r.changes[:changes]
	}
	s.tell(ctx, repo, r.changes...)
	return why, err
}

// changed says which groups stay for what became of their links: a manifest was
// deleted by now, and may be brought back, or a link was written since by
// somebody who leaves no note, as another program does.
func (s *Store) changed(ctx context.Context, repo string, notAfter time.Time, groups [][]registry.Link) ([]registry.Why, error) {
	why := make([]registry.Why, len(groups))
	for i, group := range groups {
		for _, l := range group {
			key := linkFile(repo, l)
			if key == "" {
				continue
			}
			info, err := s.drv.Stat(ctx, key)
			switch {
			case missing(err):
				if l.Kind == registry.ManifestLink {
					why[i] = registry.Deleted
				}
			case err != nil:
				return nil, fmt.Errorf("unlink %s from %s: %w", l.Digest, repo, err)
			case why[i] == "" && info.Modified.After(notAfter):
				why[i] = registry.Young
			}
		}
	}
	return why, nil
}

// unlinked counts the groups, from the first on, that stay or have gone whole
// although one of them could not, and the links that went.
func (s *Store) unlinked(ctx context.Context, repo string, groups [][]registry.Link, why []registry.Why) (n, links int) {
	for i, group := range groups {
		if why[i] != "" {
			continue
		}
		keys := linkKeys(repo, group)
		for _, key := range keys {
			if there, err := s.exists(ctx, key); err != nil || there {
				return i, links
			}
		}
		links += len(keys)
	}
	return len(groups), links
}

// claimLinks says which groups stay, and claims the links of the others. Who
// refers to one notes it, then looks whether it is there; who promises one takes
// a lease, then looks. So either it is seen here, or he waits for the flight.
func (c *census) claimLinks(r *removal, repo string, groups [][]registry.Link, why []registry.Why) error {
	if err := c.claimUnreferred(r, repo, groups, why); err != nil {
		return err
	}
	for i, group := range groups {
		if why[i] != "" {
			continue
		}
		if why[i] = c.promisedAny(group); why[i] != "" {
			r.letGo(linkKeys(repo, group)...)
		}
	}
	return nil
}

func (c *census) claimUnreferred(r *removal, repo string, groups [][]registry.Link, why []registry.Why) error {
	all := c.s.censuses
	all.mu.Lock()
	defer all.mu.Unlock()
	if c.lost {
		return registry.ErrCensusLost
	}
	at := maphash.String(all.seed, repo)
	for i, group := range groups {
		for _, l := range group {
			if why[i] == "" && (c.referred(at, l.Digest) || l.Target != "" && c.referred(at, l.Target)) {
				why[i] = registry.Referred
			}
		}
		if why[i] == "" && !r.claim(linkKeys(repo, group)...) {
			why[i] = registry.Referred
		}
	}
	return nil
}

// referred needs censuses.mu.
func (c *census) referred(repo uint64, d registry.Digest) bool {
	_, ok := c.links[linkNote{repo, shorten(d)}]
	return ok
}

// linkFile is the file of a link; empty for a tag.
func linkFile(repo string, l registry.Link) string {
	switch l.Kind {
	case registry.ManifestLink:
		return revisionLink(repo, l.Digest)
	case registry.BlobLink:
		return layerLink(repo, l.Digest)
	case registry.TagLink:
	}
	return ""
}

func linkKeys(repo string, group []registry.Link) []string {
	keys := make([]string, 0, len(group))
	for _, l := range group {
		if key := linkFile(repo, l); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func (r *removal) unlink(repo string, group []registry.Link) {
	for _, l := range group {
		switch l.Kind {
		case registry.ManifestLink:
			r.remove(revisionLink(repo, l.Digest), revisionDir(repo, l.Digest))
			r.changes = append(r.changes, index.DropManifest{Repository: repo, Digest: l.Digest})
		case registry.BlobLink:
			r.remove(layerLink(repo, l.Digest), layerDir(repo, l.Digest))
			r.changes = append(r.changes, index.DropBlob{Repository: repo, Digest: l.Digest})
		case registry.TagLink:
		}
	}
}

// remove removes a file, then its folder: a folder with nothing in it is cheaper
// to remove than one that has to be put away first.
func (r *removal) remove(file, folder string) {
	r.b.remove(file)
	r.b.remove(folder)
}

func (c *census) promisedAny(group []registry.Link) (why registry.Why) {
	for _, l := range group {
		if why == "" {
			why = c.promised(l.Digest)
		}
		if why == "" && l.Kind == registry.BlobLink && l.Target != l.Digest && l.Target != "" {
			why = c.promised(l.Target)
		}
	}
	return why
}

// Promised is for who makes a plan; see registry.Census.
func (c *census) Promised(d registry.Digest) bool { return c.s.leases.held(d) }

func (c *census) promised(d registry.Digest) registry.Why {
	switch {
	case c.s.settling():
		return registry.Restart
	case c.s.leases.held(d):
		return registry.Promised
	}
	return ""
}

// Sweep frees blobs; see registry.Census. Whoever would link one of them notes
// it and then takes its flight, and finds it gone.
func (c *census) Sweep(ctx context.Context, notAfter time.Time, blobs ...registry.Digest) ([]registry.Swept, error) {
	var swept []registry.Swept
	for len(blobs) > 0 {
		if err := ctx.Err(); err != nil {
			return swept, err
		}
		n, began := c.some(len(blobs)), time.Now()
		some, err := c.sweep(ctx, notAfter, blobs[:n])
		if swept = append(swept, some...); err != nil {
			return swept, err
		}
		blobs = blobs[n:]
		c.rest(ctx, began)
	}
	return swept, nil
}

func (c *census) sweep(ctx context.Context, notAfter time.Time, blobs []registry.Digest) ([]registry.Swept, error) {
	out := make([]registry.Swept, len(blobs))
	r := c.s.newRemoval()
	defer r.done()
	if err := c.claimBlobs(r, blobs, out); err != nil {
		return nil, err
	}
	for i, d := range blobs {
		if out[i].Kept != "" {
			continue
		}
		var err error
		if out[i], err = r.measure(ctx, notAfter, d); err != nil {
			return nil, err
		}
	}
	if len(r.b.changes) == 0 {
		return out, nil
	}
	err := r.b.apply(context.WithoutCancel(ctx))
	if err != nil {
		err = fmt.Errorf("sweep: %w", err)
		for _, d := range r.swept {
			c.s.cache.drop(d)
		}
		c.s.doubt() // what cannot be looked at may have gone
		r.swept = c.gone(context.WithoutCancel(ctx), blobs, out)
	}
	for _, d := range r.swept {
		c.s.cache.drop(d)
	}
	c.s.tellFreed(ctx, r.swept...)
	return out, err
}

// gone gives those of the blobs that went although one of them could not, and
// corrects what is said of the others.
func (c *census) gone(ctx context.Context, blobs []registry.Digest, out []registry.Swept) (gone []registry.Digest) {
	for i, d := range blobs {
		if out[i].Kept != "" {
			continue
		}
		if there, err := c.s.exists(ctx, blobKey(d)); err != nil || there {
			out[i] = registry.Swept{}
			continue
		}
		gone = append(gone, d)
	}
	return gone
}

// claimBlobs says which blobs stay, and claims the others; see claimLinks.
func (c *census) claimBlobs(r *removal, blobs []registry.Digest, out []registry.Swept) error {
	if err := c.claimUnreferredBlobs(r, blobs, out); err != nil {
		return err
	}
	for i, d := range blobs {
		if out[i].Kept != "" {
			continue
		}
		if out[i].Kept = c.promised(d); out[i].Kept != "" {
			r.letGo(blobKey(d))
		}
	}
	return nil
}

func (c *census) claimUnreferredBlobs(r *removal, blobs []registry.Digest, out []registry.Swept) error {
	all := c.s.censuses
	all.mu.Lock()
	defer all.mu.Unlock()
	if c.lost {
		return registry.ErrCensusLost
	}
	for i, d := range blobs {
		_, referred := c.blobs[shorten(d)]
		if referred || !r.claim(blobKey(d)) {
			out[i].Kept = registry.Referred
		}
	}
	return nil
}

// measure says what a blob that was claimed gives back.
func (r *removal) measure(ctx context.Context, notAfter time.Time, d registry.Digest) (registry.Swept, error) {
	info, err := r.b.s.drv.Stat(ctx, blobKey(d))
	if missing(err) || err == nil && info.Dir {
		return registry.Swept{}, nil
	}
	if err != nil {
		return registry.Swept{}, fmt.Errorf("sweep %s: %w", d, err)
	}
	if info.Modified.After(notAfter) {
		r.letGo(blobKey(d))
		return registry.Swept{Kept: registry.Young}, nil
	}
	r.remove(blobKey(d), blobDir(d))
	r.swept = append(r.swept, d)
	return registry.Swept{Freed: info.Size}, nil
}
