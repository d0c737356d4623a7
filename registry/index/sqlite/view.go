package sqlite

import "database/sql/driver"

// What refers to a subject is linked in a repository, and lives through it there
// alone: an image may be signed in one and not in the other. So what tags reach
// is counted for each repository as it has it.

// view is an object as a repository has it, by their ids; or, for repository 0,
// with everything that refers to it anywhere.
type view struct{ repo, obj int64 }

// sees reports whether the edge from parent to kid is one in a repository.
func (w *writer) sees(repo int64, parent, kid *object) (bool, error) {
	if repo == 0 || kid.subject != parent.id {
		return true, nil
	}
	h, err := w.kindIn(repo, kid)
	return h.kind&holdManifest != 0, err
}

// retag counts tags of a repository more, or less, that name an object.
func (w *writer) retag(r *repo, o *object, by int64) error {
	before := o.gives()
	o.tags += by
	w.touch(o)
	now := o.gives()
	if delete(w.reached, view{r.id, o.id}); now == (counts{}) {
		delete(w.reached, view{0, o.id})
	}
	here, rest := counts{refs: by}, now.plus(before, -1)
	reached, whole, err := w.reach(o, r.id)
	if err != nil {
		return err
	}
	if whole {
		here, rest = here.plus(rest, 1), counts{}
	}
	if err := w.referAll(reached, here); err != nil || rest == (counts{}) {
		return err
	}
	if reached, _, err = w.reach(o, 0); err != nil {
		return err
	}
	return w.referAll(reached, rest)
}

// seer is what tags of a repository name, and what they reach.
type seer struct {
	source *object
	repo   int64
	tags   int64
	set    map[int64]struct{}
}

// seers gives what tags of a repository, or, for 0, of any, reach an object
// through.
func (w *writer) seers(o *object, repo int64) (out []seer, err error) {
	if o.refs == 0 {
		return nil, nil
	}
	sources, err := w.sources(o)
	if err != nil {
		return nil, err
	}
	for _, source := range sources {
		if source.tags == 0 {
			continue
		}
		var some []seer
		err := w.each(sqlNaming, func(row []driver.Value) {
			some = append(some, seer{source: source, repo: integer(row[0]), tags: integer(row[1])})
		}, source.id, repo, repo)
		if err != nil {
			return nil, err
		}
		for _, s := range some {
			if s.set, err = w.setOf(source, s.repo); err != nil {
				return nil, err
			}
			if _, ok := s.set[o.id]; ok {
				out = append(out, s)
			}
		}
	}
	return out, nil
}

// show counts for what tags reach now, through kids that were joined.
func (w *writer) show(seers []seer, kids ...*object) error {
	for _, s := range seers {
		for _, kid := range kids {
			if err := w.spread(kid, s.set, counts{refs: s.tags}, s.repo); err != nil {
				return err
			}
		}
	}
	return nil
}

// hide uncounts what tags reach no more.
func (w *writer) hide(seers []seer) error {
	if len(seers) > 0 {
		clear(w.reached)
	}
	for _, s := range seers {
		if _, _, err := w.reach(s.source, s.repo); err != nil {
			return err
		}
		for id := range s.set {
			o, err := w.objectOf(id)
			if err != nil {
				return err
			}
			if o.mark == w.generation {
				continue
			}
			if err := w.refer(o, counts{refs: s.tags}, -1); err != nil {
				return err
			}
		}
	}
	return nil
}

// seersOfSubject gives what tags of a repository reach the subject of a
// referrer through.
func (w *writer) seersOfSubject(r *repo, o *object) ([]seer, error) {
	if o.subject == 0 {
		return nil, nil
	}
	subject, err := w.objectOf(o.subject)
	if err != nil {
		return nil, err
	}
	return w.seers(subject, r.id)
}

// linked tells a graph that a repository links a referrer, or does no longer.
func (w *writer) linked(r *repo, o *object, edge edgeChange) {
	if o.subject != 0 {
		w.written = append(w.written, graphChange{edge: edge, id: int32(o.id), kid: int32(r.id)}) //nolint:gosec // rows are fewer
	}
}
