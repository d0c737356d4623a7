package careful

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"berth/registry/driver"
)

const (
	own         = "berth/" // where Berth keeps what is its own
	reserveKey  = own + "reserve"
	reserveSize = 256 << 10
	// reserveFree is how much room there must be for a reserve to be made.
	reserveFree = 16 << 20
	// reservePace is how long it is not looked for again.
	reservePace = time.Minute
)

// Driver is a driver on a folder, with care. It is safe for concurrent use.
type Driver struct {
	driver.Driver
	root string

	mu    sync.Mutex  // guards what follows
	first fs.FileInfo // the folder as it was seen last
	next  time.Time   // when the reserve is looked for
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
	return d.Driver.Append(ctx, key, offset)
}

// Put implements [driver.Driver].
func (d *Driver) Put(ctx context.Context, key string, content []byte) error {
	return d.change(ctx, strings.HasPrefix(key, own), func() error { return d.Driver.Put(ctx, key, content) })
}

// Move implements [driver.Driver].
func (d *Driver) Move(ctx context.Context, from, to string) error {
	return d.change(ctx, false, func() error { return d.Driver.Move(ctx, from, to) })
}

// Delete implements [driver.Driver].
func (d *Driver) Delete(ctx context.Context, key string) error {
	return d.change(ctx, true, func() error { return d.Driver.Delete(ctx, key) })
}

// Apply implements [driver.Batcher].
func (d *Driver) Apply(ctx context.Context, changes ...driver.Change) error {
	frees := true
	for _, c := range changes {
		switch c := c.(type) {
		case driver.Delete:
		case driver.Put:
			frees = frees && strings.HasPrefix(c.Key, own)
		default:
			frees = false
		}
	}
	return d.change(ctx, frees, func() error { return driver.Apply(ctx, d.Driver, changes...) })
}

// change changes something; what frees room may have the reserve.
func (d *Driver) change(ctx context.Context, frees bool, do func() error) error {
	if err := d.there(); err != nil {
		return err
	}
	err := do()
	switch {
	case err == nil:
		d.keepReserve(ctx)
		return nil
	case !frees || !errors.Is(err, driver.ErrNoSpace):
		return err
	}
	if given := d.giveUp(ctx); given != nil {
		return err
	}
	return do()
}

// keepReserve makes the reserve when it is not there and there is room. Without
// one, a full disk is only worse.
func (d *Driver) keepReserve(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if now.Before(d.next) {
		return
	}
	d.next = now.Add(reservePace)
	s, ok := driver.As[driver.Spacer](d.Driver)
	if !ok {
		return
	}
	if _, err := d.Driver.Stat(ctx, reserveKey); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if free, _, err := s.Space(ctx); err != nil || free < reserveFree {
		return
	}
	// Random, since some file systems keep zeros in no space at all.
	content := make([]byte, reserveSize)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(content)
	w, err := d.Driver.Append(ctx, reserveKey, 0)
	if err != nil {
		return
	}
	_, err = w.Write(content)
	if err := errors.Join(err, w.Close()); err != nil {
		_ = d.Driver.Delete(ctx, reserveKey)
	}
}

// giveUp frees the reserve, and does not take it back for a while.
func (d *Driver) giveUp(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = time.Now().Add(reservePace)
	return d.Driver.Delete(ctx, reserveKey)
}
