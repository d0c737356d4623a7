package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"berth/registry"
	"berth/registry/index"
)

// cacheLimit is how many objects the writer remembers between batches.
const cacheLimit = 8192

// writer applies changes on a connection of its own. It belongs to one
// goroutine. What it counts in rows of obj, repo and total it keeps in memory
// and writes once a batch; everything else it writes as it goes, so that a
// query within the batch sees it.
type writer struct {
	conn
	objects    map[string]*object // by key
	objectByID map[int64]*object
	repos      map[string]*repo
	repoByID   map[int64]*repo
	holds      map[[2]int64]int64           // repo, object → kind; 0 is known to be none
	reached    map[int64]map[int64]struct{} // by tagged object, while no edge goes
	total      total                        // what is to be added
	marked     bool                         // the file says that it is being written
	generation uint64                       // of the marks of objects

	dirtyObjects []*object
	dirtyRepos   []*repo
	lastObject   int64 // the highest id there was; 0 is not known
	lastRepo     int64
}

type total struct{ blobs, bytes, tagged, repos, tags, manifests int64 }

// object is a row of obj.
type object struct {
	id                      int64
	key                     string
	size, refs, holds, tags int64
	subject                 int64
	known                   bool // it has a description
	stored                  bool // it has a row
	dirty                   bool
	info                    []byte // a description to be written
	artifact                string
	kids                    []int64 // what its edges lead to, when loaded
	loaded                  bool
	mark                    uint64
}

// repo is a row of repo.
type repo struct {
	id                                  int64
	name                                string
	tags, manifests, size, shared, push int64
	stored, dirty                       bool
	stale                               bool // the newest push may be gone
}

// forget drops what is remembered; the rows have it.
func (w *writer) forget() {
	w.objects, w.objectByID = map[string]*object{}, map[int64]*object{}
	w.repos, w.repoByID = map[string]*repo{}, map[int64]*repo{}
	w.holds, w.reached = map[[2]int64]int64{}, map[int64]map[int64]struct{}{}
	w.dirtyObjects, w.dirtyRepos, w.total = nil, nil, total{}
	w.lastObject, w.lastRepo = 0, 0
}

// transact writes a batch, whole or not at all.
func (w *writer) transact(b batch) (err error) {
	if w.objects == nil || len(w.objects) > cacheLimit || len(w.repos) > cacheLimit || len(w.holds) > 2*cacheLimit {
		w.forget()
	}
	if err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	marked := w.marked
	if err = w.batch(b); err == nil {
		err = w.exec("COMMIT")
	}
	if err != nil {
		w.marked = marked
		w.forget()
		return errors.Join(err, w.rollback())
	}
	return nil
}

// mark has the file say that it is being written, and returns when that is
// durable.
func (w *writer) mark() error {
	if w.marked {
		return nil
	}
	if err := w.script(`PRAGMA synchronous=FULL`); err != nil {
		return err
	}
	err := w.exec(sqlMeta, metaOpen, int64(1))
	w.marked = err == nil
	return errors.Join(err, w.script(`PRAGMA synchronous=NORMAL`))
}

func (w *writer) batch(b batch) error {
	if !w.marked {
		if err := w.exec(sqlMeta, metaOpen, int64(1)); err != nil {
			return err
		}
		w.marked = true
	}
	for _, q := range b.changes {
		if err := w.apply(q.change); err != nil {
			return err
		}
	}
	for p, count := range b.pulls {
		if err := w.pulled(p, count); err != nil {
			return err
		}
	}
	return w.flush()
}

// rollback ends a transaction, unless SQLite has done so because of the error.
func (w *writer) rollback() error {
	err := w.exec("ROLLBACK")
	if err != nil && strings.Contains(err.Error(), "no transaction is active") {
		return nil
	}
	return err
}

func (w *writer) apply(c index.Change) error {
	switch c := c.(type) {
	case index.PutManifest:
		return w.putManifest(c)
	case index.DropManifest:
		return w.drop(c.Repository, c.Digest, holdManifest)
	case index.PutBlob:
		_, _, err := w.put(c.Repository, c.Digest, c.Size, holdBlob)
		return err
	case index.DropBlob:
		return w.drop(c.Repository, c.Digest, holdBlob)
	case index.PutTag:
		return w.putTag(c)
	case index.DropTag:
		return w.dropTag(c.Repository, c.Tag)
	case index.DropRepository:
		return w.dropRepository(c.Repository)
	default:
		return fmt.Errorf("index: unknown change %T", c)
	}
}

