package filesystem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"berth/registry/driver"
)

// Append implements [driver.Driver].
func (d *Driver) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	path, err := d.begin(ctx, key)
	if err != nil {
		return nil, err
	}
	defer d.end()
	if offset != 0 {
		return d.resume(key, path, offset)
	}
	f, err := d.create(path)
	if err != nil {
		return nil, fail("append", key, err)
	}
	return &writer{d: d, f: f, key: key, born: true, dirty: true}, nil
}

func (d *Driver) create(path string) (*os.File, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	f, err := os.OpenFile(path, flags, fileMode)
	for try := 0; errors.Is(err, fs.ErrNotExist) && try < maxTries; try++ {
		if err := d.mkdir(filepath.Dir(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		f, err = os.OpenFile(path, flags, fileMode)
	}
	return f, err
}

func (d *Driver) resume(key, path string, offset int64) (driver.Writer, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
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
	return &writer{d: d, f: f, key: key, size: size, flushed: size}, nil
}

// writer writes straight into its file. One goroutine at a time uses it.
type writer struct {
	d    *Driver
	f    *os.File
	key  string
	size int64
	// flushed is how far the system was told to start writing.
	flushed int64
	// born: the file's name is not settled. dirty: its bytes are not.
	born, dirty bool
	// failed is the first error of a sync. The system forgets which pages it
	// could not write, so a later sync that succeeds means nothing.
	failed error
}

func (w *writer) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	w.size += int64(n)
	w.dirty = w.dirty || n > 0
	if w.size-w.flushed >= flushAhead {
		startFlush(w.f, w.flushed, w.size-w.flushed)
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
		if err := w.d.settle(filepath.Dir(w.f.Name())); err != nil {
			return err
		}
		w.born = false
	}
	return nil
}

func (w *writer) Close() error {
	if w.f == nil {
		return fs.ErrClosed
	}
	err := w.Sync()
	if closed := w.f.Close(); err == nil && closed != nil {
		err = fail("close", w.key, closed)
	}
	return err
}
