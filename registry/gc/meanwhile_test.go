package gc_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"

	"berth/registry"
	"berth/registry/gc"
	"berth/registry/manifest"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// meanwhile is what clients do between the plan and the clean-up, in a store
// that promises nothing. Before, a garbage index with a garbage image, and a
// signature of it, are in repo. do gives what must be whole afterwards.
var meanwhile = map[string]func(w *world, g garbage) registry.Digest{
	"a new image uses an old layer": func(w *world, g garbage) registry.Digest {
		return w.put(g.image, "v1").Digest // its blobs are garbage, too
	},
	"the index is tagged again": func(w *world, g garbage) registry.Digest {
		return w.put(g.index, "v1").Digest
	},
	"another index names the inner one": func(w *world, g garbage) registry.Digest {
		return w.put(registrytest.Index(w.t, registrytest.Descriptor(g.index)), "v1").Digest
	},
	"another image names it as its subject": func(w *world, g garbage) registry.Digest {
		w.put(registrytest.Artifact(w.t, w.st, repo, "application/sbom", registrytest.Descriptor(g.index), nil), "sbom")
		return g.index.Digest
	},
	"the layers are pushed again": func(w *world, g garbage) registry.Digest {
		w.image("a")
		return w.put(g.image, "v1").Digest
	},
	"the layers are mounted elsewhere": func(w *world, g garbage) registry.Digest {
		p, _ := manifest.Parse("", g.image.Content)
		for _, b := range p.Blobs {
			if _, err := w.st.MountBlob(context.Background(), repo, "else/where", b.Digest); err != nil {
				w.t.Error(err)
			}
		}
		if _, err := w.st.PutManifest(context.Background(), "else/where", g.image, "v1"); err != nil {
			w.t.Error(err)
		}
		return ""
	},
	"the index is deleted, for good as it seems": func(w *world, g garbage) registry.Digest {
		if err := w.reg.DeleteManifest(context.Background(), repo, g.index.Digest); err != nil {
			w.t.Error(err)
		}
		return ""
	},
}

type garbage struct{ image, index, signature registry.Manifest }

func newGarbage(w *world) garbage {
	g := garbage{image: w.image("a")}
	g.index = registrytest.Index(w.t, w.put(g.image))
	g.signature = registrytest.Artifact(w.t, w.st, repo, "application/signature", w.put(g.index), nil)
	w.put(g.signature)
	return g
}

func TestWhatIsReferredToAfterThePlanStaysWithAllItNeeds(t *testing.T) {
	t.Parallel()
	for name, do := range meanwhile {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := rash(t)
			g := newGarbage(w)
			p := w.plan(all)
			if p.Manifests != 3 || p.InUse.Blobs != 0 {
				t.Fatalf("%d manifests are garbage, %+v in use", p.Manifests, p.InUse)
			}
			d := do(w, g)
			w.execute(p)
			w.restoreAll()
			switch {
			case d != "":
				w.whole(d)
			case name == "the layers are mounted elsewhere":
				if err := whole(w.st, "else/where", g.image.Digest); err != nil {
					t.Error(err)
				}
			default:
				w.whole(g.index.Digest)
			}
		})
	}
}

func (w *world) restoreAll() {
	w.t.Helper()
	entries, err := w.bin.Entries(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := w.reg.Restore(context.Background(), e.ID, ""); err != nil {
			w.t.Error(err)
		}
	}
}

func TestAnImageThatIsRestoredWhileTheMarkingRunsStays(t *testing.T) {
	t.Parallel()
	w := rash(t)
	index := w.put(registrytest.Index(t, w.put(w.image("a"))), "v1")
	if err := w.reg.DeleteTag(t.Context(), repo, "v1"); err != nil {
		t.Fatal(err)
	}
	p := w.plan(all)
	w.restoreAll()
	w.execute(p)
	w.whole(index.Digest)
}

// hooked is a store that lets something happen while a clean-up reads.
type hooked struct {
	registry.Keeper
	lost *int // how many censuses are lost at once
}

type lostCensus struct{ registry.Census }

func (lostCensus) Lost() bool { return true }

