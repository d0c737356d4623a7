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
		r.kept += when(o.holds == 1 && o.kept > 0, grow)
		w.touchRepo(r)
	}
	return nil
}

// keepsSole counts what the one repository that holds an object cannot free by
// itself, after roots began, or ceased, to reach it.
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

// root finds the object that a root names; 0 when there is no such root.
func (w *writer) root(id string) (int64, error) {
	row, err := w.one(sqlRoot, id)
	if err != nil || row == nil {
		return 0, err
	}
	return integer(row[0]), nil
}

func (w *writer) putRoot(c index.PutRoot) error {
	o, err := w.object(c.Digest, 0)
	if err != nil {
		return err
	}
	was, err := w.root(c.ID)
	if err != nil || was == o.id {
		return err
	}
	if err := w.exec(sqlRootPut, c.ID, o.id); err != nil {
		return err
	}
	if err := w.rename(o, func() { o.roots++ }); err != nil || was == 0 {
		return err
	}
	return w.unroot(was)
}

func (w *writer) dropRoot(id string) error {
	roots := map[string]int64{}
	if was, err := w.root(id); err != nil {
		return err
	} else if was != 0 {
		roots[id] = was
	}
	// "0" is the byte behind "/".
	err := w.each(sqlRootAll, func(row []driver.Value) {
		below, _ := row[0].(string)
		roots[below] = integer(row[1])
	}, id+"/", id+"0")
	if err != nil {
		return err
	}
	for id, obj := range roots {
		if err := w.exec(sqlRootDel, id); err != nil {
			return err
		}
		if err := w.unroot(obj); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) unroot(id int64) error {
	o, err := w.objectOf(id)
	if err != nil {
		return err
	}
	return w.rename(o, func() { o.roots-- })
}
