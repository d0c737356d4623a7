package app

import (
	"testing"
	"time"

	"berth/registry"
	"berth/registry/registrytest"
	"berth/registry/verify"
)

// TestADanglingTagThatIsPushedInThatMomentStays has pushes that come after it
// was looked at, and before it is removed.
func TestADanglingTagThatIsPushedInThatMomentStays(t *testing.T) {
	t.Parallel()
	for name, push := range map[string]struct {
		tags []string
		seed string
	}{"again": {[]string{"v1"}, "lost"}, "another": {[]string{"v1"}, "another"}, "by its digest": {nil, "lost"}, "not at all": {nil, "another"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, ctx := alone(t), t.Context()
			lost := registrytest.Image(t, c.reg, "app", "lost")
			d, err := c.reg.PutManifest(ctx, "app", lost, "v1")
			if err != nil {
				t.Fatal(err)
			}
			unlink(t, c, d.Digest)
			m := &mend{kept: kept{Finding: verify.Finding{Kind: verify.TagDangling, Repository: "app", Tag: "v1", Digest: d.Digest}}, fix: FixRemoveTag}
			if still, err := verify.Check(ctx, c.disk, c.checkOptions(), []verify.Finding{m.Finding}, false); err != nil || len(still) != 1 {
				t.Fatalf("it dangles: %v, %v", still, err)
			}
			below := c.reg
			var pushed registry.Digest
			c.reg = meddling{below, func(string) {
				put, err := below.PutManifest(ctx, "app", registrytest.Image(t, below, "app", push.seed), push.tags...)
				if err != nil {
					t.Error(err)
				}
				pushed = put.Digest
			}}
			if done, p := c.removeTag(ctx, m); !done || p != nil {
				t.Errorf("%v, %+v", done, p)
			}
			c.reg = below
			is, err := below.ResolveTag(ctx, "app", "v1")
			if name == "not at all" {
				if err == nil {
					t.Errorf("it stays, and names %s", is.Digest)
				}
			} else if err != nil || is.Digest != pushed {
				t.Errorf("it names %q, %v; want %s", is.Digest, err, pushed)
			}
			want := 0
			if name == "not at all" { // its bytes are on disk
				want = 1
			}
			list, err := c.bin.Entries(ctx)
			if err != nil || len(list) != want {
				t.Errorf("in the trash: %+v, %v; want %d", list, err, want)
			}
		})
	}
}

// unlink takes a manifest from app as a disk loses it: its tags still lead there.
func unlink(t *testing.T, c *Core, d registry.Digest) {
	t.Helper()
	census, err := c.disk.Census(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if why, err := census.Unlink(t.Context(), "app", time.Now(), []registry.Link{{Kind: registry.ManifestLink, Digest: d, Target: d}}); err != nil || why[0] != "" {
		t.Fatal(why, err)
	}
	if err := census.Close(); err != nil {
		t.Fatal(err)
	}
}
