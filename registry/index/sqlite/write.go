package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

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
	holds      map[[2]int64]hold           // repo, object → how; kind 0 is known to be none
	reached    map[view]map[int64]struct{} // by source, while no edge goes
	total      total                       // what is to be added
	marked     bool                        // the file says that it is being written
	generation uint64                      // of the marks of objects

	dirtyObjects []*object
	dirtyRepos   []*repo
	written      []graphChange // by this transaction
	lastObject   int64         // the highest id there was; 0 is not known
	lastRepo     int64
}

// repo is a row of repo.
type repo struct {
	id                                  int64
	name                                string
	tags, manifests, size, shared, kept int64
	push                                int64
	stored, dirty                       bool
	stale                               bool // the newest push may be gone
}

// forget drops what is remembered; the rows have it.
func (w *writer) forget() {
	w.objects, w.objectByID = map[string]*object{}, map[int64]*object{}
	w.repos, w.repoByID = map[string]*repo{}, map[int64]*repo{}
	w.holds, w.reached = map[[2]int64]hold{}, map[view]map[int64]struct{}{}
	w.dirtyObjects, w.dirtyRepos, w.total = nil, nil, total{}
	w.lastObject, w.lastRepo = 0, 0
}

// transact writes a batch, whole or not at all.
func (w *writer) transact(b batch) (err error) {
	if w.objects == nil || len(w.objects) > cacheLimit || len(w.repos) > cacheLimit || len(w.holds) > 2*cacheLimit {
		w.forget()
	}
	if cap(w.written) > 4*cacheLimit {
		w.written = nil
	}
	w.written = w.written[:0]
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
		return w.put(c.Repository, c.Digest, c.Size, holdBlob, nanoseconds(c.At))
	case index.DropBlob:
		return w.drop(c.Repository, c.Digest, holdBlob)
	case index.PutTag:
		return w.putTag(c)
	case index.DropTag:
		return w.dropTag(c.Repository, c.Tag)
	case index.DropRepository:
		return w.dropRepository(c.Repository)
	case index.PutContent:
		return w.putContent(&c.Manifest)
	case index.PutStored:
		return w.putStored(c)
	case index.DropStored:
		return w.dropStored(c.Digest)
	case index.PutRoot:
		return w.putRoot(c)
	case index.DropRoot:
		return w.dropRoot(c.ID)
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
	for _, o := range w.dirtyObjects {
		w.written = append(w.written, o.graphChange())
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
	return w.exec(sqlTotal, t.blobs, t.bytes, t.images, t.shared, t.held, t.pinned, t.loose, t.untagged, t.repos, t.tags, t.manifests)
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
		return w.exec(sqlRepoNew, r.id, r.name, r.tags, r.manifests, r.size, r.shared, r.kept, r.push)
	}
	return w.exec(sqlRepoSet, r.tags, r.manifests, r.size, r.shared, r.kept, r.push, r.id)
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
		size: integer(row[4]), shared: integer(row[5]), kept: integer(row[6]), push: integer(row[7]), stored: true,
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
