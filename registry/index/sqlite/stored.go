package sqlite

import (
	"database/sql/driver"

	"berth/registry"
	"berth/registry/index"
)

func (w *writer) putStored(c index.PutStored) error {
	o, err := w.object(c.Digest, max(c.Size, 0))
	if err != nil {
		return err
	}
	w.renew(o, nanoseconds(c.At))
	return w.stock(o, max(c.Size, 0))
}

func (w *writer) dropStored(d registry.Digest) error {
	o, err := w.object(d, -1)
	if err != nil || o == nil {
		return err
	}
	return w.stock(o, -1)
}

// renew notes that something of an object came at a time.
func (w *writer) renew(o *object, at int64) {
	if at > o.at {
		o.at = at
		w.touch(o)
	}
}

// stock sets what an object takes on disk; -1 means that it is not there.
func (w *writer) stock(o *object, disk int64) error {
	if disk == o.disk {
		return nil
	}
	grow := max(disk, 0) - o.weight()
	if o.disk = disk; disk > 0 {
		o.size = disk
	}
	w.touch(o)
	if o.holds == 0 || grow == 0 {
		return nil
	}
	holders, err := w.numbers(sqlHolders, o.id)
	if err != nil {
		return err
	}
	for _, id := range holders {
		r, err := w.repoOf(id)
		if err != nil {
			return err
		}
		r.size += grow
		r.shared += when(o.holds > 1, grow)
		r.kept += when(o.holds == 1 && o.pinned > 0, grow)
		w.touchRepo(r)
	}
	return nil
}

// keepsSole counts what the one repository that holds an object cannot free by
// itself, after lasting roots began, or ceased, to reach it.
func (w *writer) keepsSole(o *object, by int64) error {
	if o.holds != 1 || o.weight() == 0 {
		return nil
	}
	if o.sole == 0 {
		row, err := w.one(sqlHolders, o.id)
		if err != nil || row == nil {
			return err
		}
		o.sole = integer(row[0])
	}
	r, err := w.repoOf(o.sole)
	if err != nil {
		return err
	}
	r.kept += by * o.weight()
	w.touchRepo(r)
	return nil
}

// rooted is what a root holds.
type rooted struct{ obj, lasting int64 }

func (w *writer) putRoot(c index.PutRoot) error {
	o, err := w.object(c.Digest, 0)
	if err != nil {
		return err
	}
	row, err := w.one(sqlRoot, c.ID)
	if err != nil {
		return err
	}
	var was rooted
	if row != nil {
		was = rooted{integer(row[0]), integer(row[1])}
	}
	now := rooted{o.id, when(c.Lasting, 1)}
	if was == now {
		return nil
	}
	if err := w.exec(sqlRootPut, c.ID, now.obj, now.lasting); err != nil {
		return err
	}
	if err := w.root(now, 1); err != nil || was.obj == 0 {
		return err
	}
	return w.root(was, -1)
}

// root counts one root more, or less.
func (w *writer) root(r rooted, by int64) error {
	o, err := w.objectOf(r.obj)
	if err != nil {
		return err
	}
	return w.rename(o, func() { o.roots, o.lasting = o.roots+by, o.lasting+by*r.lasting })
}

func (w *writer) dropRoot(id string) error {
	roots := map[string]rooted{}
	row, err := w.one(sqlRoot, id)
	if err != nil {
		return err
	}
	if row != nil {
		roots[id] = rooted{integer(row[0]), integer(row[1])}
	}
	// "0" is the byte behind "/".
	err = w.each(sqlRootAll, func(row []driver.Value) {
		below, _ := row[0].(string)
		roots[below] = rooted{integer(row[1]), integer(row[2])}
	}, id+"/", id+"0")
	if err != nil {
		return err
	}
	for id, r := range roots {
		if err := w.exec(sqlRootDel, id); err != nil {
			return err
		}
		if err := w.root(r, -1); err != nil {
			return err
		}
	}
	return nil
}
