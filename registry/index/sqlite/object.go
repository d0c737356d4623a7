package sqlite

import (
	"database/sql/driver"
	"fmt"

	"berth/registry"
)

// object is a row of obj.
type object struct {
	id              int64
	key             string
	size            int64 // as something told it; that of the file, if there is one
	disk            int64 // what the file takes; -1: there is none
	at              int64 // the time of what is newest of it
	holds           int64 // repositories that link it
	tags, revisions int64 // what names it
	roots, lasting  int64
	counts          // what reaches it
	subject         int64
	counted         figures // what the totals count of it
	sole            int64   // the one repository that holds it, when known
	known           bool    // it has a description
	stored          bool    // it has a row
	dirty           bool
	info            []byte // a description to be written
	artifact        string
	kids            []int64 // what its edges lead to, when loaded
	loaded          bool
	mark            uint64
}

// counts are how many sources reach an object: tags, manifests with a tag, with
// a root, with a lasting one, and with a revision. A tag reaches what refers to
// a subject in its own repository; the others, what does so in any.
type counts struct{ refs, images, kept, pinned, revs int64 }

func (c counts) plus(d counts, times int64) counts {
	return counts{c.refs + times*d.refs, c.images + times*d.images, c.kept + times*d.kept, c.pinned + times*d.pinned, c.revs + times*d.revs}
}

// gives is what an object counts for everything that lives through it, beside
// its tags.
func (o *object) gives() counts {
	return counts{0, when(o.tags > 0, 1), when(o.roots > 0, 1), when(o.lasting > 0, 1), when(o.revisions > 0, 1)}
}

// weight is what an object takes on disk.
func (o *object) weight() int64 { return max(o.disk, 0) }

// total is the row of total, or what is to be added to it.
type total struct {
	figures
	repos, tags, manifests int64
}

// figures are the part of total that is a sum over objects.
type figures struct{ blobs, bytes, images, shared, held, pinned, loose, untagged int64 }

// figures gives what the totals must count of an object.
func (o *object) figures() figures {
	if o.disk < 0 {
		return figures{}
	}
	f := figures{blobs: 1, bytes: o.disk}
	switch {
	case o.refs > 0 && o.images > 1:
		f.shared = o.disk
	case o.refs > 0:
		f.images = o.disk
	case o.kept > 0:
		f.held, f.pinned = o.disk, when(o.pinned > 0, o.disk)
	default:
		f.loose, f.untagged = o.disk, when(o.revs > 0, o.disk)
	}
	return f
}

func (f *figures) add(g figures, times int64) {
	f.blobs += times * g.blobs
	f.bytes += times * g.bytes
	f.images += times * g.images
	f.shared += times * g.shared
	f.held += times * g.held
	f.pinned += times * g.pinned
	f.loose += times * g.loose
	f.untagged += times * g.untagged
}

// graphChange tells what a graph must know of an object.
func (o *object) graphChange() graphChange {
	c := graphChange{
		id: int32(o.id), kid: int32(o.subject), size: o.size, refs: int32(o.refs), there: o.disk > 0, pinned: o.pinned > 0, //nolint:gosec // rows are fewer
	}
	if o.known || o.tags > 0 {
		c.key = o.key
	}
	return c
}

func (w *writer) touch(o *object) {
	if !o.dirty {
		o.dirty = true
		w.dirtyObjects = append(w.dirtyObjects, o)
	}
}

func (w *writer) flushObject(o *object) error {
	o.dirty = false
	now := o.figures()
	w.total.add(o.counted, -1)
	w.total.add(now, 1)
	o.counted = now
	if !o.stored {
		var info any
		if o.info != nil {
			info = o.info
		}
		err := w.exec(sqlObjNew, o.id, []byte(o.key), o.size, o.disk, o.at, o.refs, o.images, o.kept, o.pinned, o.revs,
			o.holds, o.tags, o.roots, o.lasting, o.revisions, o.subject, o.artifact, info)
		o.stored, o.info = true, nil
		return err
	}
	if o.info != nil {
		if err := w.exec(sqlObjInfo, o.subject, o.artifact, o.info, o.id); err != nil {
			return err
		}
		o.info = nil
	}
	return w.exec(sqlObjSet, o.size, o.disk, o.at, o.refs, o.images, o.kept, o.pinned, o.revs, o.holds, o.tags, o.roots, o.lasting, o.revisions, o.id)
}

// object finds the row of a digest, or makes it where size is not negative.
// size 0 means that it is not known.
func (w *writer) object(d registry.Digest, size int64) (*object, error) {
	key := keyOf(d)
	o := w.objects[string(key)]
	if o == nil {
		row, err := w.one(sqlObj, key)
		if err != nil {
			return nil, err
		}
		switch {
		case row != nil:
			o = w.keep(row)
		case size < 0:
			return nil, nil
		default:
			return w.newObject(string(key), size)
		}
	}
	if size > 0 && size != o.size && o.disk < 0 {
		o.size = size
		w.touch(o)
	}
	return o, nil
}

func (w *writer) newObject(key string, size int64) (*object, error) {
	if w.lastObject == 0 {
		row, err := w.one(sqlObjLast)
		if err != nil {
			return nil, err
		}
		w.lastObject = integer(row[0])
	}
	w.lastObject++
	o := &object{id: w.lastObject, key: key, size: size, disk: -1, loaded: true}
	w.objects[key], w.objectByID[o.id] = o, o
	w.touch(o)
	return o, nil
}

// keep takes a row, in the order of objColumns.
func (w *writer) keep(row []driver.Value) *object {
	o := &object{
		id: integer(row[0]), size: integer(row[2]), disk: integer(row[3]), at: integer(row[4]),
		counts: counts{integer(row[5]), integer(row[6]), integer(row[7]), integer(row[8]), integer(row[9])},
		holds:  integer(row[10]), tags: integer(row[11]), roots: integer(row[12]), lasting: integer(row[13]), revisions: integer(row[14]),
		subject: integer(row[15]), known: integer(row[16]) != 0, stored: true,
	}
	o.counted = o.figures()
	key, _ := row[1].([]byte)
	o.key = string(key)
	w.objects[o.key], w.objectByID[o.id] = o, o
	return o
}

func (w *writer) objectOf(id int64) (*object, error) {
	if o := w.objectByID[id]; o != nil {
		return o, nil
	}
	row, err := w.one(sqlObjByID, id)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, fmt.Errorf("%w: no object %d", errDamaged, id)
	}
	return w.keep(row), nil
}
