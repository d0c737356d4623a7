package faulty

import (
	"context"
	"sync"

	"berth/registry/driver"
)

// Append implements [driver.Driver].
func (d *Driver) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	var inner driver.Writer
	err := d.step(ctx, Op{Kind: Append, Key: key}, func() (err error) {
		inner, err = d.inner.Append(ctx, key, offset)
		return err
	}, nil)
	if err != nil {
		if inner != nil {
			d.release(inner)
		}
		return nil, err
	}
	return &writer{d: d, key: key, inner: inner}, nil
}

// release gives back what an open writer holds. A close makes bytes durable,
// so where the plan drops what was not synced, the writer is only forgotten.
func (d *Driver) release(w driver.Writer) {
	if !d.plan.Drop {
		_ = w.Close()
	}
}

type writer struct {
	d     *Driver
	key   string
	inner driver.Writer
	once  sync.Once // releases inner after a cut
}

func (w *writer) step(kind Kind, do, torn func() error) error {
	return w.d.step(context.Background(), Op{Kind: kind, Key: w.key}, do, torn)
}

func (w *writer) Write(p []byte) (n int, err error) {
	err = w.step(Write, func() (err error) {
		n, err = w.inner.Write(p)
		return err
	}, func() (err error) {
		n, err = w.inner.Write(p[:len(p)/2])
		return err
	})
	return n, err
}

func (w *writer) Size() int64 { return w.inner.Size() }

func (w *writer) Sync() error {
	return w.step(Sync, w.inner.Sync, nil)
}

func (w *writer) Close() error {
	closed := false
	err := w.step(Close, func() error {
		closed = true
		return w.inner.Close()
	}, nil)
	if !closed {
		w.once.Do(func() { w.d.release(w.inner) })
	}
	return err
}
