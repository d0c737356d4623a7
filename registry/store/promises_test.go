package store_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

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
