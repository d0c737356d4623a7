package trash_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/trash"
)

// family pushes to repo an index with the tag "multi" and two images of its
// own, a signature of one of them, and an image with the tags v1 and v2. It
// gives the digests of all manifests.
func family(t testing.TB, reg registry.Registry, repo string) (all []registry.Digest) {
	t.Helper()
	put := func(m registry.Manifest, tags ...string) registry.Descriptor {
		d, err := reg.PutManifest(t.Context(), repo, m, tags...)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d.Digest)
		return d
	}
	arm, amd := put(registrytest.Image(t, reg, repo, repo+"arm")), put(registrytest.Image(t, reg, repo, repo+"amd"))
	put(registrytest.Index(t, arm, amd), "multi")
	signature := registrytest.Image(t, reg, repo, repo+"signature")
	signature.Content = fmt.Appendf(nil, `{"subject":{"mediaType":%q,"digest":%q,"size":%d},%s`, arm.MediaType, arm.Digest, arm.Size, signature.Content[1:])
	signature.Digest = ""
	put(signature)
	put(registrytest.Image(t, reg, repo, repo+"plain"), "v1", "v2")
	return all
}

func tags(t testing.TB, reg registry.Registry, repo string) (out []string) {
	t.Helper()
	for tag, err := range reg.Tags(t.Context(), repo, "") {
		if errors.Is(err, registry.ErrNameUnknown) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tag)
	}
	return out
}

// pulled fails unless everything that a manifest needs can be read.
func pulled(t testing.TB, reg registry.Registry, repo string, d registry.Digest) {
	t.Helper()
	m, err := reg.Manifest(t.Context(), repo, d)
	if err != nil {
		t.Errorf("pull %s of %s: %v", d, repo, err)
		return
	}
	// Pushing it again checks all that it refers to.
	if _, err := reg.PutManifest(t.Context(), repo, m); err != nil {
		t.Errorf("%s of %s is not whole: %v", d, repo, err)
	}
}

func TestADeletedRepositoryIsGoneAtOnceAndThoseBelowItStay(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	all, below := family(t, reg, "a"), family(t, reg, "a/b")
	ctx := registry.WithCaller(t.Context(), registry.Caller{User: "anna"})
	var asked []string
	e, err := reg.DeleteRepository(ctx, "a", trash.Deletion{Size: 7, Allow: func(tags []string) error { asked = tags; return nil }})
	if err != nil {
		t.Fatal(err)
	}
	if !e.Whole || e.Repository != "a" || e.Tags != 3 || e.Manifests != 5 || e.Size != 7 || e.By != "anna" || e.Why != trash.Deleted ||
		e.Until.Sub(e.At) != time.Hour || e.Name() != "a" || !slices.Equal(asked, []string{"multi", "v1", "v2"}) {
		t.Errorf("entry %+v, asked %q", e, asked)
	}
	var repos []string
	for name, err := range reg.Repositories(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		repos = append(repos, name)
	}
	if !slices.Equal(repos, []string{"a/b"}) || tags(t, reg, "a") != nil {
		t.Errorf("still there: %q, tags %q", repos, tags(t, reg, "a"))
	}
	for _, d := range all {
		if _, err := reg.Manifest(t.Context(), "a", d); !unknown(err) {
			t.Errorf("pull of what is deleted: %v", err)
		}
	}
	for _, d := range below {
		pulled(t, reg, "a/b", d)
	}
	if _, err := reg.DeleteRepository(t.Context(), "a", trash.Deletion{}); !errors.Is(err, registry.ErrNameUnknown) {
		t.Errorf("deleted twice: %v", err)
	}
	if list := entries(t, bin); len(list) != 1 || list[0] != e {
		t.Errorf("the trash has %+v", list)
	}
}

func unknown(err error) bool {
	return errors.Is(err, registry.ErrManifestUnknown) || errors.Is(err, registry.ErrNameUnknown)
}

