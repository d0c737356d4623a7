package filesystem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	slashpath "path"
	"path/filepath"

	"berth/registry/driver"
	"berth/registry/driver/filesystem/internal/disk"
)

// Append implements [driver.Driver]. The file is written past the journal.
func (d *Driver) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	if err := writable(key); err != nil {
		return nil, err
	}
	mine, err := d.claims.take(ctx, []string{key})
	if err != nil {
		return nil, err
	}
	defer d.claims.release(mine)
	if d.journal.Closed() {
		return nil, fail("append", key, fs.ErrClosed)
	}
	w, err := d.openWriter(ctx, key, offset)
	if err != nil {
		return nil, err
	}
	// Without a thread: the journal may wait for room, and room for a change
	// that needs a thread to be carried out.
	if err := d.takeOver(w); err != nil {
		return nil, errors.Join(fail("append", key, err), w.f.Close())
	}
	return w, nil
}

func (d *Driver) openWriter(ctx context.Context, key string, offset int64) (*writer, error) {
	if err := d.wait(ctx); err != nil {
		return nil, err
	}
	defer d.end()
	path := d.file(key)
	if offset != 0 {
		return d.resume(key, path, offset)
	}
	var f disk.File
	open := func() (err error) {
		f, err = d.disk.Open(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
		return err
	}
	// It changes the time of the folder, see [Driver.punctual].
	if err := d.journal.Stamp(slack / 2); err != nil {
		return nil, fail("append", key, err)
	}
	err := open()
	for try := 0; errors.Is(err, fs.ErrNotExist) && try < maxTries; try++ {
		if err := d.mkdirs(filepath.Dir(path), d.mkdirBorn); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fail("append", key, err)
		}
		err = open()
	}
	if err != nil {
		return nil, fail("append", key, err)
	}
	return &writer{d: d, f: f, key: key, path: path, born: true, dirty: true}, nil
}

func (d *Driver) resume(key, path string, offset int64) (*writer, error) {
	f, err := d.disk.Open(path, os.O_WRONLY)
	if err != nil {
		return nil, failRead("append", key, err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil && size != offset {
		err = fmt.Errorf("at %d of %d: %w", offset, size, driver.ErrOffset)
	}
	if err != nil {
		_ = f.Close()
		return nil, fail("append", key, err)
	}
	// Who wrote it may have ended, or failed, before a sync, and without giving
	// back room.
	w := &writer{d: d, f: f, key: key, path: path, size: size, flushed: size, born: true, dirty: true, found: true}
	if size >= reserveFrom {
		w.reserved = size
	}
	return w, nil
}

// takeOver takes a file out of the journal's hands: what is recorded of it, or
// of a folder above it that was deleted, must not be carried out on it again
// after a power cut.
func (d *Driver) takeOver(w *writer) error {
	hashes := []uint64{touchHash(w.key)}
	for key := w.key; key != "."; key = slashpath.Dir(key) {
		hashes = append(hashes, treeHash(key))
	}
	if !d.journal.Remembers(hashes...) {
		return nil
	}
	if w.found {
		// It may still rest on its record.
		if err := w.sync(); err != nil {
			return err
		}
	}
	ticket, err := d.commit([]step{{op: opKeep, key: w.key}})
	if err != nil {
		return err
	}
	d.journal.Placed(ticket.Number)
	return nil
}

// writer writes straight into its file. One goroutine at a time uses it.
type writer struct {
	d    *Driver
	f    disk.File
	key  string
	path string
	size int64
	// flushed is how far the system was told to start writing.
	flushed int64
	// reserved is up to where the system was asked for room; 0 as long as it
	// was not. refused: it has none, or cannot.
	reserved int64
	refused  bool
	// born: the file's name is not settled. dirty: its bytes are not. found: it
	// may be older than the process, as may the folders that lead to it.
	born, dirty, found bool
	// failed is the first error of a sync. The system forgets which pages it
	// could not write, so a later sync that succeeds means nothing.
	failed error
}

// A small file needs no room beforehand, and of a large one no more is taken
// than a nearly full disk can spare.
const (
	reserveFrom = 1 << 20
	reserveStep = 16 << 20
)

// reserve has room for n more bytes of a large file.
func (w *writer) reserve(n int) {
	if w.refused || w.size < reserveFrom || w.size+int64(n) <= w.reserved {
		return
	}
	w.reserved = max(w.reserved, w.size)
	w.refused = !w.f.Reserve(w.reserved, reserveStep)
	w.reserved += reserveStep
}

func (w *writer) Write(p []byte) (int, error) {
	w.reserve(len(p))
	n, err := w.f.Write(p)
	w.size += int64(n)
	w.dirty = w.dirty || n > 0
	if w.size-w.flushed >= disk.FlushAhead {
		w.f.Ahead(w.flushed, w.size-w.flushed)
		w.flushed = w.size
	}
	if err != nil {
		return n, fail("write", w.key, err)
	}
	return n, nil
}

func (w *writer) Size() int64 { return w.size }

func (w *writer) Sync() error {
	if w.failed == nil {
		w.failed = fail("sync", w.key, w.sync())
	}
	return w.failed
}

func (w *writer) sync() error {
	if w.dirty {
		if err := w.f.Sync(); err != nil {
			return err
		}
		w.dirty = false
	}
	if w.born {
		if w.found {
			if err := w.d.settleFound(filepath.Dir(w.path)); err != nil {
				return err
			}
		}
		if err := w.d.settle(filepath.Dir(w.path)); err != nil {
			return err
		}
		w.born, w.found = false, false
	}
	return nil
}

func (w *writer) Close() error {
	if w.f == nil {
		return fs.ErrClosed
	}
	if w.reserved > 0 {
		w.f.Release()
	}
	err := w.Sync()
	if closed := w.f.Close(); err == nil && closed != nil {
		err = fail("close", w.key, closed)
	}
	return err
}
