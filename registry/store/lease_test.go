package store_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/manifest"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// promised reports whether a removal of a blob of a repository is refused.
func promised(t *testing.T, st *store.Store, repo string, d registry.Digest) bool {
	t.Helper()
	c, err := st.Census(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	why, err := c.Unlink(t.Context(), repo, time.Now(), []registry.Link{{Kind: registry.BlobLink, Digest: d, Target: d}})
	if err != nil {
		t.Fatal(err)
	}
	return why[0] == registry.Promised
}

// parts are the blobs that a manifest needs.
func parts(t *testing.T, m registry.Manifest) (out []registry.Digest) {
	t.Helper()
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range p.Blobs {
		out = append(out, b.Digest)
	}
	return out
}

func TestWithoutAGraceAPromiseLastsUntilItIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := open(t, memory.New(), nil, store.Options{Grace: store.InFlight, Park: -1})
		layer := registrytest.PushBlob(t, st, "a", []byte("layer"))
		if !promised(t, st, "a", layer.Digest) {
			t.Error("a layer goes before its manifest can come")
		}
		m := registrytest.PushImage(t, st, "a", "v1")
		parts := parts(t, m)
		if len(parts) == 0 {
			t.Fatal("an image without parts proves nothing")
		}
		for _, d := range parts {
			if promised(t, st, "a", d) {
				t.Errorf("%s is promised, though its manifest is there", d)
			}
		}
		time.Sleep(time.Minute)
		if promised(t, st, "a", layer.Digest) {
			t.Error("a layer stays for ever")
		}
	})
}

func TestWithoutAGraceAPromiseLastsWhileAnUploadIsOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := open(t, memory.New(), nil, store.Options{Grace: store.InFlight, Park: -1})
		layer := registrytest.PushBlob(t, st, "a", []byte("small"))
		up, err := st.StartUpload(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Minute)
		if !promised(t, st, "a", layer.Digest) {
			t.Error("a small layer goes while a large one comes")
		}
		time.Sleep(time.Hour)
		if promised(t, st, "a", layer.Digest) {
			t.Error("an upload that nobody ends holds everything")
		}
		if err := up.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWithoutAGraceOneRepositoryDoesNotKeepThePromiseToAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := open(t, memory.New(), nil, store.Options{Grace: store.InFlight, Park: -1})
		m := registrytest.PushImage(t, st, "a", "v1")
		shared := parts(t, m)[0]
		if _, err := st.MountBlob(t.Context(), "a", "b", shared); err != nil {
			t.Fatal(err)
		}
		if _, err := st.PutManifest(t.Context(), "a", m, "v2"); err != nil {
			t.Fatal(err)
		}
		if !promised(t, st, "b", shared) {
			t.Error("what was mounted into b goes since a has pushed")
		}
	})
}

// TestAShorterGraceCountsForWhatWasPromisedBefore is for who sets a grace of 0s
// since something is to be gone.
func TestAShorterGraceCountsForWhatWasPromisedBefore(t *testing.T) {
	t.Parallel()
	for _, to := range []struct{ grace, stays, goes time.Duration }{
		{store.InFlight, 10 * time.Second, 20 * time.Second},
		{time.Minute, 50 * time.Second, 70 * time.Second},
		{2 * time.Hour, 50 * time.Minute, 70 * time.Minute},
	} {
		t.Run(to.grace.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				st := open(t, memory.New(), nil, store.Options{Grace: time.Hour, Park: -1})
				time.Sleep(2 * time.Hour) // nothing waits for the start any more
				layer := registrytest.PushBlob(t, st, "a", []byte("layer"))
				st.SetGrace(to.grace)
				time.Sleep(to.stays)
				if !promised(t, st, "a", layer.Digest) {
					t.Errorf("%v later it goes, of which a push has just been told that it is there", to.stays)
				}
				time.Sleep(to.goes - to.stays)
				if promised(t, st, "a", layer.Digest) {
					t.Errorf("%v later it stays", to.goes)
				}
			})
		})
	}
}

func TestAPushThatIsUnderWayGoesOnWhenThereIsNoGraceAnyMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st := open(t, memory.New(), nil, store.Options{Grace: time.Hour, Park: -1})
		time.Sleep(2 * time.Hour)
		layer := registrytest.PushBlob(t, st, "a", []byte("small"))
		up, err := st.StartUpload(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Hour) // longer than the grace: it runs for the push
		st.SetGrace(30 * time.Minute)
		time.Sleep(time.Minute)
		st.SetGrace(store.InFlight)
		time.Sleep(30 * time.Minute)
		if !promised(t, st, "a", layer.Digest) {
			t.Error("a small layer goes while a large one comes")
		}
		if err := up.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if promised(t, st, "a", layer.Digest) {
			t.Error("a layer stays, although the push was given up")
		}
	})
}

func TestAnOrderlyStopLeavesItsPromisesInWriting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv := memory.New()
		before, err := store.Open(context.Background(), drv, nil, store.Options{Grace: time.Hour, Park: -1})
		if err != nil {
			t.Fatal(err)
		}
		old := registrytest.PushBlob(t, before, "b", []byte("old"))
		time.Sleep(2 * time.Hour)
		fresh := registrytest.PushBlob(t, before, "a", []byte("new"))
		if err := before.Close(); err != nil {
			t.Fatal(err)
		}
		st, err := store.Open(context.Background(), drv, nil, store.Options{Grace: time.Hour, Park: -1})
		if err != nil {
			t.Fatal(err)
		}
		if at := st.Settled(); !at.IsZero() {
			t.Errorf("it waits until %s", at)
		}
		if promised(t, st, "b", old.Digest) || !promised(t, st, "a", fresh.Digest) {
			t.Error("the promises are not those of before")
		}
		// That one is killed: what it promised nobody knows.
		killed, err := store.Open(context.Background(), drv, nil, store.Options{Grace: time.Hour, Park: -1})
		if err != nil {
			t.Fatal(err)
		}
		if killed.Settled().IsZero() {
			t.Error("after a crash nothing is waited for")
		}
		time.Sleep(time.Hour)
		if !killed.Settled().IsZero() {
			t.Error("it waits for ever")
		}
	})
}

func TestPromisesThatCannotBeReadAreWaitedFor(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "{", `{"version":9}`} {
		drv := memory.New()
		if err := drv.Put(t.Context(), "berth/promises.json", []byte(content)); err != nil {
			t.Fatal(err)
		}
		if st := open(t, drv, nil, store.Options{Grace: time.Hour, Park: -1}); st.Settled().IsZero() {
			t.Errorf("%q is taken for knowledge", content)
		}
	}
}
