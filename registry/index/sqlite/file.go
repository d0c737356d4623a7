package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What the table meta remembers.
const (
	metaComplete = "complete"
	metaOpen     = "open" // somebody writes; it stays when that one crashes
)

// file is one database, with the connections of its readers.
type file struct {
	db      *sql.DB
	path    string
	info    os.FileInfo // nil: in memory
	unclean bool        // it was not closed
	stmts   sync.Map    // query → *sql.Stmt; closed with db
}

// memories numbers the databases in memory.
var memories atomic.Uint64

// The pragmas of every connection, of a file, and of the writer's.
const (
	pragmas     = "?_pragma=busy_timeout(10000)&_pragma=temp_store(MEMORY)"
	filePragmas = "&_pragma=synchronous(NORMAL)&_pragma=cache_size(-512)"
)

// open opens a database, and makes it where there is none; an empty path means
// one in memory.
func open(path string) (f *file, w *writer, err error) {
	f = &file{path: path}
	dsn, readers := "", ""
	if path == "" {
		dsn = fmt.Sprintf("file:/berth-index-%d%s&vfs=memdb", memories.Add(1), pragmas)
		readers = dsn
	} else {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return nil, nil, err
		}
		dsn = "file:" + (&pathEscaper{path}).String() + pragmas + filePragmas
		readers = dsn + "&mode=rw" // a reader must not make an empty file of one that was deleted
	}
	if f.db, err = sql.Open("sqlite", readers); err != nil {
		return nil, nil, err
	}
	f.db.SetMaxOpenConns(4)
	f.db.SetMaxIdleConns(4) // opening one costs more than a read
	c, err := f.db.Driver().Open(dsn)
	if err != nil {
		return nil, nil, errors.Join(err, f.db.Close())
	}
	w = &writer{conn: conn{c: c}}
	if err := f.prepare(w); err != nil {
		w.close()
		return nil, nil, errors.Join(err, f.db.Close())
	}
	return f, w, nil
}

// prepare makes the schema, or checks that it is ours.
func (f *file) prepare(w *writer) error {
	if f.path != "" {
		// The writer keeps more pages, since a batch touches many. A file that is
		// being made holds nothing that could be lost, so no start waits for five
		// flushes of it.
		if err := w.script(`PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL; PRAGMA cache_size=-4096; PRAGMA wal_autocheckpoint=2000; PRAGMA journal_size_limit=8388608`); err != nil {
			return err
		}
	}
	row, err := w.one(`PRAGMA user_version`)
	if err != nil {
		return err
	}
	switch have := integer(row[0]); have {
	case version:
		if row, err = w.one(`SELECT value FROM meta WHERE key='open'`); err != nil {
			return err
		}
		f.unclean = row != nil && integer(row[0]) != 0
		w.marked = f.unclean
		if row, err = w.one(`SELECT count(*) FROM total`); err == nil && integer(row[0]) != 1 {
			err = fmt.Errorf("%w: it has no totals", errDamaged)
		}
	case 0:
		if row, err = w.one(`SELECT count(*) FROM sqlite_master`); err == nil && integer(row[0]) != 0 {
			err = fmt.Errorf("%w: it is something else", errDamaged)
		}
		if err == nil {
			err = w.script(fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA user_version=%d; COMMIT", schema, version))
		}
	default:
		err = fmt.Errorf("index has version %d, not %d", have, version)
	}
	if err == nil && f.path != "" {
		if err = w.script(`PRAGMA synchronous=NORMAL`); err == nil {
			f.info, err = os.Stat(f.path)
		}
	}
	return err
}

func (f *file) close() error { return f.db.Close() }

// prepared gives the statement of a query, which is prepared once. Queries come
// from a few constant texts, so there are few statements.
func (f *file) prepared(query string) (*sql.Stmt, error) {
	if s, ok := f.stmts.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := f.db.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	if first, ok := f.stmts.LoadOrStore(query, s); ok {
		return first.(*sql.Stmt), s.Close()
	}
	return s, nil
}

// sides are what SQLite keeps beside a file.
var sides = []string{"-wal", "-shm"}

func setAside(path string) error {
	for _, side := range sides {
		if err := os.Remove(path + side); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return os.Rename(path, path+".damaged")
}

func discard(path string) error {
	var errs []error
	for _, side := range append([]string{""}, sides...) {
		if err := os.Remove(path + side); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// code gives SQLite's primary code of an error, or 0.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// refused reports whether it is the disk that would not, so that a later try
// may succeed.
func refused(err error) bool {
	switch code(err) {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY,
		sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM:
		return true
	}
	return false
}
