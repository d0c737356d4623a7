package verify_test

import (
	"os"
	"testing"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/verify"
)

func TestWhatWasFoundStandsUntilItIsMended(t *testing.T) {
	t.Parallel()
	for name, c := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, ctx := onFiles(t), t.Context()
			bad := registrytest.PushImage(t, g, "app", "bad")
			c.damage(t, g, bad)
			found, _ := run(t, g, quick)
			for _, read := range []bool{false, true} {
				still, err := verify.Check(ctx, g, quick, found, read)
				if err != nil || len(still) != len(found) {
					t.Errorf("of %+v there stand, read %v: %+v, %v", found, read, still, err)
				}
			}
			if err := os.RemoveAll(g.app()); err != nil {
				t.Fatal(err)
			}
			still, err := verify.Check(ctx, g, quick, found, true)
			for _, f := range still {
				if f.Repository != "" || !f.Quarantined {
					t.Errorf("without its repository there stands %+v", f)
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAPushMendsWhatWasFound(t *testing.T) {
	t.Parallel()
	for name, aside := range map[string]bool{"moved aside": true, "left in place": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, other, ctx := onFiles(t), openOn(t, memory.New()), t.Context()
			m := registrytest.PushImage(t, g, "app", "bad")
			registrytest.PushImage(t, other, "app", "bad")
			write(t, g.blob(layerOf("bad")), "rotten")
			write(t, g.blob(m.Digest), "rotten")
			o := quick
			o.LookOnly = !aside
			found, _ := run(t, g, o)
			if len(found) < 2 {
				t.Fatalf("found %+v", found)
			}
			if !aside { // the bytes of before, by another hand
				write(t, g.blob(layerOf("bad")), "layer of app:bad")
				write(t, g.blob(m.Digest), string(m.Content))
			} else {
				registrytest.PushImage(t, g, "app", "bad")
			}
			if still, err := verify.Check(ctx, g, o, found, true); err != nil || len(still) > 0 {
				t.Errorf("there stand %+v, %v", still, err)
			}
			if repo, err := verify.Needing(ctx, g, layerOf("bad")); repo != "app" || err != nil {
				t.Errorf("needed by %q, %v", repo, err)
			}
			if repo, err := verify.Needing(ctx, g, registry.Digest(layerOf("nobody's"))); repo != "" || err != nil {
				t.Errorf("needed by %q, %v", repo, err)
			}
		})
	}
}
