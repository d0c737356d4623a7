package careful

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"berth/registry/driver"
)

const own = "berth/" // where Berth keeps what is its own

// Driver is a driver on a folder, with care. It is safe for concurrent use.
type Driver struct {
	driver.Driver
	root string
	// bare: the disk has no room for the reserve, so nobody may bring data.
	bare atomic.Bool

	mu    sync.Mutex  // guards first
	first fs.FileInfo // the folder as it was seen last

	making sync.Mutex // guards next; held while the reserve is made or given up
	next   time.Time  // when the reserve is looked for
}

var (
	_ driver.Driver    = (*Driver)(nil)
	_ driver.Walker    = (*Driver)(nil)
	_ driver.Batcher   = (*Driver)(nil)
	_ driver.Unwrapper = (*Driver)(nil)
)

// Wrap gives d, which keeps its keys in the folder root, with care.
func Wrap(d driver.Driver, root string) (*Driver, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, err
	}
	return &Driver{Driver: d, root: root, first: info}, nil
}

// GiveUp frees the reserve in the folder root, for a driver that cannot even be
// opened without. It fails where there is none.
func GiveUp(root string) error { return os.Remove(filepath.Join(root, filepath.FromSlash(reserveKey))) }

// Unwrap implements [driver.Unwrapper].
func (d *Driver) Unwrap() driver.Driver { return d.Driver }

// Close closes what is wrapped.
func (d *Driver) Close() error {
	if c, ok := driver.As[io.Closer](d.Driver); ok {
		return c.Close()
	}
	return nil
}

// there says that the folder is where it was. Another one in its place counts
// when it holds a registry: the disk was plugged in again.
func (d *Driver) there() error {
	info, err := os.Stat(d.root)
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		if os.SameFile(info, d.first) {
			return nil
		}
		if _, err = os.Stat(filepath.Join(d.root, "docker", "registry", "v2")); err == nil {
			d.first = info
			return nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("folder %s: %w", d.root, driver.ErrGone)
	}
	return err
}

// checked tells a key that is missing from a storage that is.
func (d *Driver) checked(err error) error {
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if gone := d.there(); gone != nil {
		return gone
	}
	return err
}

// Stat implements [driver.Driver].
func (d *Driver) Stat(ctx context.Context, key string) (driver.Info, error) {
	info, err := d.Driver.Stat(ctx, key)
	return info, d.checked(err)
}

// Open implements [driver.Driver].
func (d *Driver) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	f, err := d.Driver.Open(ctx, key)
	if err != nil {
		return nil, d.checked(err)
	}
	return f, nil
}

// List implements [driver.Driver].
func (d *Driver) List(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	return d.sequence(d.Driver.List(ctx, prefix))
}

// Walk implements [driver.Walker].
func (d *Driver) Walk(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	w, ok := driver.As[driver.Walker](d.Driver)
	if !ok {
		return func(yield func(driver.Info, error) bool) { yield(driver.Info{}, errors.ErrUnsupported) }
	}
	return d.sequence(w.Walk(ctx, prefix))
}

func (d *Driver) sequence(seq iter.Seq2[driver.Info, error]) iter.Seq2[driver.Info, error] {
	return func(yield func(driver.Info, error) bool) {
		for info, err := range seq {
			if !yield(info, d.checked(err)) {
				return
			}
		}
	}
}

// Append implements [driver.Driver].
func (d *Driver) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	if err := d.there(); err != nil {
		return nil, err
	}
	if !brings(key) {
		return d.Driver.Append(ctx, key, offset)
	}
	if err := d.admit(ctx, key); err != nil {
		return nil, err
	}
	w, err := d.Driver.Append(ctx, key, offset)
	if err != nil {
		return nil, err
	}
	return writer{w, d, key}, nil
}

// Put implements [driver.Driver].
func (d *Driver) Put(ctx context.Context, key string, content []byte) error {
	return d.change(ctx, kindOf(key), key, func() error { return d.Driver.Put(ctx, key, content) })
}

// Move implements [driver.Driver].
func (d *Driver) Move(ctx context.Context, from, to string) error {
	return d.change(ctx, max(kindOf(to), keeps), to, func() error { return d.Driver.Move(ctx, from, to) })
}

// Delete implements [driver.Driver].
func (d *Driver) Delete(ctx context.Context, key string) error {
	return d.change(ctx, frees, key, func() error { return d.Driver.Delete(ctx, key) })
}

// Apply implements [driver.Batcher].
func (d *Driver) Apply(ctx context.Context, changes ...driver.Change) error {
	most, about := frees, ""
	for _, c := range changes {
		kind, key := frees, ""
		switch c := c.(type) {
		case driver.Delete:
			key = c.Key
		case driver.Put:
			kind, key = kindOf(c.Key), c.Key
		case driver.Move:
			kind, key = max(kindOf(c.To), keeps), c.To
		default:
			kind = keeps
		}
		if kind > most {
			most, about = kind, key
		}
	}
	return d.change(ctx, most, about, func() error { return driver.Apply(ctx, d.Driver, changes...) })
}

// change changes something; what frees room may have the reserve.
func (d *Driver) change(ctx context.Context, k kind, key string, do func() error) error {
	if err := d.there(); err != nil {
		return err
	}
	if k == data {
		if err := d.admit(ctx, key); err != nil {
			return err
		}
	}
	err := do()
	if k == frees && errors.Is(err, driver.ErrNoSpace) {
		d.giveUp(ctx)
		err = do()
	}
	if err == nil {
		d.keepReserve(ctx)
	}
	return err
}
