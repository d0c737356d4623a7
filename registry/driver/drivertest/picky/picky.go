package picky

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"regexp"
	"strings"
	"sync"

	"berth/registry/driver"
)

// Rules say what is done to names.
type Rules struct {
	// Fold ignores case, and keeps it.
	Fold bool
	// Windows refuses device names and some characters, and drops dots and
	// spaces at the end of names.
	Windows bool
	// Refuse refuses dots at the end of names as well, where a file is made;
	// it goes with Windows.
	Refuse bool
	// MaxName refuses longer names, in bytes; 0 means no limit.
	MaxName int
}

// ErrName is what a name that is refused gives.
var ErrName = errors.New("the file system does not take this name")

// Driver is another driver with names treated so. A key that it changes is
// seen changed: also in what it lists.
type Driver struct {
	inner driver.Driver
	rules Rules
	mu    sync.RWMutex // so that no two spellings are made at once
}

// New gives inner with names treated by rules.
func New(inner driver.Driver, rules Rules) *Driver { return &Driver{inner: inner, rules: rules} }

// Unwrap implements [driver.Unwrapper].
func (d *Driver) Unwrap() driver.Driver { return d.inner }

var device = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\..*)?$`)

// actual gives the key under which the inner driver has a key. Needs mu.
func (d *Driver) actual(ctx context.Context, key string) (string, error) {
	if err := driver.CheckKey(key); err != nil {
		return "", err
	}
	out := ""
	for part := range strings.SplitSeq(key, "/") {
		if d.rules.Windows {
			if device.MatchString(part) || strings.ContainsAny(part, `<>:"|?*`) {
				return "", fmt.Errorf("%s: %w", part, ErrName)
			}
			if d.rules.Refuse && strings.HasSuffix(part, ".") {
				return "", &fs.PathError{Op: "name", Path: key, Err: fs.ErrNotExist}
			}
			if part = strings.TrimRight(part, ". "); part == "" {
				return "", fmt.Errorf("%s: %w", key, ErrName)
			}
		}
		if d.rules.MaxName > 0 && len(part) > d.rules.MaxName {
			return "", fmt.Errorf("%d bytes: %w", len(part), ErrName)
		}
		if d.rules.Fold {
			part = d.spelled(ctx, out, part)
		}
		out = path.Join(out, part)
	}
	return out, nil
}

// spelled gives a name as the folder spells it.
func (d *Driver) spelled(ctx context.Context, folder, name string) string {
	if _, err := d.inner.Stat(ctx, path.Join(folder, name)); err == nil {
		return name
	}
	for info, err := range d.inner.List(ctx, folder) {
		if err != nil {
			break
		}
		if as := path.Base(info.Key); strings.EqualFold(as, name) {
			return as
		}
	}
	return name
}

func (d *Driver) find(ctx context.Context, key string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.actual(ctx, key)
}

// change does something to names.
func (d *Driver) change(ctx context.Context, do func(keys []string) error, keys ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	found := make([]string, len(keys))
	for i, key := range keys {
		var err error
		if found[i], err = d.actual(ctx, key); err != nil {
			return err
		}
	}
	return do(found)
}

// Stat implements [driver.Driver].
func (d *Driver) Stat(ctx context.Context, key string) (driver.Info, error) {
	found, err := d.find(ctx, key)
	if err != nil {
		return driver.Info{}, err
	}
	info, err := d.inner.Stat(ctx, found)
	if err == nil {
		info.Key = key // as with a file system: who asks by a name gets that name
	}
	return info, err
}

// Open implements [driver.Driver].
func (d *Driver) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	found, err := d.find(ctx, key)
	if err != nil {
		return nil, err
	}
	return d.inner.Open(ctx, found)
}

// Put implements [driver.Driver].
func (d *Driver) Put(ctx context.Context, key string, content []byte) error {
	return d.change(ctx, func(keys []string) error { return d.inner.Put(ctx, keys[0], content) }, key)
}

// Append implements [driver.Driver].
func (d *Driver) Append(ctx context.Context, key string, offset int64) (w driver.Writer, err error) {
	err = d.change(ctx, func(keys []string) error {
		w, err = d.inner.Append(ctx, keys[0], offset)
		return err
	}, key)
	return w, err
}

// Move implements [driver.Driver].
func (d *Driver) Move(ctx context.Context, from, to string) error {
	return d.change(ctx, func(keys []string) error { return d.inner.Move(ctx, keys[0], keys[1]) }, from, to)
}

// Delete implements [driver.Driver].
func (d *Driver) Delete(ctx context.Context, key string) error {
	return d.change(ctx, func(keys []string) error { return d.inner.Delete(ctx, keys[0]) }, key)
}

// List implements [driver.Driver].
func (d *Driver) List(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	return func(yield func(driver.Info, error) bool) {
		found := prefix
		if prefix != "" {
			var err error
			if found, err = d.find(ctx, prefix); err != nil {
				yield(driver.Info{}, err)
				return
			}
		}
		for info, err := range d.inner.List(ctx, found) {
			if err == nil {
				info.Key = path.Join(prefix, path.Base(info.Key))
			} else if errors.Is(err, fs.ErrNotExist) {
				err = &fs.PathError{Op: "list", Path: prefix, Err: fs.ErrNotExist}
			}
			if !yield(info, err) {
				return
			}
		}
	}
}
