package memory

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"berth/registry/driver"
)

// Append implements [driver.Driver].
func (d *Driver) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.root.find(key)
	switch {
	case n != nil && n.children != nil:
		return nil, &fs.PathError{Op: "append", Path: key, Err: fs.ErrExist}
	case n == nil && offset != 0:
		return nil, missing("append", key)
	case n == nil:
		n = &node{modified: time.Now()}
		if err := d.root.attach("append", key, n); err != nil {
			return nil, err
		}
	case offset == 0:
		n.live, n.modified = nil, time.Now()
	case offset != int64(len(n.live)):
		return nil, fmt.Errorf("append to %s at %d of %d: %w", key, offset, len(n.live), driver.ErrOffset)
	}
	return &writer{d: d, n: n}, nil
}

type writer struct {
	d      *Driver
	n      *node
	closed bool // guarded by d.mu, as n is
}

func (w *writer) Write(p []byte) (int, error) {
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	if w.closed {
		return 0, fs.ErrClosed
	}
	w.n.live = append(w.n.live, p...)
	w.n.modified = time.Now()
	return len(p), nil
}

func (w *writer) Size() int64 {
	w.d.mu.RLock()
	defer w.d.mu.RUnlock()
	return int64(len(w.n.live))
}

func (w *writer) Sync() error {
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	if w.closed {
		return fs.ErrClosed
	}
	w.sync()
	return nil
}

// sync keeps the prefix that live is now; its capacity is cut, so that what is
// appended after a crash cannot reach into what a reader still holds.
func (w *writer) sync() {
	w.n.safe, w.n.held = w.n.live[:len(w.n.live):len(w.n.live)], true
}

func (w *writer) Close() error {
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	if w.closed {
		return fs.ErrClosed
	}
	w.sync()
	w.closed = true
	return nil
}
