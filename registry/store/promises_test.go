package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry/driver/filesystem"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// TestPromisesInWritingAreThoseOfTheLastRun has a run without a grace, which
// gets one while it runs and is killed, come after one that stopped in order.
func TestPromisesInWritingAreThoseOfTheLastRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv := memory.New()
		begin := func(grace time.Duration) *store.Store {
			st, err := store.Open(context.Background(), drv, nil, store.Options{Grace: grace, Park: -1})
			if err != nil {
				t.Fatal(err)
			}
			return st
		}
		first := begin(time.Hour)
		time.Sleep(2 * time.Hour)
		registrytest.PushBlob(t, first, "a", []byte("old"))
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		// One that promises nothing changes nothing about that.
		if err := begin(-1).Close(); err != nil {
			t.Fatal(err)
		}
		if st := begin(time.Hour); !st.Settled().IsZero() {
			t.Error("a run without promises made those before it forgotten")
		} else if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		killed := begin(store.InFlight)
		killed.SetGrace(time.Hour)
		registrytest.PushBlob(t, killed, "a", []byte("new"))
		if begin(time.Hour).Settled().IsZero() {
			t.Error("what was promised before a crash is forgotten, and nothing waits for it")
		}
	})
}

// TestWhereNothingWasPushedNothingWaits is for who tries Berth: what he pushes and
// deletes in his first hour waits for nothing but its age.
func TestWhereNothingWasPushedNothingWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv := memory.New()
		for _, waits := range []bool{false, true} {
			st, err := store.Open(context.Background(), drv, nil, store.Options{Grace: time.Hour, Park: -1})
			if err != nil {
				t.Fatal(err)
			}
			if st.Settled().IsZero() == waits {
				t.Errorf("what the start before this one promised is known: %t", !waits)
			}
			registrytest.PushBlob(t, st, "a", []byte("new")) // and it is killed
		}
	})
}

// TestALinkToADiskThatIsNotThereIsNoNewFolder has the images on another disk,
// which comes after the start.
func TestALinkToADiskThatIsNotThereIsNoNewFolder(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if err := os.Symlink(filepath.Join(data, "away"), filepath.Join(data, "docker")); err != nil {
		t.Fatal(err)
	}
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = drv.Close() })
	st, err := store.Open(t.Context(), drv, nil, store.Options{Grace: time.Hour, Park: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	if st.Settled().IsZero() {
		t.Error("what was promised on the disk that is away is said to be known")
	}
}

// TestPromisesWithoutAGraceAreWrittenDownToo has the grace taken away while a push
// goes on, given back, and a restart.
func TestPromisesWithoutAGraceAreWrittenDownToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv := memory.New()
		begin := func() *store.Store { return open(t, drv, nil, store.Options{Grace: time.Hour, Park: -1}) }
		first := begin()
		time.Sleep(2 * time.Hour)
		layer := registrytest.PushBlob(t, first, "a", []byte("layer"))
		first.SetGrace(store.InFlight)
		first.SetGrace(time.Hour)
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		second := begin()
		if !second.Settled().IsZero() {
			return // it waits, which is as good
		}
		if !promised(t, second, "a", layer.Digest) {
			t.Error("a layer that was just pushed goes after a restart, and its manifest is refused")
		}
	})
}
