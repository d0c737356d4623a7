package filter_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/filter"
	"berth/registry/registrytest"
	"berth/registry/store"
)

func stored(t testing.TB) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), memory.New(), nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// releases holds the tags of "app" that begin with v, while on says so.
func releases(on *bool) func(repo, tag string) (string, bool) {
	return func(repo, tag string) (string, bool) {
		return "releases", *on && repo == "app" && strings.HasPrefix(tag, "v")
	}
}

func TestAnImmutableRegistryKeepsTheContract(t *testing.T) {
	t.Parallel()
	off := false
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		st := stored(t)
		return filter.Immutable(st, st.TagAbove, releases(&off))
	})
}

func TestAnImmutableTagTakesTheSameAgainAndNothingElse(t *testing.T) {
	t.Parallel()
	on, st, ctx := true, stored(t), t.Context()
	reg := filter.Immutable(st, st.TagAbove, releases(&on))
	first := registrytest.PushImage(t, reg, "app", "v1", "latest")
	second := registrytest.Image(t, reg, "app", "second")
	if _, err := reg.PutManifest(ctx, "app", first, "v1"); err != nil {
		t.Errorf("the same digest again: %v", err)
	}
	bare := first
	bare.Digest = ""
	if _, err := reg.PutManifest(ctx, "app", bare, "v1"); err != nil {
		t.Errorf("the same content again, without its digest: %v", err)
	}
	_, err := reg.PutManifest(ctx, "app", second, "latest", "v1")
	if !errors.Is(err, registry.ErrDenied) {
		t.Fatalf("another digest: %v", err)
	}
	for _, word := range []string{"v1", "app", "releases", first.Digest.String()} {
		if !strings.Contains(registry.AsErrors(err)[0].Message, word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	for _, tag := range []string{"v1", "latest"} {
		if now, err := st.ResolveTag(ctx, "app", tag); err != nil || now.Digest != first.Digest {
			t.Errorf("%s names %s, %v", tag, now.Digest, err)
		}
	}
	if _, err := reg.PutManifest(ctx, "app", second, "latest"); err != nil {
		t.Errorf("a tag that no rule holds: %v", err)
	}
	other := registrytest.PushImage(t, reg, "other", "v1")
	if err := reg.DeleteManifest(ctx, "other", other.Digest); err != nil {
		t.Errorf("a repository that no rule holds: %v", err)
	}
}

func TestAnImmutableTagAndItsManifestStay(t *testing.T) {
	t.Parallel()
	on, st, ctx := true, stored(t), t.Context()
	reg := filter.Immutable(st, st.TagAbove, releases(&on))
	m := registrytest.PushImage(t, reg, "app", "v1", "latest")
	if err := reg.DeleteTag(ctx, "app", "v1"); !errors.Is(err, registry.ErrDenied) {
		t.Errorf("delete the tag: %v", err)
	}
	if err := reg.DeleteManifest(ctx, "app", m.Digest); !errors.Is(err, registry.ErrDenied) {
		t.Errorf("delete the manifest: %v", err)
	}
	if err := reg.DeleteTag(ctx, "app", "latest"); err != nil {
		t.Errorf("delete its other tag: %v", err)
	}
	if err := reg.DeleteTag(ctx, "app", "v2"); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("delete a tag that is not there: %v", err)
	}
	on = false
	if err := reg.DeleteManifest(ctx, "app", m.Digest); err != nil {
		t.Errorf("when the rule is gone: %v", err)
	}
}

func TestATagThatNamesNothingIsNotHeld(t *testing.T) {
	t.Parallel()
	on, drv, ctx := true, memory.New(), t.Context()
	st, err := store.Open(ctx, drv, nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	reg := filter.Immutable(st, st.TagAbove, releases(&on))
	for _, next := range []func() error{
		func() error { return reg.DeleteTag(ctx, "app", "v1") },
		func() error {
			_, err := reg.PutManifest(ctx, "app", registrytest.Image(t, reg, "app", "mended"), "v1")
			return err
		},
	} {
		m := registrytest.PushImage(t, reg, "app", "v1")
		if err := drv.Delete(ctx, "docker/registry/v2/repositories/app/_manifests/revisions/sha256/"+m.Digest.Encoded()); err != nil {
			t.Fatal(err)
		}
		if err := next(); err != nil {
			t.Error(err)
		}
	}
}

// slow lets others run between what it says and what is made of it.
type slow struct{ registry.Registry }

func (s slow) ResolveTag(ctx context.Context, repo, tag string) (registry.Descriptor, error) {
	defer yield()
	return s.Registry.ResolveTag(ctx, repo, tag)
}

func yield() {
	for range 200 {
		runtime.Gosched()
	}
}

func TestOfTwoFirstPushesExactlyOneWins(t *testing.T) {
	t.Parallel()
	on, st, ctx := true, stored(t), t.Context()
	reg := filter.Immutable(slow{st}, st.TagAbove, releases(&on))
	const pushers = 8
	for round := range 10 {
		tag := "v" + string(rune('a'+round))
		images := make([]registry.Manifest, pushers)
		for i := range images {
			images[i] = registrytest.Image(t, reg, "app", tag+string(rune('0'+i)))
		}
		var won [pushers]bool
		var wg sync.WaitGroup
		for i, m := range images {
			wg.Go(func() {
				_, err := reg.PutManifest(ctx, "app", m, tag)
				if won[i] = err == nil; err != nil && !errors.Is(err, registry.ErrDenied) {
					t.Errorf("push: %v", err)
				}
			})
		}
		wg.Wait()
		now, err := reg.ResolveTag(ctx, "app", tag)
		if err != nil {
			t.Fatalf("the tag is lost: %v", err)
		}
		for i, m := range images {
			if won[i] != (m.Digest == now.Digest) {
				t.Errorf("round %d: push %d won: %v; the tag names %s", round, i, won[i], now.Digest)
			}
		}
	}
}

// TestADeleteDoesNotTakeATagThatIsPushedMeanwhile has a push begin when the
// delete has found that no immutable tag names the manifest.
func TestADeleteDoesNotTakeATagThatIsPushedMeanwhile(t *testing.T) {
	t.Parallel()
	on, st, ctx := true, stored(t), t.Context()
	var push func()
	var wg sync.WaitGroup
	reg := filter.Immutable(st, func(ctx context.Context, repo string, d registry.Digest, of func(string) bool) (string, error) {
		tag, err := st.TagAbove(ctx, repo, d, of)
		wg.Go(push)
		yield()
		return tag, err
	}, releases(&on))
	for round := range 20 {
		tag := "v" + string(rune('a'+round))
		m := registrytest.Image(t, reg, "app", tag)
		if _, err := reg.PutManifest(ctx, "app", m); err != nil {
			t.Fatal(err)
		}
		push = func() {
			if _, err := reg.PutManifest(ctx, "app", m, tag); err != nil {
				t.Errorf("push: %v", err)
			}
		}
		if err := reg.DeleteManifest(ctx, "app", m.Digest); err != nil {
			t.Errorf("delete: %v", err)
		}
		wg.Wait()
		if now, err := reg.ResolveTag(ctx, "app", tag); err != nil || now.Digest != m.Digest {
			t.Fatalf("round %d: the tag names %s, %v", round, now.Digest, err)
		}
	}
}
