package portable

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"berth/registry/driver"
)

// Driver is a driver whose keys are translated to names that it can hold. It
// is safe for concurrent use.
type Driver struct {
	inner    driver.Driver
	rules    Rules
	spelling spelling
}

var (
	_ driver.Driver    = (*Driver)(nil)
	_ driver.Walker    = (*Driver)(nil)
	_ driver.Batcher   = (*Driver)(nil)
	_ driver.Unwrapper = (*Driver)(nil)
)

// Wrap gives d with keys that are translated by rules.
func Wrap(d driver.Driver, rules Rules) *Driver {
	return &Driver{inner: d, rules: rules}
}

// For looks at what d does to names and wraps it when it must; else it gives d.
func For(ctx context.Context, d driver.Driver) (driver.Driver, error) {
	rules, err := Probe(ctx, d)
	if err != nil {
		return nil, err
	}
	if rules == (Rules{}) {
		return d, nil
	}
	return Wrap(d, rules), nil
}

// Unwrap implements [driver.Unwrapper]. Only abilities that take no keys may
// be used on what it gives.
func (d *Driver) Unwrap() driver.Driver { return d.inner }

// Rules are what keys are translated by.
func (d *Driver) Rules() Rules { return d.rules }

// Close closes what is wrapped.
func (d *Driver) Close() error {
	if c, ok := driver.As[io.Closer](d.inner); ok {
		return c.Close()
	}
	return nil
}

// static translates a key part by part. A key of plain parts is its own name,
// and costs nothing.
func (d *Driver) static(key string) string {
	for at := 0; at < len(key); {
		end := at + len(key[at:])
		if i := strings.IndexByte(key[at:], '/'); i >= 0 {
			end = at + i
		}
		if !d.rules.plain(key[at:end]) {
			return d.rewrite(key, at)
		}
		at = end + 1
	}
	return key
}

// rewrite translates a key whose parts before at are plain.
func (d *Driver) rewrite(key string, at int) string {
	var out strings.Builder
	out.WriteString(key[:at])
	for rest := key[at:]; ; out.WriteByte('/') {
		part, tail, found := strings.Cut(rest, "/")
		out.WriteString(d.rules.name(part))
		if rest = tail; !found {
			return out.String()
		}
	}
}

// Stat implements [driver.Driver].
func (d *Driver) Stat(ctx context.Context, key string) (driver.Info, error) {
	path, err := d.path(ctx, key, false)
	if err != nil {
		return driver.Info{}, err
	}
	info, err := d.inner.Stat(ctx, path)
	if err != nil {
		return driver.Info{}, err
	}
	info.Key = key
	return info, nil
}

// Open implements [driver.Driver].
func (d *Driver) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	path, err := d.path(ctx, key, false)
	if err != nil {
		return nil, err
	}
	return d.inner.Open(ctx, path)
}

// Put implements [driver.Driver].
func (d *Driver) Put(ctx context.Context, key string, content []byte) error {
	path, err := d.path(ctx, key, true)
	if err != nil {
		return err
	}
	return d.inner.Put(ctx, path, content)
}

// Append implements [driver.Driver].
func (d *Driver) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	path, err := d.path(ctx, key, true)
	if err != nil {
		return nil, err
	}
	return d.inner.Append(ctx, path, offset)
}

// Move implements [driver.Driver].
func (d *Driver) Move(ctx context.Context, from, to string) error {
	source, err := d.path(ctx, from, false)
	if err != nil {
		return err
	}
	path, err := d.path(ctx, to, true)
	if err != nil {
		return err
	}
	return d.inner.Move(ctx, source, path)
}

// Delete implements [driver.Driver]. A tag that lies under two names goes
// under both.
func (d *Driver) Delete(ctx context.Context, key string) error {
	path, err := d.path(ctx, key, false)
	if err != nil {
		return err
	}
	other, err := d.twin(ctx, key, path)
	if err != nil {
		return err
	}
	if other != "" {
		if err := d.inner.Delete(ctx, other); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return d.inner.Delete(ctx, path)
}

// Apply implements [driver.Batcher].
func (d *Driver) Apply(ctx context.Context, changes ...driver.Change) error {
	translated := make([]driver.Change, 0, len(changes))
	for _, c := range changes {
		switch c := c.(type) {
		case driver.Put:
			path, err := d.path(ctx, c.Key, true)
			if err != nil {
				return err
			}
			translated = append(translated, driver.Put{Key: path, Content: c.Content})
		case driver.Move:
			from, err := d.path(ctx, c.From, false)
			if err != nil {
				return err
			}
			to, err := d.path(ctx, c.To, true)
			if err != nil {
				return err
			}
			translated = append(translated, driver.Move{From: from, To: to})
		case driver.Delete:
			path, err := d.path(ctx, c.Key, false)
			if err != nil {
				return err
			}
			other, err := d.twin(ctx, c.Key, path)
			if err != nil {
				return err
			}
			if other != "" {
				translated = append(translated, driver.Delete{Key: other})
			}
			translated = append(translated, driver.Delete{Key: path})
		default:
			translated = append(translated, c)
		}
	}
	return driver.Apply(ctx, d.inner, translated...)
}
