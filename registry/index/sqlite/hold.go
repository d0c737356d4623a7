package sqlite

import "berth/registry"

func when(ok bool, n int64) int64 {
	if ok {
		return n
	}
	return 0
}

// resize sets the size of an object that was known by name only so far.
func (w *writer) resize(o *object, size int64) error {
	grow := size - o.size
	o.size = size
	w.touch(o)
	w.total.bytes += when(o.holds > 0, grow)
	w.total.tagged += when(o.refs > 0, grow)
	if o.holds == 0 {
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
		w.touchRepo(r)
	}
	return nil
}

// kind says how a repository holds an object.
func (w *writer) kind(r *repo, o *object) (int64, error) {
	if o.holds == 0 {
		return 0, nil
	}
	key := [2]int64{r.id, o.id}
	if kind, ok := w.holds[key]; ok {
		return kind, nil
	}
	row, err := w.one(sqlHold, r.id, o.id)
	if err != nil {
		return 0, err
	}
	kind := int64(0)
	if row != nil {
		kind = integer(row[0])
	}
	w.holds[key] = kind
	return kind, nil
}

func (w *writer) setKind(r *repo, o *object, kind int64) error {
	w.holds[[2]int64{r.id, o.id}] = kind
	if kind == 0 {
		return w.exec(sqlHoldDel, r.id, o.id)
	}
	var key any
	if kind&holdManifest != 0 {
		key = []byte(o.key)
	}
	return w.exec(sqlHoldPut, r.id, o.id, kind, key)
}

// put makes a repository hold an object.
func (w *writer) put(name string, d registry.Digest, size int64, kind int64) (*repo, *object, error) {
	r, err := w.repo(name, true)
	if err != nil {
		return nil, nil, err
	}
	o, err := w.object(d, max(size, 0))
	if err != nil {
		return nil, nil, err
	}
	had, err := w.kind(r, o)
	if err != nil || had&kind != 0 {
		return r, o, err
	}
	if had == 0 {
		if err := w.held(r, o, 1); err != nil {
			return nil, nil, err
		}
	}
	if kind == holdManifest {
		w.manifests(r, 1)
	}
	return r, o, w.setKind(r, o, had|kind)
}

// drop ends that a repository holds an object.
func (w *writer) drop(name string, d registry.Digest, kind int64) error {
	r, err := w.repo(name, false)
	if err != nil || r == nil {
		return err
	}
	o, err := w.object(d, -1)
	if err != nil || o == nil {
		return err
	}
	return w.dropHeld(r, o, kind)
}

func (w *writer) dropHeld(r *repo, o *object, kind int64) error {
	had, err := w.kind(r, o)
	if err != nil || had&kind == 0 {
		return err
	}
	left := had &^ kind
	if err := w.setKind(r, o, left); err != nil {
		return err
	}
	if left == 0 {
		if err := w.held(r, o, -1); err != nil {
			return err
		}
	}
	if kind != holdManifest {
		return nil
	}
	w.manifests(r, -1)
	return w.unrefer(o)
}

// unrefer ends that a referrer, which no repository holds any more, lives
// through its subject.
func (w *writer) unrefer(o *object) error {
	if o.subject == 0 {
		return nil
	}
	if row, err := w.one(sqlRevised, o.id); err != nil || row != nil {
		return err
	}
	subject, err := w.objectOf(o.subject)
	if err != nil {
		return err
	}
	return w.cut(subject, o)
}

func (w *writer) manifests(r *repo, by int64) {
	r.manifests += by
	w.total.manifests += by
	w.touchRepo(r)
}

// held counts one repository more, or less, that holds o, and moves o between
// what is shared and what is not.
func (w *writer) held(r *repo, o *object, by int64) error {
	before := o.holds
	o.holds += by
	w.touch(o)
	if before == 0 || o.holds == 0 {
		w.total.blobs += by
		w.total.bytes += by * o.size
	}
	r.size += by * o.size
	r.shared += when(max(before, o.holds) > 1, by*o.size)
	w.touchRepo(r)
	if before+o.holds != 3 { // not from 1 to 2 or back: nobody else is touched
		return nil
	}
	holders, err := w.numbers(sqlHolders, o.id)
	if err != nil {
		return err
	}
	for _, id := range holders {
		if id == r.id {
			continue
		}
		other, err := w.repoOf(id)
		if err != nil {
			return err
		}
		other.shared += by * o.size
		w.touchRepo(other)
	}
	return nil
}
