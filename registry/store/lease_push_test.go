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

func TestTheFirstLayerOfALongPushWaitsForTheLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := open(t, memory.New(), nil, store.Options{Grace: time.Hour, Park: -1})
		time.Sleep(24 * time.Hour)
		first := registrytest.PushBlob(t, st, "a", []byte("small")).Digest
		elsewhere := registrytest.PushBlob(t, st, "b", []byte("of another push")).Digest
		up, err := st.StartUpload(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if promised(t, st, "b", elsewhere) {
			t.Error("the push to one repository holds up what goes from another")
		}
		if !promised(t, st, "a", first) {
			t.Error("the first layer goes while the second comes")
		}
		if err := up.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if !promised(t, st, "a", first) {
			t.Error("the first layer goes between the last and the manifest")
		}
		time.Sleep(time.Minute)
		if promised(t, st, "a", first) {
			t.Error("it stays though nobody pushes")
		}
	})
}

func TestAnUploadThatNobodyEndsDoesNotHoldAPromiseForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := open(t, memory.New(), nil, store.Options{Grace: time.Hour, Park: -1})
		time.Sleep(24 * time.Hour)
		first := registrytest.PushBlob(t, st, "a", []byte("small")).Digest
		up, err := st.StartUpload(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(4*time.Hour + time.Minute)
		if promised(t, st, "a", first) {
			t.Error("it stays for more than four graces")
		}
		if err := up.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWithoutAGraceALayerWaitsForItsManifestAfterALongUpload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := open(t, memory.New(), nil, store.Options{Grace: store.InFlight, Park: -1})
		first := registrytest.PushBlob(t, st, "a", []byte("small")).Digest
		up, err := st.StartUpload(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Minute)
		if err := up.Cancel(context.Background()); err != nil {
			t.Fatal(err)
		}
		if !promised(t, st, "a", first) {
			t.Error("the first layer goes between the last and the manifest")
		}
		time.Sleep(16 * time.Second)
		if promised(t, st, "a", first) {
			t.Error("it stays though nobody pushes")
		}
	})
}

func TestWhoLooksForStaleUploadsDoesNotPush(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := open(t, memory.New(), nil, store.Options{Grace: store.InFlight, Park: -1})
		first := registrytest.PushBlob(t, st, "a", []byte("small")).Digest
		up, err := st.StartUpload(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if err := up.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		for u, err := range st.StaleUploads(t.Context(), time.Now()) {
			if err != nil {
				t.Fatal(err)
			}
			if promised(t, st, "a", first) {
				t.Errorf("looking at %s counts as pushing", u.ID)
			}
		}
		if promised(t, st, "a", first) {
			t.Error("having looked counts as pushing")
		}
	})
}
