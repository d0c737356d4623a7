package store_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// handles counts the files that are open for writing.
type handles struct {
	*memory.Driver
	open atomic.Int64
}

type handle struct {
	driver.Writer
	h *handles
}

func (h *handles) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	w, err := h.Driver.Append(ctx, key, offset)
	if err == nil {
		h.open.Add(1)
	}
	return &handle{w, h}, err
}

func (w *handle) Close() error {
	w.h.open.Add(-1)
	return w.Writer.Close()
}

func TestUploadsThatNobodyGoesOnWithKeepFewFilesOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv := &handles{Driver: memory.New()}
		st, err := store.Open(context.Background(), drv, nil, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for i := range 1000 {
			up := start(t, st, context.Background())
			write(t, up, []byte(fmt.Sprint(i)))
			if err := up.Close(); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, up.ID())
		}
		if n := drv.open.Load(); n > 200 {
			t.Errorf("%d files are open", n)
		}
		for i, id := range ids {
			if i%100 != 0 {
				continue
			}
			if _, err := resume(t, st, id).Commit(context.Background(), digest.FromString(fmt.Sprint(i))); err != nil {
				t.Errorf("upload %d: %v", i, err)
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := drv.open.Load(); n != 0 {
			t.Errorf("%d files stay open", n)
		}
		up := start(t, st, context.Background())
		write(t, up, []byte("hello"))
		if err := up.Close(); err != nil || drv.open.Load() != 1 {
			t.Errorf("%d files are open, %v: nothing is parked any more", drv.open.Load(), err)
		}
		if err := st.Close(); err != nil || drv.open.Load() != 0 {
			t.Errorf("%d files stay open after Close, %v", drv.open.Load(), err)
		}
	})
}

func TestAPurgeLeavesAParkedUploadAsItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv := &handles{Driver: memory.New()}
		st, err := store.Open(context.Background(), drv, nil, store.Options{Park: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		up := start(t, st, context.Background())
		_ = up.Close()
		time.Sleep(9 * time.Second)
		if n, err := st.PurgeUploads(context.Background(), time.Now().Add(time.Hour)); n != 0 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
		if st.OpenUploads() != 0 {
			t.Error("a purge is nobody to wait for")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if drv.open.Load() != 0 {
			t.Error("a purge made it stay longer")
		}
		if err := resume(t, st, up.ID()).Cancel(context.Background()); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
}
