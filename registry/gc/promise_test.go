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
		plan := w.plan(gc.Options{})
		if plan.Promised.Blobs != 2 || plan.InUse.Blobs+plan.Garbage.Blobs+plan.Links != 0 {
			t.Errorf("in use %+v, promised %+v, garbage %+v", plan.InUse, plan.Promised, plan.Garbage)
		}
		if r := w.execute(plan); r.Freed.Blobs+len(r.Kept) != 0 {
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

func TestAPromiseThatIsMadeAfterThePlanIsTheReasonWhyABlobStays(t *testing.T) {
	t.Parallel()
	promising(t, func(w *world) {
		loose := registrytest.PushBlob(t, w.st, repo, []byte("loose"))
		time.Sleep(24 * time.Hour)
		p := w.plan(gc.Options{})
		if _, err := w.st.StatBlob(t.Context(), repo, loose.Digest); err != nil {
			t.Fatal(err)
		}
		if r := w.execute(p); r.Freed.Blobs != 0 || r.Stayed[registry.Promised].Blobs != 1 {
			t.Errorf("receipt %+v", r)
		}
	})
}

func TestAPlanTellsWhatIsTooYoungFromWhatIsInUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.New(), store.Options{Grace: -1})
		w.put(w.image("used"), "v1")
		w.put(w.image("loose"))
		at := time.Now()
		time.Sleep(time.Minute)
		p := w.plan(gc.Options{Untagged: true})
		if p.InUse.Blobs != 3 || p.Young.Blobs != 3 || p.Garbage.Blobs != 0 || !p.Ripe.Equal(at.Add(time.Hour)) {
			t.Errorf("in use %+v, young %+v until %s", p.InUse, p.Young, p.Ripe)
		}
		time.Sleep(time.Until(p.Ripe))
		if p := w.plan(gc.Options{Untagged: true}); p.Young.Blobs != 0 || p.Garbage.Blobs != 3 || !p.Ripe.IsZero() {
			t.Errorf("young %+v until %s, garbage %+v", p.Young, p.Ripe, p.Garbage)
		}
		if p := w.plan(gc.Options{}); p.InUse.Blobs != 6 || p.Young.Blobs != 0 {
			t.Errorf("untagged manifests are kept: in use %+v, young %+v", p.InUse, p.Young)
		}
	})
}
