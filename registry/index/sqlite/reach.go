package sqlite

import "slices"

// kids gives what the edges of an object lead to.
func (w *writer) kids(o *object) ([]int64, error) {
	if o.loaded {
		return o.kids, nil
	}
	kids, err := w.numbers(sqlKids, o.id)
	if err != nil {
		return nil, err
	}
	o.kids, o.loaded = kids, true
	return kids, nil
}

// reach gives everything that lives through an object in a repository, or, for
// 0, in any, itself first. whole says that it is the same.
func (w *writer) reach(root *object, repo int64) (out []*object, whole bool, err error) {
	w.generation++
	root.mark = w.generation
	out, whole = []*object{root}, true
	for i := 0; i < len(out); i++ {
		kids, err := w.kids(out[i])
		if err != nil {
			return nil, false, err
		}
		for _, id := range kids {
			o, err := w.objectOf(id)
			if err != nil {
				return nil, false, err
			}
			if o.mark == w.generation {
				continue
			}
			sees, err := w.sees(repo, out[i], o)
			if err != nil {
				return nil, false, err
			}
			if !sees {
				whole = false
				continue
			}
			o.mark = w.generation
			out = append(out, o)
		}
	}
	return out, whole, nil
}

// sources gives what counts for an object: what it lives through and something
// names, itself included.
func (w *writer) sources(o *object) ([]*object, error) {
	if o.counts == (counts{}) {
		return nil, nil
	}
	seen := map[int64]bool{o.id: true}
	var out []*object
	for queue := []*object{o}; len(queue) > 0; queue = queue[1:] {
		if queue[0].gives() != (counts{}) {
			out = append(out, queue[0])
		}
		parents, err := w.numbers(sqlParents, queue[0].id)
		if err != nil {
			return nil, err
		}
		for _, id := range parents {
			if seen[id] {
				continue
			}
			seen[id] = true
			parent, err := w.objectOf(id)
			if err != nil {
				return nil, err
			}
			queue = append(queue, parent)
		}
	}
	return out, nil
}

// rename changes what names an object beside tags, and counts for everything it
// reaches.
func (w *writer) rename(o *object, change func()) error {
	before := o.gives()
	change()
	w.touch(o)
	now := o.gives()
	by := now.plus(before, -1)
	if by == (counts{}) {
		return nil
	}
	if now == (counts{}) {
		delete(w.reached, view{0, o.id})
	}
	reached, _, err := w.reach(o, 0)
	if err != nil {
		return err
	}
	return w.referAll(reached, by)
}

func (w *writer) referAll(reached []*object, by counts) error {
	for _, one := range reached {
		if err := w.refer(one, by, 1); err != nil {
			return err
		}
	}
	return nil
}

// refer counts sources more, or less, that reach an object.
func (w *writer) refer(o *object, by counts, times int64) error {
	kept := o.pinned > 0
	o.counts = o.plus(by, times)
	w.touch(o)
	switch now := o.pinned > 0; {
	case now && !kept:
		return w.keepsSole(o, 1)
	case kept && !now:
		return w.keepsSole(o, -1)
	}
	return nil
}

// setOf gives what a source reaches in a repository, or, for 0, in any, as a set
// that is kept: a subject may get one referrer after the other.
func (w *writer) setOf(source *object, repo int64) (map[int64]struct{}, error) {
	key := view{repo, source.id}
	if set, ok := w.reached[key]; ok {
		return set, nil
	}
	reached, _, err := w.reach(source, repo)
	if err != nil {
		return nil, err
	}
	if len(w.reached) >= 64 {
		clear(w.reached)
	}
	set := make(map[int64]struct{}, len(reached))
	for _, o := range reached {
		set[o.id] = struct{}{}
	}
	w.reached[key] = set
	return set, nil
}

// join adds edges from parent, and counts for everything that the sources above
// now reach through them.
func (w *writer) join(parent *object, kids []*object) error {
	sources, err := w.sources(parent)
	if err != nil {
		return err
	}
	sets := make([]map[int64]struct{}, len(sources))
	for i, source := range sources {
		if sets[i], err = w.setOf(source, 0); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(kids, len(sqlEdgePuts)) {
		args := make([]any, 0, 2*len(some))
		for _, kid := range some {
			args = append(args, parent.id, kid.id)
			w.written = append(w.written, graphChange{edge: newEdge, id: int32(parent.id), kid: int32(kid.id)}) //nolint:gosec // rows are fewer
		}
		if err := w.exec(sqlEdgePuts[len(some)-1], args...); err != nil {
			return err
		}
	}
	for _, kid := range kids {
		if parent.loaded && !slices.Contains(parent.kids, kid.id) {
			parent.kids = append(parent.kids, kid.id)
		}
		for i, source := range sources {
			if err := w.spread(kid, sets[i], source.gives(), 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// spread counts for everything that lives through o in a repository, or, for 0,
// in any, and is not in set.
func (w *writer) spread(o *object, set map[int64]struct{}, by counts, repo int64) error {
	for queue := []*object{o}; len(queue) > 0; queue = queue[1:] {
		if _, ok := set[queue[0].id]; ok {
			continue
		}
		set[queue[0].id] = struct{}{}
		if err := w.refer(queue[0], by, 1); err != nil {
			return err
		}
		kids, err := w.kids(queue[0])
		if err != nil {
			return err
		}
		for _, id := range kids {
			kid, err := w.objectOf(id)
			if err != nil {
				return err
			}
			sees, err := w.sees(repo, queue[0], kid)
			if err != nil {
				return err
			}
			if sees {
				queue = append(queue, kid)
			}
		}
	}
	return nil
}

// cut takes an edge away, and uncounts what the sources above reach no more.
func (w *writer) cut(parent, kid *object) error {
	if row, err := w.one(sqlEdgeHas, parent.id, kid.id); err != nil || row == nil {
		return err
	}
	sources, err := w.sources(parent)
	if err != nil {
		return err
	}
	before := make([][]*object, len(sources))
	for i, source := range sources {
		if before[i], _, err = w.reach(source, 0); err != nil {
			return err
		}
	}
	clear(w.reached)
	if err := w.exec(sqlEdgeDel, parent.id, kid.id); err != nil {
		return err
	}
	w.written = append(w.written, graphChange{edge: cutEdge, id: int32(parent.id), kid: int32(kid.id)}) //nolint:gosec // rows are fewer
	parent.kids = slices.DeleteFunc(parent.kids, func(id int64) bool { return id == kid.id })
	for i, source := range sources {
		if _, _, err := w.reach(source, 0); err != nil {
			return err
		}
		for _, o := range before[i] {
			if o.mark == w.generation {
				continue
			}
			if err := w.refer(o, source.gives(), -1); err != nil {
				return err
			}
		}
	}
	return nil
}
