package store_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/faulty"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// large is more than is read while everybody waits.
var large = registrytest.Bytes(1, 3<<20)

// aged is a disk on which every file is old enough for a change to show.
type aged struct{ driver.Driver }

func (a aged) Stat(ctx context.Context, key string) (driver.Info, error) {
	info, err := a.Driver.Stat(ctx, key)
	info.Modified = info.Modified.Add(-time.Minute)
	return info, err
}

func TestOnlyWhatIsDamagedIsMovedAside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string][]byte{"small": []byte("small"), "large": large} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drv := memory.New()
			st := open(t, aged{drv}, openIndex(t), store.Options{})
			d := registrytest.PushBlob(t, st, "app", c).Digest
			if moved, err := st.Quarantine(t.Context(), d); moved || err != nil {
				t.Errorf("a sound blob: %v, %v", moved, err)
			}
			if moved, err := st.Quarantine(t.Context(), digest.FromString("nothing")); moved || err != nil {
				t.Errorf("no blob: %v, %v", moved, err)
			}
			rotten := slices.Clone(c)
			rotten[len(rotten)/2] ^= 1
			put(t, drv, map[string]string{blobPath(d): string(rotten)})
			if moved, err := st.Quarantine(t.Context(), d); !moved || err != nil {
				t.Fatalf("a damaged blob: %v, %v", moved, err)
			}
			if got := content(t, drv, "berth/quarantine/sha256/"+d.Encoded()); got != string(rotten) {
				t.Error("its bytes are not those that were there")
			}
			if _, err := st.OpenBlob(t.Context(), "app", d); !errors.Is(err, registry.ErrBlobUnknown) {
				t.Errorf("get: %v", err)
			}
			registrytest.PushBlob(t, st, "app", c)
			if b, err := st.OpenBlob(t.Context(), "app", d); err != nil {
				t.Error(err)
			} else if got, err := io.ReadAll(b); string(got) != string(c) || errors.Join(err, b.Close()) != nil {
				t.Error("after a push it is not what was pushed")
			}
		})
	}
}

// TestABlobThatIsPushedWhileItIsReadIsNotMovedAside has a push replace a
// damaged blob between the look that finds it damaged and the move.
func TestABlobThatIsPushedWhileItIsReadIsNotMovedAside(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	setup := open(t, drv, nil, store.Options{})
	d := registrytest.PushBlob(t, setup, "app", large).Digest
	put(t, drv, map[string]string{blobPath(d): string(large[1:]) + "x"})
	opened := 0
	racing := faulty.New(drv, faulty.Plan{Before: func(_ context.Context, op faulty.Op) error {
		if op.Kind == faulty.Open && op.Key == blobPath(d) {
			opened++
		}
		if op.Kind == faulty.Stat && op.Key == blobPath(d) && opened == 1 {
			opened++ // it was read once, and is looked at again before it is moved
			put(t, drv, map[string]string{blobPath(d): string(large)})
		}
		return nil
	}})
	st := open(t, aged{racing}, nil, store.Options{})
	if moved, err := st.Quarantine(t.Context(), d); moved || err != nil {
		t.Fatalf("%v, %v", moved, err)
	}
	if opened < 2 {
		t.Error("nothing was pushed meanwhile")
	}
	if got := content(t, drv, blobPath(d)); got != string(large) {
		t.Error("the pushed blob is not there")
	}
}

func TestQuarantineAndPushesOfTheSameEndWithASoundBlob(t *testing.T) {
	t.Parallel()
	drv := files(t)
	st := open(t, drv, nil, store.Options{})
	small := []byte("small")
	d := digest.FromBytes(small)
	for range 30 {
		registrytest.PushBlob(t, st, "app", small)
		put(t, drv, map[string]string{blobPath(d): "rotten"})
		var wg sync.WaitGroup
		wg.Go(func() { registrytest.PushBlob(t, st, "app", small) })
		for range 2 {
			wg.Go(func() {
				if _, err := st.Quarantine(t.Context(), d); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := content(t, drv, blobPath(d)); got != string(small) {
			t.Fatalf("after a push that was answered there is %q", got)
		}
	}
}

func TestTheDiskIsListedBehindWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	inner := memory.New()
	setup := open(t, inner, nil, store.Options{})
	for i := range 40 {
		registrytest.PushBlob(t, setup, "app", registrytest.Bytes(uint64(i), 10))
	}
	all := stored(t, setup, "")
	if len(all) != 40 || !slices.IsSorted(all) {
		t.Fatalf("%d blobs: %v", len(all), all)
	}
	for i, d := range all {
		if got := stored(t, setup, d); !slices.Equal(got, all[i+1:]) {
			t.Errorf("after %d come %d", i, len(got))
		}
	}
	if got := stored(t, setup, "sha256:8000000000000000000000000000000000000000000000000000000000000000"); len(got) == 0 || len(got) == 40 {
		t.Errorf("after a digest that is not there come %d", len(got))
	}
	sick := all[20].Encoded()
	st := open(t, faulty.New(inner, faulty.Plan{Before: func(_ context.Context, op faulty.Op) error {
		if op.Kind == faulty.Stat && op.Key == blobPath(all[20]) || op.Kind == faulty.List && op.Key == v2+"blobs/sha256/"+all[30].Encoded()[:2] {
			return syscall.EIO
		}
		return nil
	}}), nil, store.Options{})
	sound, told := 0, 0
	for st, err := range st.Blobs(t.Context(), "") {
		if err == nil {
			sound++
			continue
		}
		if told++; !errors.Is(err, syscall.EIO) || st.Digest != "" && st.Digest.Encoded() != sick {
			t.Errorf("%s: %v", st.Digest, err)
		}
	}
	if told != 2 || sound < 35 || sound > 38 {
		t.Errorf("%d are sound, %d errors", sound, told)
	}
	for range st.Blobs(t.Context(), "") {
		break // a reader may leave
	}
}

func stored(t *testing.T, st *store.Store, after registry.Digest) (out []registry.Digest) {
	t.Helper()
	for s, err := range st.Blobs(t.Context(), after) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s.Digest)
	}
	return out
}