// flush writes the rows that were changed in memory.
func (w *writer) flush() error {
	for _, o := range w.dirtyObjects {
		if err := w.flushObject(o); err != nil {
			return err
		}
	}
	w.dirtyObjects = w.dirtyObjects[:0]
	for _, r := range w.dirtyRepos {
		if err := w.flushRepo(r); err != nil {
			return err
		}
	}
	w.dirtyRepos = w.dirtyRepos[:0]
	t := w.total
	if t == (total{}) {
		return nil
	}
	w.total = total{}
	return w.exec(sqlTotal, t.blobs, t.bytes, t.tagged, t.repos, t.tags, t.manifests)
}

func (w *writer) flushObject(o *object) error {
	o.dirty = false
	if !o.stored {
		var info any
		if o.info != nil {
			info = o.info
		}
		err := w.exec(sqlObjNew, o.id, []byte(o.key), o.size, o.refs, o.holds, o.tags, o.subject, o.artifact, info)
		o.stored, o.info = true, nil
		return err
	}
	if o.info != nil {
		if err := w.exec(sqlObjInfo, o.subject, o.artifact, o.info, o.id); err != nil {
			return err
		}
		o.info = nil
	}
	return w.exec(sqlObjSet, o.size, o.refs, o.holds, o.tags, o.id)
}

func (w *writer) flushRepo(r *repo) error {
	r.dirty = false
	if r.stale {
		row, err := w.one(sqlRepoPushed, r.id)
		if err != nil {
			return err
		}
		r.push, r.stale = integer(row[0]), false
	}
	if !r.stored {
		r.stored = true
		return w.exec(sqlRepoNew, r.id, r.name, r.tags, r.manifests, r.size, r.shared, r.push)
	}
	return w.exec(sqlRepoSet, r.tags, r.manifests, r.size, r.shared, r.push, r.id)
}

func (w *writer) touch(o *object) {
	if !o.dirty {
		o.dirty = true
		w.dirtyObjects = append(w.dirtyObjects, o)
	}
}

func (w *writer) touchRepo(r *repo) {
	if !r.dirty {
		r.dirty = true
		w.dirtyRepos = append(w.dirtyRepos, r)
	}
}

// repo finds a repository; nil when there is none and none is to be made.
func (w *writer) repo(name string, create bool) (*repo, error) {
	if r := w.repos[name]; r != nil {
		return r, nil
	}
	row, err := w.one(sqlRepo, name)
	if err != nil {
		return nil, err
	}
	if row != nil {
		return w.keepRepo(row), nil
	}
	if !create {
		return nil, nil
	}
	if w.lastRepo == 0 {
		if row, err = w.one(sqlRepoLast); err != nil {
			return nil, err
		}
		w.lastRepo = integer(row[0])
	}
	w.lastRepo++
	r := &repo{id: w.lastRepo, name: name}
	w.repos[name], w.repoByID[r.id] = r, r
	w.touchRepo(r)
	return r, nil
}

func (w *writer) keepRepo(row []driver.Value) *repo {
	r := &repo{
		id: integer(row[0]), tags: integer(row[2]), manifests: integer(row[3]),
		size: integer(row[4]), shared: integer(row[5]), push: integer(row[6]), stored: true,
	}
	r.name, _ = row[1].(string)
	w.repos[r.name], w.repoByID[r.id] = r, r
	return r
}

func (w *writer) repoOf(id int64) (*repo, error) {
	if r := w.repoByID[id]; r != nil {
		return r, nil
	}
	row, err := w.one(sqlRepoByID, id)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, fmt.Errorf("%w: no repository %d", errDamaged, id)
	}
	return w.keepRepo(row), nil
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
	if size > 0 && size != o.size {
		return o, w.resize(o, size)
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
	o := &object{id: w.lastObject, key: key, size: size, loaded: true}
	w.objects[key], w.objectByID[o.id] = o, o
	w.touch(o)
	return o, nil
}

func (w *writer) keep(row []driver.Value) *object {
	o := &object{
		id: integer(row[0]), size: integer(row[2]), refs: integer(row[3]), holds: integer(row[4]),
		tags: integer(row[5]), subject: integer(row[6]), known: integer(row[7]) != 0, stored: true,
	}
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
