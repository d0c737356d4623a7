package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"berth/registry"
	"berth/registry/index"
)

// writer applies changes inside one transaction. It belongs to one goroutine.
type writer struct {
	ctx   context.Context
	tx    *sql.Tx
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

// info is what is kept of a manifest as JSON.
type info struct {
	Descriptor registry.Descriptor   `json:"descriptor"`
	Subject    registry.Digest       `json:"subject,omitempty"`
	Children   []registry.Descriptor `json:"children,omitempty"`
	Blobs      []registry.Descriptor `json:"blobs,omitempty"`
	Platforms  []string              `json:"platforms,omitempty"`
	Created    time.Time             `json:"created,omitzero"`
}

func (w *writer) putManifest(c index.PutManifest) error {
	m := c.Manifest
	if err := w.put(c.Repository, m.Descriptor.Digest, m.Descriptor.Size, holdManifest); err != nil {
		return err
	}
	o, err := w.object(m.Descriptor.Digest, m.Descriptor.Size)
	if err != nil {
		return err
	}
	if !o.known {
		if err := w.describe(&o, m); err != nil {
			return err
		}
	}
	if o.subject == 0 {
		return nil
	}
	if n, _, err := w.id(sqlEdgeHas, o.subject, o.id); err != nil || n > 0 {
		return err
	}
	return w.relate(o.subject, func() error { return w.exec(sqlEdgePut, o.subject, o.id) })
}

// describe records what a manifest refers to, the first time it is seen.
func (w *writer) describe(o *object, m index.Manifest) error {
	text, err := json.Marshal(info(m))
	if err != nil {
		return err
	}
	if m.Subject != "" {
		s, err := w.object(m.Subject, 0)
		if err != nil {
			return err
		}
		o.subject = s.id
	}
	if err := w.exec(sqlObjInfo, o.subject, m.Descriptor.ArtifactType, string(text), o.id); err != nil {
		return err
	}
	var children []int64
	for _, list := range [][]registry.Descriptor{m.Blobs, m.Children} {
		for _, d := range list {
			child, err := w.object(d.Digest, 0)
			if err != nil {
				return err
			}
			if child.size == 0 && d.Size > 0 {
				if err := w.resize(&child, d.Size); err != nil {
					return err
				}
			}
			children = append(children, child.id)
		}
	}
	return w.relate(o.id, func() error {
		for _, child := range children {
			if err := w.exec(sqlEdgePut, o.id, child); err != nil {
				return err
			}
		}
		return nil
	})
}

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

func (w *writer) putTag(c index.PutTag) error {
	r, err := w.repo(c.Repository)
	if err != nil {
		return err
	}
	o, err := w.object(c.Digest, 0)
	if err != nil {
		return err
	}
	var was, pulls, pulled int64
	err = w.stmts[sqlTag].QueryRowContext(w.ctx, r, c.Tag).Scan(&was, &pulls, &pulled)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		if err := w.tags(r, 1); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	if was != o.id {
		if was != 0 {
			if err := w.referAll(was, -1); err != nil {
				return err
			}
		}
		pulls, pulled = 0, 0
		if err := w.referAll(o.id, 1); err != nil {
			return err
		}
	}
	return w.exec(sqlTagPut, r, c.Tag, o.id, c.At.UnixNano(), c.By, pulls, pulled)
}

// tags counts tags of a repository, and repositories that have any.
func (w *writer) tags(repo, by int64) error {
	n, _, err := w.id(sqlRepoTag, by, repo)
	if err != nil {
		return err
	}
	return w.exec(sqlCount, when(n == 0 || n == 1 && by == 1, by), by, 0)
}

func (w *writer) dropTag(repo, tag string) error {
	r, found, err := w.id(sqlRepoID, repo)
	if err != nil || !found {
		return err
	}
	var obj, pulls, pulled int64
	err = w.stmts[sqlTag].QueryRowContext(w.ctx, r, tag).Scan(&obj, &pulls, &pulled)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := w.exec(sqlTagDel, r, tag); err != nil {
		return err
	}
	if err := w.tags(r, -1); err != nil {
		return err
	}
	return w.referAll(obj, -1)
}

func (w *writer) pulled(c index.Pulled) error {
	r, found, err := w.id(sqlRepoID, c.Repository)
	if err != nil || !found {
		return err
	}
	o, found, err := w.scan(sqlObj, string(c.Digest))
	if err != nil || !found {
		return err
	}
	return w.exec(sqlTagPull, c.At.UnixNano(), r, o.id, c.Tag, c.Tag)
}

func (w *writer) dropRepository(name string) error {
	r, found, err := w.id(sqlRepoID, name)
	if err != nil || !found {
		return err
	}
	tags, err := w.strings(`SELECT name FROM tag WHERE repo=?`, r)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if err := w.dropTag(name, tag); err != nil {
			return err
		}
	}
	digests, err := w.strings(`SELECT o.digest FROM hold h JOIN obj o ON o.id=h.obj WHERE h.repo=?`, r)
	if err != nil {
		return err
	}
	for _, d := range digests {
		for _, kind := range []int64{holdBlob, holdManifest} {
			if err := w.drop(name, registry.Digest(d), kind); err != nil {
				return err
			}
		}
	}
	_, err = w.tx.ExecContext(w.ctx, `DELETE FROM repo WHERE id=?`, r)
	return err
}

func (w *writer) strings(query string, args ...any) ([]string, error) {
	rows, err := w.tx.QueryContext(w.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}
