package gc_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// forgetful is a store whose census is lost once, when it comes to free blobs.
type forgetful struct {
	registry.Keeper
	lose func() // nil when it was lost
}

func (f *forgetful) Census(ctx context.Context) (registry.Census, error) {
	c, err := f.Keeper.Census(ctx)
	return &forgetting{Census: c, f: f}, err
}

type forgetting struct {
	registry.Census
	f    *forgetful
	lost bool
}

func (c *forgetting) Lost() bool { return c.lost || c.Census.Lost() }

func (c *forgetting) Sweep(ctx context.Context, notAfter time.Time, blobs ...registry.Digest) ([]registry.Swept, error) {
	if c.f.lose == nil {
		return c.Census.Sweep(ctx, notAfter, blobs...)
	}
	// One has gone by then.
	swept, err := c.Census.Sweep(ctx, notAfter, blobs[:1]...)
	if err != nil {
		return swept, err
	}
	c.f.lose()
	c.f.lose, c.lost = nil, true
	return swept, registry.ErrCensusLost
}

func TestWhatARoundKeptAndTheNextOneFreedIsFreed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memory.New(), store.Options{Grace: time.Hour})
		promised := registrytest.PushBlob(t, w.st, repo, []byte("promised for an hour"))
		m := w.image("needed again")
		for _, loose := range []string{"a", "b", "c"} {
			registrytest.PushBlob(t, w.st, repo, []byte(loose))
		}
		time.Sleep(24 * time.Hour)
		f := &forgetful{Keeper: w.st, lose: func() { time.Sleep(2 * time.Hour) }}
		p, err := gc.NewPlan(t.Context(), f, nil, gc.Options{Untagged: true})
		if err != nil || p.Garbage.Blobs != 6 || p.Links != 6 {
			t.Fatal(p, err)
		}
		if _, err := w.st.StatBlob(t.Context(), repo, promised.Digest); err != nil {
			t.Fatal(err)
		}
		kept := w.put(m, "v1")
		r, err := p.Execute(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Freed.Blobs != 4 || r.Links != 4 || r.Spared[registry.Promised] != 0 || r.Stayed[registry.Promised].Blobs != 0 {
			t.Errorf("receipt %+v", r)
		}
		if slices.ContainsFunc(r.Kept, func(k gc.Kept) bool { return k.Digest == promised.Digest }) {
			t.Errorf("what was freed is among what was kept: %v", r.Kept)
		}
		// Two blobs and their links, which the first round kept and the second one
		// did not come to.
		n := 0
		for _, k := range r.Kept {
			if k.Repository != "" {
				n++
			}
		}
		if n != 2 || len(r.Kept) != r.Spared[registry.Referred]+r.Spared[gc.Needed] {
			t.Errorf("kept %v, %v", r.Kept, r.Spared)
		}
		w.whole(kept.Digest)
		w.stored(3)
	})
}
