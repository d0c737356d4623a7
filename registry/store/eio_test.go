package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"berth/registry"
	"berth/registry/driver/faulty"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// TestOneErrorOfTheDiskFailsOneRequest has each operation of a push, a pull, an
// overwrite and deletes fail once with EIO, as a disk with a bad sector does. A
// request that met it says so, and never that a thing is not there; what was
// answered before and after holds; and the same again succeeds.
func TestOneErrorOfTheDiskFailsOneRequest(t *testing.T) {
	t.Parallel()
	for _, effect := range []faulty.Effect{faulty.None, faulty.Torn, faulty.Done} {
		t.Run(fmt.Sprint("effect ", effect), func(t *testing.T) {
			t.Parallel()
			at := 1
			for ; ; at++ {
				if !strike(t, at, effect) {
					break
				}
			}
			if at < 30 {
				t.Errorf("only %d operations were met", at)
			}
		})
	}
}

// strike plays the scenario, whose at-th operation fails; false when there are
// not so many.
func strike(t *testing.T, at int, effect faulty.Effect) bool {
	t.Helper()
	inner := memory.New()
	setup := open(t, inner, nil, store.Options{})
	old := registrytest.PushImage(t, setup, "app", "kept", "v1")
	next := registrytest.Image(t, setup, "app", "next")
	disk := faulty.New(inner, faulty.Plan{At: at, Effect: effect, Err: syscall.EIO, Once: true})
	// What is in memory meets no disk.
	st := open(t, disk, nil, store.Options{Cache: -1, Park: -1})
	ctx := context.Background()
	layer := []byte("a new layer")
	steps := []func() error{
		func() error { return pushBlob(ctx, st, layer) },
		func() error { _, err := st.PutManifest(ctx, "app", next, "v1", "v2"); return err },
		func() error { _, err := st.ResolveTag(ctx, "app", "v1"); return err },
		func() error { return readAll(ctx, st, digest.FromBytes(layer)) },
		func() error { return listed(st.Tags(ctx, "app", "")) },
		func() error { return listed(st.Repositories(ctx, "")) },
		func() error { _, err := st.MountBlob(ctx, "app", "other", digest.FromBytes(layer)); return err },
		func() error { return st.DeleteTag(ctx, "app", "v2") },
		func() error { return st.DeleteBlob(ctx, "app", digest.FromBytes(layer)) },
		func() error { return st.DeleteManifest(ctx, "app", next.Digest) },
	}
	for n, step := range steps {
		before := disk.Fired()
		err := step()
		met := disk.Fired() && !before
		switch {
		case err == nil:
		case !met:
			t.Errorf("operation %d: step %d failed without a reason: %v", at, n, err)
		case !errors.Is(err, syscall.EIO):
			t.Errorf("operation %d: step %d says %v, not that the disk failed", at, n, err)
		}
		if err != nil && met {
			// The same again; a delete may have been done.
			if err := step(); err != nil && registry.AsErrors(err) == nil {
				t.Errorf("operation %d: step %d again: %v", at, n, err)
			}
		}
		if d, err := st.ResolveTag(ctx, "app", "kept"); err != nil && !errors.Is(err, syscall.EIO) || err == nil && d.Digest != old.Digest {
			t.Errorf("operation %d: after step %d the tag that nobody touched is %s, %v", at, n, d.Digest, err)
		}
	}
	if got := list(t, open(t, inner, nil, store.Options{}).Tags(ctx, "app", "")); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("operation %d: at the end there are %v", at, got)
	}
	return disk.Fired()
}
