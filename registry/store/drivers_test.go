package store_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"strings"
	"sync/atomic"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// counting counts the contents that are opened, and can hold up who lists a
// folder until that one gives up.
type counting struct {
	*memory.Driver
	stopAt  string
	stopped chan struct{} // closed when somebody is held up
	blobs   atomic.Int64
}

func (c *counting) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if strings.Contains(key, "/blobs/") {
		c.blobs.Add(1)
	}
	return c.Driver.Open(ctx, key)
}

func (c *counting) List(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	if c.stopAt != "" && prefix == c.stopAt {
		close(c.stopped)
		<-ctx.Done()
	}
	return c.Driver.List(ctx, prefix)
}

// vanishing is a disk that can be unplugged.
type vanishing struct {
	*memory.Driver
	gone atomic.Bool
}

func (v *vanishing) missing(key string) error {
	if v.gone.Load() {
		return &fs.PathError{Op: "open", Path: key, Err: fs.ErrNotExist}
	}
	return nil
}

func (v *vanishing) Stat(ctx context.Context, key string) (driver.Info, error) {
	if err := v.missing(key); err != nil {
		return driver.Info{}, err
	}
	return v.Driver.Stat(ctx, key)
}

func (v *vanishing) List(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	if err := v.missing(prefix); err != nil {
		return func(yield func(driver.Info, error) bool) { yield(driver.Info{}, err) }
	}
	return v.Driver.List(ctx, prefix)
}

// dated is a disk whose clock is ahead.
type dated struct {
	*memory.Driver
	ahead time.Duration
}

func (d *dated) Stat(ctx context.Context, key string) (driver.Info, error) {
	info, err := d.Driver.Stat(ctx, key)
	info.Modified = info.Modified.Add(d.ahead)
	return info, err
}

func pushBlob(ctx context.Context, st *store.Store, content []byte) error {
	up, err := st.StartUpload(ctx, "app")
	if err != nil {
		return err
	}
	_, err = up.Write(content)
	if err == nil {
		_, err = up.Commit(ctx, digest.FromBytes(content))
	}
	if err != nil {
		return errors.Join(err, up.Cancel(ctx))
	}
	return nil
}

func readAll(ctx context.Context, st *store.Store, d registry.Digest) error {
	b, err := st.OpenBlob(ctx, "app", d)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, b)
	return errors.Join(err, b.Close())
}

func listed(seq iter.Seq2[string, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}
