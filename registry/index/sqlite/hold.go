package sqlite

import (
	"slices"
	"time"

	"berth/registry"
)

func when(ok bool, n int64) int64 {
	if ok {
		return n
	}
	return 0
}

// hold is how a repository holds an object, and since when as a manifest.
type hold struct{ kind, at int64 }

// kind says how a repository holds an object.
func (w *writer) kind(r *repo, o *object) (hold, error) { return w.kindIn(r.id, o) }

func (w *writer) kindIn(repo int64, o *object) (hold, error) {
	if o.holds == 0 {
		return hold{}, nil
	}
	key := [2]int64{repo, o.id}
	if h, ok := w.holds[key]; ok {
		return h, nil
	}
	row, err := w.one(sqlHold, repo, o.id)
	if err != nil {
		return hold{}, err
	}
	h := hold{}
	if row != nil {
		h = hold{integer(row[0]), integer(row[1])}
	}
	w.holds[key] = h
	return h, nil
}

func (w *writer) setKind(r *repo, o *object, h hold) error {
	w.holds[[2]int64{r.id, o.id}] = h
	if h.kind == 0 {
		return w.exec(sqlHoldDel, r.id, o.id)
	}
	var key any
	if h.kind&holdManifest != 0 {
		key = []byte(o.key)
	}
	return w.exec(sqlHoldPut, r.id, o.id, h.kind, h.at, key)
}

// put makes a repository hold an object, which is on disk.
func (w *writer) put(name string, d registry.Digest, size, kind, at int64) error {
	r, err := w.repo(name, true)
	if err != nil {
		return err
	}
	o, err := w.object(d, max(size, 0))
	if err != nil {
		return err
	}
	w.renew(o, at)
	if size > 0 || o.disk < 0 {
		if err := w.stock(o, max(size, 0)); err != nil {
			return err
		}
	}
	had, err := w.kind(r, o)
	if err != nil {
		return err
	}
	now := hold{had.kind | kind, had.at}
	if kind == holdManifest && at > had.at+anew {
		now.at = at
	}
	if now == had {
		return nil
	}
	if had.kind == 0 {
		if err := w.held(r, o, 1); err != nil {
			return err
		}
	}
	if kind == holdBlob || had.kind&holdManifest != 0 {
		return w.setKind(r, o, now)
	}
	return w.link(r, o, now)
}

// link makes a repository link a manifest, which it did not before.
func (w *writer) link(r *repo, o *object, now hold) error {
	seers, err := w.seersOfSubject(r, o)
	if err != nil {
		return err
	}
	if err := w.setKind(r, o, now); err != nil {
		return err
	}
	w.manifests(r, 1)
	w.linked(r, o, newHold)
	if err := w.rename(o, func() { o.revisions++ }); err != nil || o.subject == 0 {
		return err
	}
	subject, err := w.objectOf(o.subject)
	if err != nil {
		return err
	}
	kids, err := w.kids(subject)
	if err != nil {
		return err
	}
	if !slices.Contains(kids, o.id) {
		if err := w.join(subject, []*object{o}); err != nil {
			return err
		}
	}
	return w.show(seers, o)
}

// anew is how much later a manifest must be pushed again for that to be noted.
const anew = int64(time.Minute)

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
	if err != nil || had.kind&kind == 0 {
		return err
	}
	left := hold{kind: had.kind &^ kind}
	if kind == holdBlob {
		left.at = had.at
	}
	var seers []seer
	if kind == holdManifest {
		if seers, err = w.seersOfSubject(r, o); err != nil {
			return err
		}
	}
	if err := w.setKind(r, o, left); err != nil {
		return err
	}
	if left.kind == 0 {
		if err := w.held(r, o, -1); err != nil {
			return err
		}
	}
	if kind != holdManifest {
		return nil
	}
	w.manifests(r, -1)
	w.linked(r, o, cutHold)
	if err := w.hide(seers); err != nil {
		return err
	}
	if err := w.rename(o, func() { o.revisions-- }); err != nil {
		return err
	}
	return w.unrefer(o)
}

// unrefer ends that a referrer, which no repository holds any more, lives
// through its subject.
func (w *writer) unrefer(o *object) error {
	if o.subject == 0 || o.revisions > 0 {
		return nil
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
	weight, kept := o.weight(), when(o.pinned > 0, o.weight())
	alone := max(before, o.holds) == 1
	o.sole = when(alone && by > 0, r.id)
	r.size += by * weight
	r.shared += when(!alone, by*weight)
	r.kept += when(alone, by*kept)
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
		other.shared += by * weight
		other.kept -= by * kept
		w.touchRepo(other)
	}
	return nil
}
