package faulty

import (
	"context"
	"errors"
	"io"
	"iter"
	"path"

	"berth/registry/driver"
)

// Stat implements [driver.Driver].
func (d *Driver) Stat(ctx context.Context, key string) (info driver.Info, err error) {
	err = d.step(ctx, Op{Kind: Stat, Key: key}, func() (err error) {
		info, err = d.inner.Stat(ctx, key)
		return err
	}, nil)
	if err != nil {
		return driver.Info{}, err
	}
	return info, nil
}

// Open implements [driver.Driver]. What it opens is the inner driver's file,
// whose reads are not counted.
func (d *Driver) Open(ctx context.Context, key string) (f io.ReadSeekCloser, err error) {
	err = d.step(ctx, Op{Kind: Open, Key: key}, func() (err error) {
		f, err = d.inner.Open(ctx, key)
		return err
	}, nil)
	if err != nil {
		if f != nil {
			_ = f.Close()
		}
		return nil, err
	}
	return f, nil
}

// Put implements [driver.Driver].
func (d *Driver) Put(ctx context.Context, key string, content []byte) error {
	return d.step(ctx, Op{Kind: Put, Key: key},
		func() error { return d.inner.Put(ctx, key, content) },
		func() error { return d.folderOnly(ctx, key) })
}

// folderOnly makes the folder of a key and leaves it without the key.
func (d *Driver) folderOnly(ctx context.Context, key string) error {
	sibling := path.Join(path.Dir(key), "faulty-was-here")
	return errors.Join(d.inner.Put(ctx, sibling, nil), d.inner.Delete(ctx, sibling))
}

// Move implements [driver.Driver].
func (d *Driver) Move(ctx context.Context, from, to string) error {
	return d.step(ctx, Op{Kind: Move, Key: from, To: to},
		func() error { return d.inner.Move(ctx, from, to) },
		func() error { return d.folderOnly(ctx, to) })
}

// Delete implements [driver.Driver].
func (d *Driver) Delete(ctx context.Context, key string) error {
	return d.step(ctx, Op{Kind: Delete, Key: key},
		func() error { return d.inner.Delete(ctx, key) },
		func() error { return d.halfTree(ctx, key) })
}

// halfTree deletes the first half of what is directly in a folder.
func (d *Driver) halfTree(ctx context.Context, key string) error {
	var keys []string
	for info, err := range d.inner.List(ctx, key) {
		if err != nil {
			return err
		}
		keys = append(keys, info.Key)
	}
	for _, key := range keys[:(len(keys)+1)/2] {
		if err := d.inner.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// List implements [driver.Driver]. It is one operation, at its beginning; a
// cut while it goes on ends it.
func (d *Driver) List(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	return d.sequence(ctx, Op{Kind: List, Key: prefix}, d.inner.List(ctx, prefix))
}

// Walk implements [driver.Walker], like List. Where the inner driver cannot
// walk, it lists.
func (d *Driver) Walk(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	op := Op{Kind: Walk, Key: prefix}
	if w, ok := driver.As[driver.Walker](d.inner); ok {
		return d.sequence(ctx, op, w.Walk(ctx, prefix))
	}
	return d.sequence(ctx, op, func(yield func(driver.Info, error) bool) { walk(ctx, d.inner, prefix, yield) })
}

func walk(ctx context.Context, inner driver.Driver, prefix string, yield func(driver.Info, error) bool) bool {
	for info, err := range inner.List(ctx, prefix) {
		if err == nil && info.Dir {
			if !walk(ctx, inner, info.Key, yield) {
				return false
			}
		} else if !yield(info, err) {
			return false
		}
	}
	return true
}

func (d *Driver) sequence(ctx context.Context, op Op, seq iter.Seq2[driver.Info, error]) iter.Seq2[driver.Info, error] {
	return func(yield func(driver.Info, error) bool) {
		if err := d.step(ctx, op, func() error { return nil }, nil); err != nil {
			yield(driver.Info{}, err)
			return
		}
		for info, err := range seq {
			d.mu.Lock()
			dead := d.dead()
			d.mu.Unlock()
			if dead {
				yield(driver.Info{}, d.plan.Err)
				return
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

// Apply implements [driver.Batcher]: each change is an operation of its own.
func (d *Driver) Apply(ctx context.Context, changes ...driver.Change) error {
	return driver.OneByOne(ctx, d, changes...)
}
