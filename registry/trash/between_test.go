package trash_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/trash"
)

// between is a keeper in which something comes, once, before a manifest is
// linked again, or after the links were listed.
type between struct {
	registry.Keeper
	relink   func(relink func())
	contents func()
	once     sync.Once
}

func (b *between) Relink(ctx context.Context, repo string, d registry.Digest, tags ...string) (err error) {
	did := false
	relink := func() { err, did = b.Keeper.Relink(ctx, repo, d, tags...), true }
	if b.relink != nil {
		b.once.Do(func() { b.relink(relink) })
	}
	if !did {
		relink()
	}
	return err
}

func (b *between) Contents(ctx context.Context, repo string) iter.Seq2[registry.Link, error] {
	return func(yield func(registry.Link, error) bool) {
		for l, err := range b.Keeper.Contents(ctx, repo) {
			if !yield(l, err) {
				break
			}
		}
		if b.contents != nil {
			b.once.Do(b.contents)
		}
	}
}

func wrapBetween(t *testing.T) (*trash.Registry, *trash.Bin, *store.Store, *between) {
	t.Helper()
	drv := memory.New()
	st, err := store.Open(t.Context(), drv, nil, store.Options{Park: -1, Grace: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	bin, k := trash.New(drv, time.Hour), &between{Keeper: st}
	return trash.Wrap(st, k, bin), bin, st, k
}

// cleanUp frees all that nothing needs. Once all links are gone, and before any
// bytes are, unlinked comes; it may be nil.
func cleanUp(t *testing.T, st *store.Store, bin *trash.Bin, unlinked func()) {
	t.Helper()
	plan, err := gc.NewPlan(t.Context(), st, []registry.Rooter{bin}, gc.Options{Grace: -1, Untagged: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plan.Problems {
		t.Errorf("problem: %s", p)
	}
	_, err = plan.Execute(t.Context(), func(p gc.Progress) {
		if unlinked != nil && p.Stage == gc.Unlinking && p.Done == plan.Manifests+plan.Links {
			unlinked()
			unlinked = nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsBeingRestoredIsNotLetGo empties the trash, and cleans up, while an
// entry is on its way back.
func TestWhatIsBeingRestoredIsNotLetGo(t *testing.T) {
	t.Parallel()
	for what, remove := range map[string]func(*trash.Bin, trash.Entry) (int, error){
		"by hand": func(bin *trash.Bin, e trash.Entry) (int, error) { return bin.Remove(t.Context(), e.ID, e.ID) },
		"by time": func(bin *trash.Bin, e trash.Entry) (int, error) {
			return bin.Purge(t.Context(), e.Until.Add(time.Hour))
		},
	} {
		for _, whole := range []bool{false, true} {
			reg, bin, st, k := wrapBetween(t)
			d, err := reg.PutManifest(t.Context(), repo, registrytest.Image(t, reg, repo, "a"), "v1")
			if err != nil {
				t.Fatal(err)
			}
			if whole {
				_, err = reg.DeleteRepository(t.Context(), repo, trash.Deletion{})
			} else {
				err = reg.DeleteTag(t.Context(), repo, "v1")
			}
			if err != nil {
				t.Fatal(err)
			}
			e := entries(t, bin)[0]
			k.relink = func(relink func()) {
				if n, err := remove(bin, e); n != 0 || err != nil {
					t.Errorf("%s, whole %v: %d let go, %v", what, whole, n, err)
				}
				cleanUp(t, st, bin, relink)
			}
			if whole {
				_, err = reg.RestoreRepository(t.Context(), e.ID)
			} else {
				_, err = reg.Restore(t.Context(), e.ID, "")
			}
			if err != nil || len(entries(t, bin)) > 0 {
				t.Errorf("%s, whole %v: restore: %v, %d entries left", what, whole, err, len(entries(t, bin)))
			}
			pulled(t, reg, repo, d.Digest)
		}
	}
}

func TestWhatWasRestoredInVainCanBeLetGo(t *testing.T) {
	t.Parallel()
	reg, bin, _, k := wrapBetween(t)
	if _, err := reg.PutManifest(t.Context(), repo, registrytest.Image(t, reg, repo, "a"), "v1"); err != nil {
		t.Fatal(err)
	}
	if err := reg.DeleteTag(t.Context(), repo, "v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.PutManifest(t.Context(), repo, registrytest.Image(t, reg, repo, "b"), "v1"); err != nil {
		t.Fatal(err)
	}
	e := entries(t, bin)[0]
	conflict := &trash.ConflictError{}
	if _, err := reg.Restore(t.Context(), e.ID, ""); !errors.As(err, &conflict) {
		t.Errorf("restore: %v", err)
	}
	k.relink = func(func()) { t.Error("linked again") }
	if n, err := bin.Remove(t.Context(), e.ID, e.ID); n != 1 || err != nil {
		t.Errorf("%d let go, %v", n, err)
	}
	if _, err := reg.Restore(t.Context(), e.ID, ""); !errors.Is(err, trash.ErrUnknown) {
		t.Errorf("restore of what was let go: %v", err)
	}
}

// TestTheRecordOfARepositoryHasNothingThatACleanUpTook has a clean-up come
// between the look at what goes and the record of it.
func TestTheRecordOfARepositoryHasNothingThatACleanUpTook(t *testing.T) {
	t.Parallel()
	for _, tags := range [][]string{{"v1"}, nil} {
		reg, bin, st, k := wrapBetween(t)
		for seed, tags := range map[string][]string{"a": tags, "loose": nil} {
			if _, err := reg.PutManifest(t.Context(), repo, registrytest.Image(t, reg, repo, seed), tags...); err != nil {
				t.Fatal(err)
			}
		}
		k.contents = func() { cleanUp(t, st, bin, nil) }
		e, err := reg.DeleteRepository(t.Context(), repo, trash.Deletion{})
		if tags == nil {
			if !errors.Is(err, registry.ErrNameUnknown) || len(entries(t, bin)) > 0 {
				t.Errorf("delete of what is gone: %v, %d entries", err, len(entries(t, bin)))
			}
			continue
		}
		if err != nil || e.Manifests != 1 || len(entries(t, bin)) != 1 {
			t.Fatalf("delete: %+v, %v, %d entries", e, err, len(entries(t, bin)))
		}
		cleanUp(t, st, bin, nil)
		if _, err := reg.RestoreRepository(t.Context(), e.ID); err != nil {
			t.Errorf("restore: %v", err)
		}
		pulled(t, reg, repo, resolve(t, reg, "v1"))
	}
}

// TestARecordThatIsDamagedBringsBackWhatItCanAndStays cuts the contents short.
func TestARecordThatIsDamagedBringsBackWhatItCanAndStays(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	reg, bin := wrap(t, drv)
	for _, tag := range []string{"v1", "v2"} {
		if _, err := reg.PutManifest(t.Context(), repo, registrytest.Image(t, reg, repo, tag), tag); err != nil {
			t.Fatal(err)
		}
	}
	e, err := reg.DeleteRepository(t.Context(), repo, trash.Deletion{})
	if err != nil {
		t.Fatal(err)
	}
	key := "berth/trash/" + e.ID + ".0.part"
	info, err := drv.Stat(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	f, err := drv.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	whole := make([]byte, info.Size)
	if _, err := io.ReadFull(f, whole); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Close(), drv.Put(t.Context(), key, whole[:len(whole)-20])); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := reg.RestoreRepository(t.Context(), e.ID); err == nil || len(entries(t, bin)) != 1 {
			t.Errorf("restore: %v, %d entries are left", err, len(entries(t, bin)))
		}
		if got := tags(t, reg, repo); len(got) != 1 {
			t.Errorf("back are %v", got)
		}
	}
	if err := drv.Put(t.Context(), key, whole); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.RestoreRepository(t.Context(), e.ID); err != nil || len(tags(t, reg, repo)) != 2 {
		t.Errorf("restore of a record that is whole again: %v", err)
	}
}
