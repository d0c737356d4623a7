package gc_test

import (
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/manifest"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// promising is a store that promises for an hour, and has been open for long.
func promising(t *testing.T, do func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.New(), store.Options{Grace: time.Hour})
		time.Sleep(24 * time.Hour)
		do(w)
	})
}

func TestABlobThatAClientHasSeenIsKeptForTheGrace(t *testing.T) {
	t.Parallel()
	promising(t, func(w *world) {
		m := w.image("a")
		time.Sleep(24 * time.Hour)
		p, _ := manifest.Parse(m.MediaType, m.Content)
		for _, b := range p.Blobs {
			if _, err := w.st.StatBlob(t.Context(), repo, b.Digest); err != nil {
				t.Fatal(err)
			}
		}
		if r := w.clean(gc.Options{}); r.Freed.Blobs != 0 || r.Stayed[registry.Promised].Blobs != 2 {
			t.Errorf("receipt %+v", r)
		}
		w.whole(w.put(m, "v1").Digest)
	})
}

func TestAManifestThatAClientHasSeenIsKeptForTheGraceWithAllItNeeds(t *testing.T) {
	t.Parallel()
	promising(t, func(w *world) {
		child := w.put(w.image("a"))
		inner := w.put(registrytest.Index(t, child))
		time.Sleep(24 * time.Hour)
		if _, err := w.st.StatManifest(t.Context(), repo, inner.Digest); err != nil {
			t.Fatal(err)
		}
		if r := w.clean(gc.Options{Untagged: true}); r.Freed.Blobs != 0 || r.Manifests+r.Links != 0 {
			t.Errorf("receipt %+v", r)
		}
		w.whole(w.put(registrytest.Index(t, inner), "v1").Digest)
	})
}

func TestAManifestPushedByDigestIsKeptForTheGrace(t *testing.T) {
	t.Parallel()
	promising(t, func(w *world) {
		m := w.image("a")
		for _, since := range []time.Duration{0, 24 * time.Hour} { // new, and pushed again
			time.Sleep(since)
			child := w.put(m)
			time.Sleep(59 * time.Minute)
			w.clean(gc.Options{Untagged: true})
			w.whole(child.Digest)
		}
		time.Sleep(2 * time.Minute)
		w.clean(gc.Options{Untagged: true})
		w.stored(0)
	})
}

func TestABlobIsKeptWhileItIsMounted(t *testing.T) {
	t.Parallel()
	w := rash(t)
	b := registrytest.PushBlob(t, w.st, "other", []byte("layer")).Digest
	p := w.plan(all)
	if _, err := w.st.MountBlob(t.Context(), "other", repo, b); err != nil {
		t.Fatal(err)
	}
	r := w.execute(p)
	if r.Links != 1 || r.Freed.Blobs != 0 || r.Spared[registry.Referred] != 1 {
		t.Errorf("receipt %+v", r)
	}
	if err := hashes(w.st, repo, b); err != nil {
		t.Error(err)
	}
}

func TestWhatIsYoungIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.New(), store.Options{Grace: -1})
		registrytest.PushBlob(t, w.st, repo, []byte("loose"))
		time.Sleep(59 * time.Minute)
		p := w.plan(gc.Options{})
		if p.Garbage.Blobs != 0 || p.YoungLinks != 1 {
			t.Errorf("plan %+v, %d young links", p.Garbage, p.YoungLinks)
		}
		w.execute(p)
		time.Sleep(2 * time.Minute)
		if r := w.clean(gc.Options{}); r.Freed.Bytes != 5 {
			t.Errorf("freed %+v", r.Freed)
		}
	})
}

func TestNothingGoesBeforeTheStoreIsOpenForTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv := memory.New()
		before := newWorld(t, drv, store.Options{Grace: time.Hour})
		registrytest.PushBlob(t, before.st, repo, []byte("loose"))
		time.Sleep(24 * time.Hour)
		w := newWorld(t, drv, store.Options{Grace: time.Hour})
		if r := w.clean(gc.Options{}); r.Links != 0 || r.Spared[registry.Restart] == 0 {
			t.Errorf("receipt %+v", r)
		}
		time.Sleep(time.Hour)
		if r := w.clean(gc.Options{}); r.Freed.Bytes != 5 {
			t.Errorf("freed %+v", r.Freed)
		}
	})
}
