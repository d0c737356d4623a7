package app

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"berth/app/config"
	"berth/registry"
	"berth/registry/gc"
	"berth/registry/registrytest"
)

// TestWhatHangsOnAnImageGoesWithIt drops by a rule one of two images, each with
// a signature and an SBOM of the signature, and each part of an index; empties
// the trash, and cleans up.
func TestWhatHangsOnAnImageGoesWithIt(t *testing.T) {
	t.Parallel()
	c := alone(t)
	ctx := t.Context()
	all := map[string][]registry.Digest{}
	for _, tag := range []string{"old", "new"} {
		put := func(m registry.Manifest, tags ...string) registry.Descriptor {
			d, err := c.reg.PutManifest(ctx, "app", m, tags...)
			if err != nil {
				t.Fatal(err)
			}
			all[tag] = append(all[tag], d.Digest)
			return d
		}
		child := put(registrytest.Image(t, c.reg, "app", tag))
		index := put(registrytest.Index(t, child), tag)
		signature := put(registrytest.Artifact(t, c.reg, "app", "application/signature", index, nil))
		put(registrytest.Artifact(t, c.reg, "app", "application/sbom", signature, nil))
		of := put(registrytest.Artifact(t, c.reg, "app", "application/scan", child, nil))
		put(registrytest.Image(t, c.reg, "app", "cosign of "+tag), "sha256-"+of.Digest.Encoded()+".sig")
	}
	rules := []Rule{{Newest: 1}}
	if _, err := c.SetRules(ctx, SetRulesRequest{Rules: &rules}); err != nil {
		t.Fatal(err)
	}
	if n, problems, err := c.applyRules(ctx, func(int, int) {}); n != 1 || err != nil || len(problems) > 0 {
		t.Fatalf("%d dropped, %v, %v", n, problems, err)
	}
	there := func(tag string) int { return countThere(t, c, all[tag]) }
	sweep(t, c)
	if there("old") != 6 || there("new") != 6 {
		t.Errorf("while it is in the trash: %d and %d of 6", there("old"), there("new"))
	}
	empty(t, c)
	if n := dropsLater(t, c); n != 1 {
		t.Errorf("%d tags go with what they sign", n)
	}
	if err := c.reg.DeleteTag(ctx, "app", "sha256-"+all["old"][4].Encoded()+".sig"); err != nil {
		t.Fatal(err)
	}
	empty(t, c)
	sweep(t, c)
	if there("old") != 0 || there("new") != 6 {
		t.Errorf("after all: %d of 0, and %d of 6", there("old"), there("new"))
	}
}

// alone gives a Core that knows what it holds.
func alone(t *testing.T) *Core {
	t.Helper()
	cfg, err := config.Load("", nil, config.Flags{Data: t.TempDir(), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open(t.Context(), Options{Config: cfg, Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	for c.blind() {
		runtime.Gosched()
	}
	return c
}

func countThere(t *testing.T, c *Core, digests []registry.Digest) (n int) {
	t.Helper()
	for _, d := range digests {
		_, err := c.reg.StatManifest(t.Context(), "app", d)
		if err != nil && !errors.Is(err, registry.ErrManifestUnknown) {
			t.Fatal(err)
		}
		if err == nil {
			n++
		}
	}
	return n
}

func sweep(t *testing.T, c *Core) {
	t.Helper()
	plan, err := gc.NewPlan(t.Context(), c.disk, c.roots, gc.Options{Untagged: true, Grace: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Execute(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

func empty(t *testing.T, c *Core) {
	t.Helper()
	if _, err := c.EmptyTrash(t.Context(), EmptyTrashRequest{}); err != nil {
		t.Fatal(err)
	}
}

// dropsLater counts the tags that go without a rule, once what they sign is
// loose.
func dropsLater(t *testing.T, c *Core) int {
	t.Helper()
	held, err := c.heldNow(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	group, err := c.readGroup(t.Context(), "app", held["app"])
	if err != nil {
		t.Fatal(err)
	}
	return group.Judge(nil, time.Now().Add(looseAfter+time.Hour)).Tags
}
