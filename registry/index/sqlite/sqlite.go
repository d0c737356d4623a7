package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"berth/registry/index"
)

// queueLimit is how many changes may wait; Apply waits when there are more.
const queueLimit = 1 << 16

// batchLimit is how many changes one transaction takes, so that a reader that
// waits for one of them does not wait for all.
const batchLimit = 4096

// ErrClosed means that the index was closed.
var ErrClosed = errors.New("index is closed")

// Options tune an index. The zero value is right.
type Options struct {
	// Logger tells of a change that could not be written; nil means nobody.
	Logger *slog.Logger
}

// Index is an index in one SQLite file.
type Index struct {
	db     *sql.DB
	log    *slog.Logger
	path   string
	remove string // a folder to remove on Close, or empty
	// damaged: SQLite has found the file corrupt.
	damaged atomic.Bool
	stmts   sync.Map // string → *sql.Stmt, of reads; closed with db

	mu      sync.Mutex // guards what follows
	changed *sync.Cond // the queue grew, a batch was written, or Close began
	queue   []index.Change
	next    uint64 // number of the change that is queued next
	written uint64 // every change with a lower number is in the database
	closing bool
	failed  bool // a change was lost: the index is not complete any more

	done chan struct{} // closed when the writer has ended
}

var _ index.Index = (*Index)(nil)

// Open opens the index at path, or makes it; ":memory:" means one that is gone
// after Close. A file that is damaged, or of another version, is set aside as
// path+".damaged", and an empty index is made: it is rebuilt from the store.
func Open(ctx context.Context, path string, o Options) (*Index, error) {
	x := &Index{log: o.Logger, done: make(chan struct{})}
	x.changed = sync.NewCond(&x.mu)
	if x.log == nil {
		x.log = slog.New(slog.DiscardHandler)
	}
	if path == ":memory:" {
		// Readers and the writer have connections of their own, which a
		// database in memory cannot share without locking each other out.
		dir, err := os.MkdirTemp("", "berth-index-")
		if err != nil {
			return nil, fmt.Errorf("open index: %w", err)
		}
		x.remove, path = dir, filepath.Join(dir, "index.db")
	}
	db, err := open(ctx, path)
	if err != nil {
		x.log.Warn("index set aside", "path", path, "error", err)
		if err := setAside(path); err != nil {
			return nil, fmt.Errorf("set damaged index %s aside: %w", path, err)
		}
		if db, err = open(ctx, path); err != nil {
			return nil, fmt.Errorf("open index %s: %w", path, err)
		}
	}
	w, err := newWriter(ctx, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open index %s: %w", path, err), db.Close())
	}
	x.db, x.path = db, path
	go x.write(w)
	return x, nil
}

func open(ctx context.Context, path string) (*sql.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	dsn := "file:" + (&pathEscaper{path}).String() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)" +
		"&_pragma=cache_size(-1024)&_pragma=temp_store(MEMORY)&_txlock=immediate"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(2)
	if err := prepare(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// prepare makes the schema, or checks that it is ours and whole.
func prepare(ctx context.Context, db *sql.DB) error {
	var have, tables int
	if err := db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&have); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&tables); err != nil {
		return err
	}
	if tables == 0 {
		_, err := db.ExecContext(ctx, fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA user_version=%d; COMMIT", schema, version))
		return err
	}
	if have != version {
		return fmt.Errorf("index has version %d, not %d", have, version)
	}
	var blobs int64
	return db.QueryRowContext(ctx, `SELECT blobs FROM total`).Scan(&blobs)
}

func setAside(path string) error {
	for _, side := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + side); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return os.Rename(path, path+".damaged")
}

// Apply queues changes; a read that starts later sees them.
func (x *Index) Apply(_ context.Context, changes ...index.Change) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for len(x.queue) > queueLimit && !x.closing {
		x.changed.Wait()
	}
	if x.closing {
		return ErrClosed
	}
	x.queue = append(x.queue, changes...)
	x.next += uint64(len(changes))
	x.changed.Broadcast()
	return nil
}

// settle waits until everything that was applied before is written.
func (x *Index) settle(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	target := x.next
	if x.written >= target {
		return nil
	}
	stop := context.AfterFunc(ctx, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.changed.Broadcast()
	})
	defer stop()
	for x.written < target {
		if err := ctx.Err(); err != nil {
			return err
		}
		x.changed.Wait()
	}
	return nil
}

// write is the writer goroutine: it takes what has gathered, until Close.
func (x *Index) write(w *writer) {
	defer close(x.done)
	defer func() { _ = w.close() }() // the database's Close tells what is wrong
	for {
		x.mu.Lock()
		for len(x.queue) == 0 && !x.closing {
			x.changed.Wait()
		}
		n := min(len(x.queue), batchLimit)
		batch := x.queue[:n:n]
		if x.queue = x.queue[n:]; len(x.queue) == 0 {
			x.queue = nil
		}
		x.mu.Unlock()
		if n == 0 {
			return
		}
		lost := x.commit(w, batch)
		x.mu.Lock()
		x.written += uint64(n)
		x.failed = x.failed || lost
		x.changed.Broadcast()
		x.mu.Unlock()
	}
}

// commit writes a batch. Where that fails it tries the changes one by one, so
// that one bad change costs only itself; lost says that there was one.
func (x *Index) commit(w *writer, batch []index.Change) (lost bool) {
	err := x.watch(w.transact(batch))
	if err == nil {
		return false
	}
	if len(batch) == 1 || x.damaged.Load() {
		x.log.Error("index changes lost", "first", fmt.Sprintf("%T", batch[0]), "count", len(batch), "error", err)
		return true
	}
	for i := range batch {
		lost = x.commit(w, batch[i:i+1]) || lost
	}
	return lost
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
	x.changed.Broadcast()
	x.mu.Unlock()
	<-x.done
	err := x.db.Close()
	if x.damaged.Load() {
		err = setAside(x.path) // closing what is damaged may fail, and does not matter
	}
	if x.remove != "" {
		err = errors.Join(err, os.RemoveAll(x.remove))
	}
	return err
}
