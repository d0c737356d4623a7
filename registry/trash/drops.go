package trash

import (
	"context"
	"sync"
)

// drops gathers the tags of a repository that are deleted beside each other, so
// that they go with two flushes: one for all their records, one for all their
// links. Who comes while nobody is at it goes at once; who comes meanwhile goes
// with the next.
type drops struct {
	mu     sync.Mutex // guards what follows, and what is in a queue
	queues map[string]*dropQueue
}

type dropQueue struct {
	waiting []*drop
	leaders int
}

// drop is one tag that goes. Its lock is held by who waits for it.
type drop struct {
	entry Entry
	turn  chan struct{} // closed when it is done, or has to lead
	batch []*drop       // what it leads, itself first; nil when others took it along
	alone bool          // it could not go with the others, and is as it was
	err   error
}

// leading is how many batches of a repository are on their way: while one is
// flushed, the other is carried out.
const leading = 2

// drop writes the record of a tag, then removes it. The lock of the tag is held.
func (r *Registry) drop(ctx context.Context, e Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := &drop{entry: e, turn: make(chan struct{})}
	if !r.drops.leads(d) {
		<-d.turn
	}
	switch {
	case len(d.batch) == 1:
		defer r.drops.handOn(e.Repository)
		return r.dropOne(ctx, e)
	case len(d.batch) > 1:
		r.goTogether(ctx, d.batch)
	}
	if d.alone {
		return r.dropOne(ctx, e)
	}
	return r.dropped(ctx, e, d.err)
}

func (r *Registry) dropOne(ctx context.Context, e Entry) error {
	return r.change(ctx, []Entry{e}, func() error { return r.Registry.DeleteTag(ctx, e.Repository, e.Tag) })
}

// leads reports whether the caller goes at once; otherwise he waits for his turn.
func (g *drops) leads(d *drop) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.queues == nil {
		g.queues = map[string]*dropQueue{}
	}
	q := g.queues[d.entry.Repository]
	if q == nil {
		q = &dropQueue{}
		g.queues[d.entry.Repository] = q
	}
	if q.leaders >= leading {
		q.waiting = append(q.waiting, d)
		return false
	}
	q.leaders++
	d.batch = []*drop{d}
	return true
}

// handOn lets those go who wait, led by the first of them.
func (g *drops) handOn(repo string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	q := g.queues[repo]
	if len(q.waiting) == 0 {
		if q.leaders--; q.leaders == 0 {
			delete(g.queues, repo)
		}
		return
	}
	n := min(len(q.waiting), some)
	first := q.waiting[0]
	first.batch, q.waiting = q.waiting[:n:n], q.waiting[n:]
	close(first.turn)
}

// goTogether removes tags whose first is the caller's, and tells the others.
func (r *Registry) goTogether(ctx context.Context, all []*drop) {
	repo := all[0].entry.Repository
	defer r.drops.handOn(repo)
	entries := make([]Entry, len(all))
	for i, d := range all {
		entries[i] = d.entry
	}
	// The others must not fail since this caller went away.
	alone, errs := r.dropAll(context.WithoutCancel(ctx), repo, entries)
	for i, d := range all {
		d.alone, d.err = alone, errs[i]
		if i > 0 {
			close(d.turn)
		}
	}
}

// dropAll removes tags with their records. When alone is true nothing was
// done, as not all of them could go on record together. The locks of the tags
// are held.
func (r *Registry) dropAll(ctx context.Context, repo string, entries []Entry) (alone bool, errs []error) {
	errs = make([]error, len(entries))
	if err := r.bin.add(ctx, entries...); err != nil {
		return true, errs
	}
	tags := make([]string, len(entries))
	for i, e := range entries {
		tags[i] = e.Tag
	}
	if err := r.keeper.Clear(ctx, repo, tags, nil); err == nil {
		return false, errs
	}
	// One that cannot go must not hold up the others.
	for i, tag := range tags {
		if err := r.Registry.DeleteTag(ctx, repo, tag); !unknown(err) {
			errs[i] = err
		}
	}
	return false, errs
}

// dropped ends the deletion of a tag that is on record.
func (r *Registry) dropped(ctx context.Context, e Entry, err error) error {
	entries := []Entry{e}
	if err != nil {
		entries = r.withdraw(context.WithoutCancel(ctx), entries)
	}
	record(ctx, entries)
	return err
}

// Delete removes tags of a repository together, and gives their entries, in the
// order of the tags. When one is not there, or cannot be looked up, none goes
// that could be restored.
// When some of them fail otherwise, the others are gone, and their entries are
// given with the first error.
func (r *Registry) Delete(ctx context.Context, repo string, tags ...string) ([]Entry, error) {
	ctx, rec := Record(ctx)
	err := r.deleteTags(ctx, repo, tags)
	return rec.Entries(), err
}

func (r *Registry) deleteTags(ctx context.Context, repo string, tags []string) error {
	defer r.lock(repo, tags)()
	entries := make([]Entry, 0, len(tags))
	seen := map[string]bool{}
	for _, tag := range tags {
		if seen[tag] {
			continue
		}
		seen[tag] = true
		e, ok, err := r.going(ctx, repo, tag)
		if err != nil {
			return err
		}
		if !ok {
			if err := r.Registry.DeleteTag(ctx, repo, tag); err != nil {
				return err
			}
			continue
		}
		entries = append(entries, e)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.deleteOnRecord(context.WithoutCancel(ctx), repo, entries)
}

// deleteOnRecord removes tags, a batch after the other.
func (r *Registry) deleteOnRecord(ctx context.Context, repo string, entries []Entry) error {
	var first error
	for n := 0; n < len(entries); n += some {
		batch := entries[n:min(n+some, len(entries))]
		alone, errs := r.dropAll(ctx, repo, batch)
		for i, e := range batch {
			err := errs[i]
			if alone {
				err = r.dropOne(ctx, e)
			} else {
				err = r.dropped(ctx, e, err)
			}
			if first == nil {
				first = err
			}
		}
	}
	return first
}
