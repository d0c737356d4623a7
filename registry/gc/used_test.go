package gc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/store"
)

// uses is when manifests were used, as an index tells it.
type uses map[registry.Digest]time.Time

func (u uses) of(context.Context, string) iter.Seq2[gc.Use, error] {
	return func(yield func(gc.Use, error) bool) {
		for d, at := range u {
			if !yield(gc.Use{Digest: d, At: at}, nil) {
				return
			}
		}
	}
}

// gone wants manifests that are not linked any more.
func (w *world) gone(digests ...registry.Digest) {
	w.t.Helper()
	for _, d := range digests {
		if _, err := w.st.StatManifest(context.Background(), repo, d); !errors.Is(err, registry.ErrManifestUnknown) && !errors.Is(err, registry.ErrNameUnknown) {
			w.t.Errorf("%s: %v", d, err)
		}
	}
}

const fortnight = 14 * 24 * time.Hour

func TestWhatIsUsedByItsDigestStaysAsLongAsUntaggedManifestsDo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.New(), store.Options{Grace: time.Hour})
		used, unused, unknown := w.put(w.image("used")), w.put(w.image("unused")), w.put(w.image("unknown"))
		now := time.Now().Add(30 * 24 * time.Hour)
		known := uses{used.Digest: now.Add(-13 * 24 * time.Hour), unused.Digest: now.Add(-15 * 24 * time.Hour)}
		time.Sleep(time.Until(now))
		o := gc.Options{Untagged: true, UntaggedAfter: fortnight, Uses: known.of}
		p := w.plan(o)
		if !p.UntaggedRipe.Equal(now.Add(fortnight)) {
			t.Errorf("ripe at %v, want %v", p.UntaggedRipe, now.Add(fortnight))
		}
		if r := w.execute(p); r.Manifests != 1 {
			t.Errorf("%d manifests went", r.Manifests)
		}
		w.whole(used.Digest)
		w.whole(unknown.Digest)
		w.gone(unused.Digest)
		known[unknown.Digest] = now.Add(-fortnight)
		time.Sleep(2 * 24 * time.Hour)
		w.clean(o)
		w.gone(used.Digest, unknown.Digest)
	})
}

func TestWithoutAnAgeWhatWasUsedWithinTheGraceStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.New(), store.Options{Grace: time.Minute})
		used, unknown := w.put(w.image("used")), w.put(w.image("unknown"))
		time.Sleep(3 * time.Hour)
		o := gc.Options{Untagged: true, Uses: uses{used.Digest: time.Now().Add(-59 * time.Minute)}.of}
		w.clean(o)
		w.whole(used.Digest)
		w.gone(unknown.Digest)
		time.Sleep(2 * time.Minute)
		w.clean(o)
		w.gone(used.Digest)
	})
}

func TestWhatIsPulledSinceThePlanStaysWithAllThatGoesWithIt(t *testing.T) {
	t.Parallel()
	w := rash(t)
	g := newGarbage(w)
	other := w.put(w.image("other"))
	known := uses{}
	o := all
	o.Uses = known.of
	p := w.plan(o)
	if p.Manifests != 4 {
		t.Fatalf("%d manifests are garbage", p.Manifests)
	}
	known[g.image.Digest] = time.Now()
	r := w.execute(p)
	if r.Manifests != 1 || r.Spared[gc.Pulled] < 3 {
		t.Errorf("%d manifests went, kept: %v", r.Manifests, r.Spared)
	}
	w.whole(g.index.Digest)
	w.whole(g.signature.Digest)
	w.gone(other.Digest)
}

func TestWhereUsesCannotBeReadNothingGoes(t *testing.T) {
	t.Parallel()
	w := rash(t)
	d := w.put(w.image("a"))
	failing := false
	o := all
	o.Uses = func(context.Context, string) iter.Seq2[gc.Use, error] {
		return func(yield func(gc.Use, error) bool) {
			if failing {
				yield(gc.Use{}, errors.New("the index is damaged"))
			}
		}
	}
	p := w.plan(o)
	failing = true
	r, err := p.Execute(t.Context(), nil)
	if err != nil || r.Manifests != 0 || len(r.Problems) != 1 {
		t.Errorf("receipt: %+v, %v", r, err)
	}
	w.whole(d.Digest)
	o.UntaggedAfter = time.Nanosecond
	if p := w.plan(o); p.Manifests != 0 || len(p.Problems) != 1 {
		t.Errorf("plan: %d manifests, %v", p.Manifests, p.Problems)
	}
}

func TestWhatIsPulledSinceThePlanWasShownStaysWhenItIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := rash(t)
	d, other := w.put(w.image("a")), w.put(w.image("b"))
	known, lost := uses{}, 1
	o := all
	o.Uses = known.of
	p, err := gc.NewPlan(t.Context(), hooked{Keeper: w.st, lost: &lost}, []registry.Rooter{w.bin}, o)
	if err != nil || p.Manifests != 2 {
		t.Fatalf("plan: %+v, %v", p, err)
	}
	known[d.Digest] = time.Now()
	if r := w.execute(p); r.Manifests != 1 || r.Spared[gc.Pulled] == 0 {
		t.Errorf("receipt: %+v", r)
	}
	w.whole(d.Digest)
	w.gone(other.Digest)
}

// uses gives when the manifests of a repository were used: long ago.
func (v *vast) uses(_ context.Context, repo string) iter.Seq2[gc.Use, error] {
	return func(yield func(gc.Use, error) bool) {
		var n int
		_, _ = fmt.Sscanf(repo, "team/app-%d", &n)
		for i := n * perRepo; i < min((n+1)*perRepo, v.images); i++ {
			if !yield(gc.Use{Digest: v.manifest(i), At: time.Unix(1, 0)}, nil) {
				return
			}
		}
	}
}

// BenchmarkPlanByUse makes a plan of a million blobs with and without uses.
func BenchmarkPlanByUse(b *testing.B) {
	v := &vast{images: 1_000_000 / (layers + 1), garbage: 5}
	for _, asks := range []bool{false, true} {
		b.Run(fmt.Sprint("asks=", asks), func(b *testing.B) {
			o := gc.Options{Untagged: true, UntaggedAfter: 2 * time.Hour}
			if asks {
				o.Uses = v.uses
			}
			var most float64
			for b.Loop() {
				most = max(most, peak(func() {
					p, err := gc.NewPlan(b.Context(), vastStore{vast: v}, nil, o)
					if err != nil || p.Garbage.Blobs != 200_000 {
						b.Fatal(p, err)
					}
				}))
			}
			b.ReportMetric(most, "peak-MB")
		})
	}
}
