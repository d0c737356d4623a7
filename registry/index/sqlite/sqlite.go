package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"berth/registry/index"
)

// ErrClosed means that the index was closed.
var ErrClosed = errors.New("index is closed")

// Options tune an index. The zero value is right.
type Options struct {
	// Logger tells of what is wrong with the file; nil means nobody.
	Logger *slog.Logger
	// Refused is called, from the goroutine that writes, when the disk begins to
	// refuse what is written; what was refused is tried again after it. nil means
	// nobody.
	Refused func()
	// Room is asked, by the same goroutine, before something is written; false is
	// taken for a disk that refuses. nil means that there is room.
	Room func() bool
}

// Index is an index in one SQLite file.
type Index struct {
	log     *slog.Logger
	told    func()      // of a disk that refuses; see Options
	hasRoom func() bool // see Options
	path    string      // where the file is asked for; empty when in memory from the start
	remove  string      // a folder to remove on Close, or empty

	file    atomic.Pointer[file]
	damaged atomic.Bool // SQLite has found the file corrupt
	lost    atomic.Bool // see Lost
	marked  atomic.Bool // the file says, or nobody can have it say, that it is being written

	versions versions
	graphs   graphs

	mu      sync.Mutex // guards what follows; not held while anything is written
	queue   []queued
	weight  int // of the queue, in bytes
	pulls   map[pull]pullCount
	pending pending
	next    uint64 // number of the last change
	written uint64 // every change up to this number is in the database
	waiters []waiter
	stuck   bool // the disk refuses
	closing bool
	failed  bool // a change was lost: the index is not complete any more
	again   bool // since the last SetComplete(true): that one came too early

	wake   chan struct{} // capacity 1: there is something to write
	hurry  chan struct{} // capacity 1: somebody waits for it
	closed chan struct{} // closed when Close begins
	done   chan struct{} // closed when the writer has ended
}

var _ index.Index = (*Index)(nil)

// Open opens the index at path, or makes it; ":memory:" means one that is gone
// after Close. A file that is damaged, or of another version, is set aside as
// path+".damaged", and an empty index is made: it is rebuilt from the store.
// Where no file can be made, the index lives in memory. What was not closed may
// miss its last changes: see Lost.
func Open(ctx context.Context, path string, o Options) (*Index, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x := &Index{
		log: o.Logger, told: o.Refused, hasRoom: o.Room, path: path, wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1),
		closed: make(chan struct{}), done: make(chan struct{}),
	}
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	if path == ":memory:" {
		// Readers and the writer have connections of their own, which a
		// database in memory cannot share without locking each other out.
		if dir, err := os.MkdirTemp("", "berth-index-"); err == nil {
			x.remove, x.path = dir, filepath.Join(dir, "index.db")
		}
	}
	f, w, err := x.open()
	if err != nil {
		return nil, fmt.Errorf("open index %s: %w", path, err)
	}
	x.file.Store(f)
	x.lost.Store(f.unclean)
	x.marked.Store(f.unclean)
	go x.write(w)
	return x, nil
}

// open opens the file, sets it aside when that is of no use, and gives one in
// memory where there can be none.
func (x *Index) open() (*file, *writer, error) {
	f, w, err := open(x.path)
	if err == nil {
		return f, w, nil
	}
	x.log.Warn("index set aside", "path", x.path, "error", err)
	if err = setAside(x.path); err == nil || errors.Is(err, fs.ErrNotExist) {
		if f, w, err = open(x.path); err == nil {
			return f, w, nil
		}
	}
	x.log.Warn("index lives in memory", "path", x.path, "error", err)
	return open("")
}

// heal begins anew after the file was damaged, deleted or replaced.
func (x *Index) heal(w *writer) *writer {
	x.mu.Lock()
	x.forsake()
	x.mu.Unlock()
	old := x.file.Load()
	w.close()
	f, fresh, err := x.anew()
	if err != nil { // not even in memory; the next batch tries again
		x.pause(err)
		return w
	}
	x.damaged.Store(false)
	x.file.Store(f)
	x.versions.all()
	x.graphs.spoil()
	_ = old.close() // closing what is damaged may fail, and does not matter
	x.log.Warn("index began anew", "path", x.path)
	return fresh
}

func (x *Index) anew() (*file, *writer, error) {
	if !x.placeIsThere() {
		x.log.Warn("index lives in memory", "path", x.path, "error", "the folder of the data is gone")
		return open("")
	}
	if err := setAside(x.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		x.log.Warn("index lives in memory", "path", x.path, "error", err)
		return open("")
	}
	return x.open()
}

// placeIsThere reports whether the folder that holds ours is there and holds
// anything: a disk that was unplugged leaves nothing, or an empty folder, and
// nothing is to be made there.
func (x *Index) placeIsThere() bool {
	names, err := os.ReadDir(filepath.Dir(filepath.Dir(x.path)))
	return err == nil && len(names) > 0
}

// gone reports whether the file is not at its path any more.
func (x *Index) gone() bool {
	f := x.file.Load()
	if f.info == nil {
		return false // in memory
	}
	now, err := os.Stat(f.path)
	return err != nil && errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(f.info, now)
}

// leave ends the writer: nothing is queued any more.
func (x *Index) leave(w *writer) {
	if w.marked && !x.lost.Load() {
		if err := x.watch(w.exec(sqlMeta, metaOpen, int64(0))); err != nil {
			x.log.Warn("index was not closed well", "path", x.path, "error", err)
		}
	}
}

// relax lets go of memory when nothing happens, and empties the write-ahead
// log, which a start after a crash would have to read.
func (x *Index) relax(w *writer) {
	w.objects = nil
	w.forget()
	for _, do := range []string{`PRAGMA wal_checkpoint(TRUNCATE)`, `PRAGMA shrink_memory`} {
		if err := x.watch(w.script(do)); err != nil {
			x.log.Debug("index at rest", "error", err)
		}
	}
}

// Close writes what is queued and closes the file.
func (x *Index) Close() error {
	x.mu.Lock()
	if x.closing {
		x.mu.Unlock()
		<-x.done
		return nil
	}
	x.closing = true
	close(x.closed)
	signal(x.wake)
	signal(x.hurry)
	x.mu.Unlock()
	<-x.done
	x.graphs.close()
	f := x.file.Load()
	err := f.close()
	x.mu.Lock()
	failed := x.failed
	x.mu.Unlock()
	switch {
	case x.damaged.Load():
		err = setAside(x.path) // closing what is damaged may fail, and does not matter
	case failed && f.info != nil:
		// It calls itself complete and is not; the next start rebuilds it.
		err = discard(x.path)
	}
	if x.remove != "" {
		err = errors.Join(err, os.RemoveAll(x.remove))
	}
	return err
}