func (h hooked) Census(ctx context.Context) (registry.Census, error) {
	c, err := h.Keeper.Census(ctx)
	if err == nil && h.lost != nil && *h.lost > 0 {
		*h.lost--
		return lostCensus{c}, nil
	}
	return c, err
}

func TestATagThatMovesWhileTheMarkingRunsKeepsItsImage(t *testing.T) {
	t.Parallel()
	w := rash(t)
	index := registrytest.Index(t, w.put(w.image("a")))
	w.put(index, "zz")
	for l, err := range w.st.Contents(t.Context(), repo) {
		if err != nil || l.Tag != "zz" {
			t.Fatalf("%+v, %v", l, err)
		}
		break
	}
	moved := movingTags{w.st, w, index, new(sync.Once)}
	p, err := gc.NewPlan(t.Context(), moved, nil, all) // not even the trash knows
	if err != nil {
		t.Fatal(err)
	}
	if p.Manifests != 2 {
		t.Fatalf("%d manifests are garbage in the plan: the tag was seen", p.Manifests)
	}
	w.execute(p)
	w.whole(index.Digest)
}

// movingTags moves the tag from zz to aa after aa would have been listed.
type movingTags struct {
	*store.Store
	w     *world
	index registry.Manifest
	once  *sync.Once
}

func (m movingTags) Contents(ctx context.Context, repo string) iter.Seq2[registry.Link, error] {
	return func(yield func(registry.Link, error) bool) {
		m.once.Do(func() {
			m.w.put(m.index, "aa")
			m.w.untag("zz")
		})
		for l, err := range m.Store.Contents(ctx, repo) {
			if l.Tag == "aa" {
				continue
			}
			if !yield(l, err) {
				return
			}
		}
	}
}

func TestACleanUpThatCouldNotRememberLooksAgain(t *testing.T) {
	t.Parallel()
	w := rash(t)
	gone := w.put(w.image("gone"))
	kept := w.put(w.image("kept"))
	lost := 1
	p, err := gc.NewPlan(t.Context(), hooked{Keeper: w.st, lost: &lost}, []registry.Rooter{w.bin}, all)
	if err != nil {
		t.Fatal(err)
	}
	w.put(registrytest.Index(t, kept), "v1")
	young := w.put(w.image("pushed after the plan, and garbage at once"))
	r := w.execute(p)
	if r.Manifests != 1 || r.Freed.Blobs != 3 {
		t.Errorf("receipt %+v", r)
	}
	if _, err := w.st.Manifest(t.Context(), repo, gone.Digest); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("garbage stayed: %v", err)
	}
	w.whole(kept.Digest)
	w.whole(young.Digest) // it was not in the plan that was shown
	w.clean(all)
	w.whole(kept.Digest)
	w.stored(4)
}

func TestAPushOfWhatIsBeingSweptBringsItBack(t *testing.T) {
	t.Parallel()
	w := rash(t)
	m := w.image("a")
	w.put(m)
	w.clean(all)
	w.stored(0)
	w.image("a")
	w.whole(w.put(m, "v1").Digest)
}

func TestWhatGoesIntoTheTrashWhileTheMarkingRunsStays(t *testing.T) {
	t.Parallel()
	w := rash(t)
	index := w.put(registrytest.Index(t, w.put(w.image("a"))), "v1")
	p, err := gc.NewPlan(t.Context(), deleting{w.st, w}, []registry.Rooter{w.bin}, all)
	if err != nil {
		t.Fatal(err)
	}
	if p.Manifests != 0 || p.Garbage.Blobs != 0 {
		t.Errorf("%d manifests and %+v are garbage", p.Manifests, p.Garbage)
	}
	w.execute(p)
	w.restoreAll()
	w.whole(index.Digest)
}

// deleting deletes v1 just before its repository is listed.
type deleting struct {
	*store.Store
	w *world
}

func (d deleting) Contents(ctx context.Context, repo string) iter.Seq2[registry.Link, error] {
	if _, err := d.w.st.ResolveTag(ctx, repo, "v1"); err == nil {
		if err := d.w.reg.DeleteTag(ctx, repo, "v1"); err != nil {
			d.w.t.Error(err)
		}
	}
	return d.Store.Contents(ctx, repo)
}
