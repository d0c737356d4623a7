package trash_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"

	"berth/registry/driver"
	"berth/registry/driver/memory"
)

var errPower = errors.New("the power is gone")

// power is a driver that fails from the n-th change on, as a machine does
// whose plug is pulled. The change at which it happens either reached the disk
// (and only its answer is lost) or did not.
type power struct {
	*memory.Driver
	reached bool

	mu   sync.Mutex // guards what follows
	left int        // changes that still go well
	off  bool
}

func (p *power) cut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.off
}

// change does one change, or the last one.
func (p *power) change(do func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.off {
		return errPower
	}
	if p.left--; p.left >= 0 {
		return do()
	}
	p.off = true
	if p.reached {
		_ = do()
	}
	return errPower
}

func (p *power) Stat(ctx context.Context, key string) (driver.Info, error) {
	if p.cut() {
		return driver.Info{}, errPower
	}
	return p.Driver.Stat(ctx, key)
}

func (p *power) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if p.cut() {
		return nil, errPower
	}
	return p.Driver.Open(ctx, key)
}

func (p *power) List(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	if p.cut() {
		return func(yield func(driver.Info, error) bool) { yield(driver.Info{}, errPower) }
	}
	return p.Driver.List(ctx, prefix)
}

func (p *power) Put(ctx context.Context, key string, content []byte) error {
	return p.change(func() error { return p.Driver.Put(ctx, key, content) })
}

func (p *power) Move(ctx context.Context, from, to string) error {
	return p.change(func() error { return p.Driver.Move(ctx, from, to) })
}

func (p *power) Delete(ctx context.Context, key string) error {
	return p.change(func() error { return p.Driver.Delete(ctx, key) })
}

func (p *power) Append(ctx context.Context, key string, offset int64) (w driver.Writer, err error) {
	err = p.change(func() error { w, err = p.Driver.Append(ctx, key, offset); return err })
	if err != nil {
		return nil, err
	}
	return &powerWriter{w, p}, nil
}

type powerWriter struct {
	driver.Writer
	p *power
}

func (w *powerWriter) Write(b []byte) (n int, err error) {
	err = w.p.change(func() error { n, err = w.Writer.Write(b); return err })
	return n, err
}

func (w *powerWriter) Sync() error  { return w.p.change(w.Writer.Sync) }
func (w *powerWriter) Close() error { return w.p.change(w.Writer.Close) }