func TestADeletedRepositoryOutlivesACleanUpAndARestartAndComesBackWhole(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	reg, _ := wrap(t, drv)
	all := family(t, reg, repo)
	e, err := reg.DeleteRepository(t.Context(), repo, trash.Deletion{})
	if err != nil {
		t.Fatal(err)
	}
	drv.Crash()
	st, err := store.Open(t.Context(), drv, nil, store.Options{Park: -1, Grace: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	bin := trash.New(drv, time.Hour)
	reg = trash.Wrap(st, st, bin)
	clean := func() int64 {
		plan, err := gc.NewPlan(t.Context(), st, []registry.Rooter{bin}, gc.Options{Grace: -1, Untagged: true})
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := plan.Execute(t.Context(), nil)
		if err != nil || len(receipt.Problems) > 0 {
			t.Fatalf("clean up: %v %v", err, receipt.Problems)
		}
		return receipt.Freed.Bytes
	}
	clean()
	back, err := reg.RestoreRepository(t.Context(), e.ID)
	if err != nil || len(back.Conflicts) != 0 || len(entries(t, bin)) != 0 {
		t.Fatalf("restore: %v %+v", err, back)
	}
	if got := tags(t, reg, repo); !slices.Equal(got, []string{"multi", "v1", "v2"}) {
		t.Errorf("tags %q", got)
	}
	for _, d := range all {
		pulled(t, reg, repo, d)
	}
	if _, err := reg.RestoreRepository(t.Context(), e.ID); !errors.Is(err, trash.ErrUnknown) {
		t.Errorf("restored twice: %v", err)
	}
	if e, err = reg.DeleteRepository(t.Context(), repo, trash.Deletion{}); err != nil {
		t.Fatal(err)
	}
	if n, err := bin.Remove(t.Context(), e.ID); n != 1 || err != nil {
		t.Fatalf("empty: %d, %v", n, err)
	}
	if freed := clean(); freed == 0 {
		t.Error("emptying the trash frees nothing")
	}
}

func TestWhatIsTakenWhenARepositoryComesBackIsNamedAndKept(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	family(t, reg, repo)
	was := resolve(t, reg, "v1")
	e, err := reg.DeleteRepository(registry.WithCaller(t.Context(), registry.Caller{User: "anna"}), repo, trash.Deletion{})
	if err != nil {
		t.Fatal(err)
	}
	other := put(t, reg, "other", "v1")
	back, err := reg.RestoreRepository(t.Context(), e.ID)
	if err != nil || len(back.Conflicts) != 1 {
		t.Fatalf("%v %+v", err, back)
	}
	c := back.Conflicts[0]
	if c.Tag != "v1" || c.Suggest != "v1-restored" || c.Names != other.Digest || c.Entry.Digest != was || c.Entry.By != "anna" || !c.Entry.Until.Equal(e.Until) {
		t.Errorf("conflict %+v", c)
	}
	if resolve(t, reg, "v1") != other.Digest || resolve(t, reg, "v2") != was || resolve(t, reg, "multi") == "" {
		t.Error("a taken tag was moved, or a free one is not back")
	}
	if list := entries(t, bin); len(list) != 1 || list[0].ID != c.Entry.ID {
		t.Fatalf("the trash has %+v", list)
	}
	if _, err := reg.Restore(t.Context(), c.Entry.ID, c.Suggest); err != nil || resolve(t, reg, "v1-restored") != was {
		t.Errorf("under the other name: %v", err)
	}
}

func TestARepositoryThatMayNotGoStaysWhole(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	family(t, reg, repo)
	no := errors.New("v1 is immutable")
	if _, err := reg.DeleteRepository(t.Context(), repo, trash.Deletion{Allow: func([]string) error { return no }}); !errors.Is(err, no) {
		t.Fatalf("got %v", err)
	}
	if got := tags(t, reg, repo); len(got) != 3 || len(entries(t, bin)) != 0 {
		t.Errorf("tags %q, trash %+v", got, entries(t, bin))
	}
}
