package sqlite

import (
	"database/sql/driver"
	"time"

	"berth/registry/index"
)

// tag is a row of tag, without its name.
type tag struct {
	obj, at, pulls, pulled int64
	by                     string
}

// tag finds a tag; ok is false when there is none.
func (w *writer) tag(r *repo, name string) (t tag, ok bool, err error) {
	if r.tags == 0 {
		return tag{}, false, nil
	}
	row, err := w.one(sqlTag, r.id, name)
	if err != nil || row == nil {
		return tag{}, false, err
	}
	t = tag{obj: integer(row[0]), at: integer(row[1]), pulls: integer(row[3]), pulled: integer(row[4])}
	t.by, _ = row[2].(string)
	return t, true, nil
}

func (w *writer) putTag(c index.PutTag) error {
	r, err := w.repo(c.Repository, true)
	if err != nil {
		return err
	}
	o, err := w.object(c.Digest, 0)
	if err != nil {
		return err
	}
	was, found, err := w.tag(r, c.Tag)
	at := nanoseconds(c.At)
	if err != nil || found && was.obj == o.id && was.at == at && was.by == c.By {
		return err
	}
	if was.obj != o.id {
		if found {
			if err := w.unname(r, was.obj); err != nil {
				return err
			}
		}
		was.pulls, was.pulled = 0, 0
		if err := w.retag(r, o, 1); err != nil {
			return err
		}
	}
	if found {
		err = w.exec(sqlTagSet, o.id, at, c.By, was.pulls, was.pulled, r.id, c.Tag)
	} else {
		err = w.exec(sqlTagNew, r.id, c.Tag, o.id, at, c.By)
	}
	if err != nil {
		return err
	}
	r.stale = r.stale || found && was.at == r.push && at < was.at
	r.push = max(r.push, at)
	w.tags(r, when(!found, 1))
	return nil
}

// unname counts one tag less that names an object.
func (w *writer) unname(r *repo, id int64) error {
	o, err := w.objectOf(id)
	if err != nil {
		return err
	}
	return w.retag(r, o, -1)
}

// tags counts tags of a repository, and repositories that have any.
func (w *writer) tags(r *repo, by int64) {
	before := r.tags
	r.tags += by
	w.total.tags += by
	if before != r.tags && (before == 0 || r.tags == 0) {
		w.total.repos += by
	}
	w.touchRepo(r)
}

func (w *writer) dropTag(name, tagName string) error {
	r, err := w.repo(name, false)
	if err != nil || r == nil {
		return err
	}
	t, found, err := w.tag(r, tagName)
	if err != nil || !found {
		return err
	}
	if err := w.exec(sqlTagDel, r.id, tagName); err != nil {
		return err
	}
	r.stale = r.stale || t.at == r.push
	w.tags(r, -1)
	return w.unname(r, t.obj)
}

func (w *writer) pulled(p pull, count pullCount) error {
	r, err := w.repo(p.repo, false)
	if err != nil || r == nil {
		return err
	}
	o, err := w.object(p.digest, -1)
	if err != nil || o == nil {
		return err
	}
	if p.tag == "" {
		if err := w.exec(sqlHoldPull, nanoseconds(count.last), r.id, o.id); err != nil {
			return err
		}
		return w.exec(sqlTagsPull, count.n, nanoseconds(count.last), o.id, r.id)
	}
	return w.exec(sqlTagPull, count.n, nanoseconds(count.last), r.id, p.tag, o.id)
}

func (w *writer) dropRepository(name string) error {
	r, err := w.repo(name, false)
	if err != nil || r == nil {
		return err
	}
	var tags []string
	err = w.each(sqlTags, func(row []driver.Value) {
		tag, _ := row[0].(string)
		tags = append(tags, tag)
	}, r.id)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if err := w.dropTag(name, tag); err != nil {
			return err
		}
	}
	var held [][2]int64
	err = w.each(sqlHeld, func(row []driver.Value) { held = append(held, [2]int64{integer(row[0]), integer(row[1])}) }, r.id)
	if err != nil {
		return err
	}
	for _, h := range held {
		o, err := w.objectOf(h[0])
		if err != nil {
			return err
		}
		for _, kind := range []int64{holdBlob, holdManifest} {
			if err := w.dropHeld(r, o, kind&h[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// nanoseconds writes a time; the zero time is 0.
func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds).UTC()
}
