package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"berth/registry"
	"berth/registry/index"
)

// writer applies changes on a connection of its own. It belongs to one
// goroutine, which outlives every request: ctx is never cancelled.
type writer struct {
	ctx   context.Context
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// object is a row of obj, as the writer needs it.
type object struct {
	id, size, refs, holds int64
	known                 bool
	subject               int64
}

func (w *writer) apply(c index.Change) error {
	switch c := c.(type) {
	case index.PutManifest:
		return w.putManifest(c)
	case index.DropManifest:
		return w.drop(c.Repository, c.Digest, holdManifest)
	case index.PutBlob:
		return w.put(c.Repository, c.Digest, c.Size, holdBlob)
	case index.DropBlob:
		return w.drop(c.Repository, c.Digest, holdBlob)
	case index.PutTag:
		return w.putTag(c)
	case index.DropTag:
		return w.dropTag(c.Repository, c.Tag)
	case index.DropRepository:
		return w.dropRepository(c.Repository)
	case index.Pulled:
		return w.pulled(c)
	default:
		return fmt.Errorf("index: unknown change %T", c)
	}
}

func (w *writer) exec(query string, args ...any) error {
	_, err := w.stmts[query].ExecContext(w.ctx, args...)
	return err
}

// id reads one number; found is false when there is no row.
func (w *writer) id(query string, args ...any) (n int64, found bool, err error) {
	err = w.stmts[query].QueryRowContext(w.ctx, args...).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return n, err == nil, err
}

func (w *writer) ids(query string, args ...any) ([]int64, error) {
	rows, err := w.stmts[query].QueryContext(w.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

func (w *writer) repo(name string) (int64, error) {
	id, found, err := w.id(sqlRepoID, name)
	if err != nil || found {
		return id, err
	}
	id, _, err = w.id(sqlRepoNew, name)
	return id, err
}

func (w *writer) scan(query string, arg any) (o object, found bool, err error) {
	err = w.stmts[query].QueryRowContext(w.ctx, arg).Scan(&o.id, &o.size, &o.refs, &o.holds, &o.known, &o.subject)
	if errors.Is(err, sql.ErrNoRows) {
		return o, false, nil
	}
	return o, err == nil, err
}

// object finds or makes the row of a digest. size <= 0 means not known.
func (w *writer) object(d registry.Digest, size int64) (object, error) {
	o, found, err := w.scan(sqlObj, string(d))
	if err != nil {
		return o, err
	}
	if !found {
		o.size = max(size, 0)
		o.id, _, err = w.id(sqlObjNew, string(d), o.size)
		return o, err
	}
	if size > 0 && size != o.size {
		err = w.resize(&o, size)
	}
	return o, err
}

// resize sets the size of an object that was known by name only so far.
func (w *writer) resize(o *object, size int64) error {
	grow := size - o.size
	o.size = size
	if err := w.exec(sqlObjSize, size, o.id); err != nil {
		return err
	}
	if err := w.total(0, when(o.holds > 0, grow), when(o.refs > 0, grow)); err != nil {
		return err
	}
	repos, err := w.ids(sqlHolders, o.id)
	if err != nil {
		return err
	}
	for _, repo := range repos {
		if err := w.exec(sqlRepoAdd, 0, grow, when(o.holds > 1, grow), repo); err != nil {
			return err
		}
	}
	return nil
}

func when(ok bool, n int64) int64 {
	if ok {
		return n
	}
	return 0
}

func (w *writer) total(blobs, bytes, tagged int64) error {
	if blobs == 0 && bytes == 0 && tagged == 0 {
		return nil
	}
	return w.exec(sqlTotal, blobs, bytes, tagged)
}

// put makes a repository hold an object.
func (w *writer) put(repo string, d registry.Digest, size int64, kind int64) error {
	r, err := w.repo(repo)
	if err != nil {
		return err
	}
	o, err := w.object(d, size)
	if err != nil {
		return err
	}
	had, found, err := w.id(sqlHold, r, o.id)
	if err != nil || had&kind != 0 {
		return err
	}
	if err := w.exec(sqlHoldPut, r, o.id, had|kind); err != nil {
		return err
	}
	if kind == holdManifest {
		if err := w.manifests(r, 1); err != nil {
			return err
		}
	}
	if found {
		return nil
	}
	return w.held(r, o, 1)
}

// drop ends that a repository holds an object.
func (w *writer) drop(repo string, d registry.Digest, kind int64) error {
	r, found, err := w.id(sqlRepoID, repo)
	if err != nil || !found {
		return err
	}
	o, found, err := w.scan(sqlObj, string(d))
	if err != nil || !found {
		return err
	}
	return w.dropHeld(r, o, kind)
}

func (w *writer) dropHeld(r int64, o object, kind int64) error {
	had, _, err := w.id(sqlHold, r, o.id)
	if err != nil || had&kind == 0 {
		return err
	}
	if left := had &^ kind; left != 0 {
		err = w.exec(sqlHoldPut, r, o.id, left)
	} else if err = w.exec(sqlHoldDel, r, o.id); err == nil {
		err = w.held(r, o, -1)
	}
	if err != nil || kind != holdManifest {
		return err
	}
	if err := w.manifests(r, -1); err != nil {
		return err
	}
	return w.unrefer(o)
}

// unrefer ends that a referrer, which no repository holds any more, lives
// through its subject.
func (w *writer) unrefer(o object) error {
	if o.subject == 0 {
		return nil
	}
	if n, _, err := w.id(sqlRevised, o.id); err != nil || n > 0 {
		return err
	}
	return w.relate(o.subject, func() error { return w.exec(sqlEdgeDel, o.subject, o.id) })
}

func (w *writer) manifests(repo int64, by int64) error {
	if err := w.exec(sqlRepoAdd, by, 0, 0, repo); err != nil {
		return err
	}
	return w.exec(sqlCount, 0, 0, by)
}

// held counts one repository more, or less, that holds o, and moves o between
// what is shared and what is not.
func (w *writer) held(repo int64, o object, by int64) error {
	before := o.holds
	o.holds += by
	if err := w.exec(sqlObjHold, o.holds, o.id); err != nil {
		return err
	}
	if before == 0 || o.holds == 0 {
		if err := w.total(by, by*o.size, 0); err != nil {
			return err
		}
	}
	shared := when(max(before, o.holds) > 1, by*o.size)
	if err := w.exec(sqlRepoAdd, 0, by*o.size, shared, repo); err != nil {
		return err
	}
	if before+o.holds != 3 { // not from 1 to 2 or back: nobody else is touched
		return nil
	}
	others, err := w.ids(sqlSharers, o.id, repo)
	if err != nil {
		return err
	}
	for _, other := range others {
		if err := w.exec(sqlRepoAdd, 0, 0, by*o.size, other); err != nil {
			return err
		}
	}
	return nil
}
