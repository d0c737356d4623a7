package trash_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/trash"
)

const repo = "team/app"

func wrap(t testing.TB, drv *memory.Driver) (*trash.Registry, *trash.Bin) {
	t.Helper()
	st, err := store.Open(t.Context(), drv, nil, store.Options{Park: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	bin := trash.New(drv, time.Hour)
	return trash.Wrap(st, st, bin), bin
}

func entries(t testing.TB, bin *trash.Bin) []trash.Entry {
	t.Helper()
	out, err := bin.Entries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func resolve(t testing.TB, reg registry.Registry, tag string) registry.Digest {
	t.Helper()
	d, err := reg.ResolveTag(t.Context(), repo, tag)
	if errors.Is(err, registry.ErrManifestUnknown) {
		return ""
	}
	if err != nil {
		t.Fatalf("resolve %s: %v", tag, err)
	}
	return d.Digest
}

func put(t testing.TB, reg registry.Registry, seed string, tags ...string) registry.Manifest {
	t.Helper()
	m := registrytest.Image(t, reg, repo, seed)
	if _, err := reg.PutManifest(t.Context(), repo, m, tags...); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestARegistryWithATrashKeepsTheContract(t *testing.T) {
	t.Parallel()
	registrytest.Run(t, func(t *testing.T) registry.Registry {
		reg, _ := wrap(t, memory.New())
		return reg
	})
}

func TestADeletedTagComesBack(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	m := put(t, reg, "a", "v1", "v2")
	ctx := registry.WithCaller(t.Context(), registry.Caller{User: "anna"})
	gone, err := reg.Delete(ctx, repo, "v1")
	if err != nil || len(gone) != 1 {
		t.Fatalf("delete: %v, %v", gone, err)
	}
	e := gone[0]
	if e.Repository != repo || e.Tag != "v1" || e.Digest != m.Digest || e.Why != trash.Deleted || e.By != "anna" ||
		e.MediaType != m.MediaType || e.Size != int64(len(m.Content)) || e.Until.Sub(e.At) != time.Hour {
		t.Errorf("entry %+v", e)
	}
	if resolve(t, reg, "v1") != "" || resolve(t, reg, "v2") != m.Digest {
		t.Fatal("the wrong tag went")
	}
	if _, err := reg.Restore(t.Context(), e.ID, ""); err != nil {
		t.Fatal(err)
	}
	if resolve(t, reg, "v1") != m.Digest || len(entries(t, bin)) != 0 {
		t.Fatal("not restored, or still in the trash")
	}
	if _, err := reg.Restore(t.Context(), e.ID, ""); !errors.Is(err, trash.ErrUnknown) {
		t.Errorf("second restore: %v", err)
	}
}

func TestAnOverwrittenTagComesBackUnderAnotherName(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	first := put(t, reg, "a", "v1")
	second := put(t, reg, "b", "v1", "v1-restored")
	list := entries(t, bin)
	if len(list) != 1 || list[0].Why != trash.Overwritten || list[0].Digest != first.Digest {
		t.Fatalf("entries %+v", list)
	}
	_, err := reg.Restore(t.Context(), list[0].ID, "")
	var conflict *trash.ConflictError
	if !errors.As(err, &conflict) || conflict.Names != second.Digest || conflict.Suggest != "v1-restored-2" {
		t.Fatalf("got %v, %+v", err, conflict)
	}
	if len(entries(t, bin)) != 1 || resolve(t, reg, "v1") != second.Digest {
		t.Fatal("a conflict changed something")
	}
	if _, err := reg.Restore(t.Context(), list[0].ID, conflict.Suggest); err != nil {
		t.Fatal(err)
	}
	if resolve(t, reg, "v1-restored-2") != first.Digest || resolve(t, reg, "v1") != second.Digest {
		t.Fatal("not restored under the other name")
	}
}

func TestPushingTheSameAgainLeavesNoEntry(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	m := put(t, reg, "a", "v1")
	m.Digest = ""
	if _, err := reg.PutManifest(t.Context(), repo, m, "v1"); err != nil {
		t.Fatal(err)
	}
	if list := entries(t, bin); len(list) != 0 {
		t.Fatalf("entries %+v", list)
	}
}

func TestRestoringToATagThatNamesItAlreadyOnlyEmptiesTheTrash(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	m := put(t, reg, "a", "v1")
	gone, err := reg.Delete(t.Context(), repo, "v1")
	if err != nil {
		t.Fatal(err)
	}
	put(t, reg, "a", "v1")
	if _, err := reg.Restore(t.Context(), gone[0].ID, ""); err != nil {
		t.Fatal(err)
	}
	if resolve(t, reg, "v1") != m.Digest || len(entries(t, bin)) != 0 {
		t.Fatal("entry left, or tag lost")
	}
}

func TestADeletedManifestComesBackWithItsTags(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	m := put(t, reg, "a", "v1", "v2")
	other := put(t, reg, "b", "v3")
	ctx, rec := trash.Record(registry.WithCaller(t.Context(), registry.Caller{Reason: "rule pr-*"}))
	if err := reg.DeleteManifest(ctx, repo, m.Digest); err != nil {
		t.Fatal(err)
	}
	list := rec.Entries()
	if len(list) != 3 || list[0].Tag != "" || list[1].Tag != "v1" || list[2].Tag != "v2" || list[2].Why != "rule pr-*" {
		t.Fatalf("recorded %+v", list)
	}
	if resolve(t, reg, "v1") != "" || resolve(t, reg, "v3") != other.Digest {
		t.Fatal("the wrong tags went")
	}
	for _, e := range list {
		if _, err := reg.Restore(t.Context(), e.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	back, err := reg.Manifest(t.Context(), repo, m.Digest)
	if err != nil || string(back.Content) != string(m.Content) || resolve(t, reg, "v2") != m.Digest || len(entries(t, bin)) != 0 {
		t.Fatalf("not restored: %v", err)
	}
}

func TestWhatFailsLeavesNoEntry(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	m := put(t, reg, "a", "v1")
	missing := registrytest.Index(t, registry.Descriptor{MediaType: m.MediaType, Digest: "sha256:" + registry.Digest(make64('0')), Size: 1})
	if _, err := reg.PutManifest(t.Context(), repo, missing, "v1"); !errors.Is(err, registry.ErrManifestBlobUnknown) {
		t.Fatalf("got %v", err)
	}
	if err := reg.DeleteTag(t.Context(), repo, "nothing"); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Fatalf("got %v", err)
	}
	if list := entries(t, bin); len(list) != 0 || resolve(t, reg, "v1") != m.Digest {
		t.Fatalf("entries %+v", list)
	}
}

func make64(c byte) string {
	b := make([]byte, 64)
	for i := range b {
		b[i] = c
	}
	return string(b)
}

func TestEntriesSurviveARestartAndAreRoots(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	reg, _ := wrap(t, drv)
	m := put(t, reg, "a", "v1")
	if err := reg.DeleteTag(t.Context(), repo, "v1"); err != nil {
		t.Fatal(err)
	}
	if err := drv.Put(t.Context(), "berth/trash/damaged.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	drv.Crash()
	again, bin := wrap(t, drv)
	var roots []registry.Root
	var unread *registry.UnreadRoot
	for r, err := range bin.Roots(t.Context()) {
		if errors.As(err, &unread) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, r)
	}
	if unread == nil || unread.File != "berth/trash/damaged.json" {
		t.Errorf("what cannot be read is %+v", unread)
	}
	if len(roots) != 1 || roots[0].Digest != m.Digest || roots[0].Repository != repo {
		t.Fatalf("roots %+v", roots)
	}
	if _, err := again.Restore(t.Context(), entries(t, bin)[0].ID, ""); err != nil || resolve(t, again, "v1") != m.Digest {
		t.Fatalf("restore: %v", err)
	}
}

func TestPurgeLetsGoOfWhatIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		reg, bin := wrap(t, memory.New())
		put(t, reg, "a", "v1", "v2")
		deleteTag := func(tag string) {
			if err := reg.DeleteTag(context.Background(), repo, tag); err != nil {
				t.Fatal(err)
			}
		}
		deleteTag("v1")
		time.Sleep(50 * time.Minute)
		deleteTag("v2")
		time.Sleep(20 * time.Minute)
		n, err := bin.Purge(context.Background(), time.Now())
		left, lerr := bin.Entries(context.Background())
		if n != 1 || err != nil || lerr != nil || len(left) != 1 || left[0].Tag != "v2" {
			t.Fatalf("purged %d, left %+v, %v, %v", n, left, err, lerr)
		}
	})
}

func TestIDsSortByTime(t *testing.T) {
	t.Parallel()
	reg, bin := wrap(t, memory.New())
	var want []string
	for _, tag := range []string{"c", "a", "b"} {
		put(t, reg, "a", tag)
		gone, err := reg.Delete(t.Context(), repo, tag)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, gone[0].ID)
	}
	var got []string
	for _, e := range entries(t, bin) {
		got = append(got, e.ID)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}
