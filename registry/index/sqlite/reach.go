package sqlite

// relate changes the edges of parent, and keeps the counts of everything right
// that a tag reaches through it.
func (w *writer) relate(parent int64, change func() error) error {
	roots, err := w.roots(parent)
	if err != nil {
		return err
	}
	before, err := w.reached(roots)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	if len(roots) == 0 {
		return nil
	}
	after, err := w.reached(roots)
	if err != nil {
		return err
	}
	for o, n := range before {
		after[o] -= n
	}
	for o, n := range after {
		if err := w.refer(o, n); err != nil {
			return err
		}
	}
	return nil
}

type rooted struct{ obj, tags int64 }

func (w *writer) roots(obj int64) ([]rooted, error) {
	rows, err := w.stmts[sqlRoots].QueryContext(w.ctx, obj)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []rooted
	for rows.Next() {
		var r rooted
		if err := rows.Scan(&r.obj, &r.tags); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// reached counts, for everything that the roots reach, by how many tags.
func (w *writer) reached(roots []rooted) (map[int64]int64, error) {
	out := map[int64]int64{}
	for _, r := range roots {
		objs, err := w.ids(sqlReach, r.obj)
		if err != nil {
			return nil, err
		}
		for _, o := range objs {
			out[o] += r.tags
		}
	}
	return out, nil
}

// refer counts by tags more, or less, that reach an object.
func (w *writer) refer(obj, by int64) error {
	if by == 0 {
		return nil
	}
	o, _, err := w.scan(sqlObjByID, obj)
	if err != nil {
		return err
	}
	if err := w.exec(sqlObjRefs, o.refs+by, obj); err != nil {
		return err
	}
	switch {
	case o.refs == 0:
		return w.total(0, 0, o.size)
	case o.refs+by == 0:
		return w.total(0, 0, -o.size)
	}
	return nil
}

func (w *writer) referAll(root, by int64) error {
	objs, err := w.ids(sqlReach, root)
	if err != nil {
		return err
	}
	for _, o := range objs {
		if err := w.refer(o, by); err != nil {
			return err
		}
	}
	return nil
}
