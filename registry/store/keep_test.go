package store_test

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

	"github.com/opencontainers/go-digest"
)

func sweep(t testing.TB, st *store.Store, d registry.Digest) int64 {
	t.Helper()
	freed, err := st.Sweep(context.Background(), d, future())
	if err != nil {
		t.Fatal(err)
	}
	return freed
}

func TestASweepTakesOnlyWhatNothingLinks(t *testing.T) {
	t.Parallel()
	st := open(t, memory.New(), nil, store.Options{Grace: -1})
	m := registrytest.PushImage(t, st, "a", "v1")
	b := registrytest.PushBlob(t, st, "a", []byte("loose")).Digest
	if _, err := st.MountBlob(t.Context(), "a", "b/c", b); err != nil {
		t.Fatal(err)
	}
	unlink := func(repo string, d registry.Digest) {
		if err := st.Unlink(t.Context(), repo, d); err != nil {
			t.Fatal(err)
		}
	}
	if n := sweep(t, st, b) + sweep(t, st, m.Digest); n != 0 {
		t.Fatalf("freed %d linked bytes", n)
	}
	unlink("a", b)
	if n := sweep(t, st, b); n != 0 {
		t.Fatal("freed what b/c links")
	}
	unlink("b/c", b)
	if n := sweep(t, st, b); n != 5 {
		t.Fatalf("freed %d, want 5", n)
	}
	if n := sweep(t, st, b); n != 0 {
		t.Fatalf("freed %d the second time", n)
	}
	if _, err := st.StatManifest(t.Context(), "a", m.Digest); err != nil {
		t.Fatal(err)
	}
	if _, err := st.MountBlob(t.Context(), "", "a", b); !errors.Is(err, registry.ErrBlobUnknown) {
		t.Errorf("mount of what was swept: %v", err)
	}
}

func TestASweepSpareWhatIsYoungerThanThePlan(t *testing.T) {
	t.Parallel()
	st := open(t, memory.New(), nil, store.Options{Grace: -1})
	b := registrytest.PushBlob(t, st, "a", []byte("loose")).Digest
	if err := st.DeleteBlob(t.Context(), "a", b); err != nil {
		t.Fatal(err)
	}
	if n, err := st.Sweep(t.Context(), b, time.Now().Add(-time.Hour)); n != 0 || err != nil {
		t.Fatalf("freed %d, %v", n, err)
	}
}

func TestWhatAClientWasPromisedIsKeptForTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		st, err := store.Open(context.Background(), memory.New(), nil, store.Options{Grace: time.Hour, Park: -1})
		if err != nil {
			t.Fatal(err)
		}
		b := registrytest.PushBlob(t, st, "a", []byte("loose")).Digest
		time.Sleep(2 * time.Hour)
		if _, err := st.StatBlob(context.Background(), "a", b); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Minute)
		if err := st.Unlink(context.Background(), "a", b); !errors.Is(err, registry.ErrInUse) {
			t.Errorf("unlink: %v", err)
		}
		if err := st.DeleteBlob(context.Background(), "a", b); err != nil {
			t.Fatal(err)
		}
		if sweep(t, st, b) != 0 {
			t.Error("freed what a client was promised")
		}
		time.Sleep(2 * time.Minute)
		if sweep(t, st, b) != 5 {
			t.Error("kept although the promise is over")
		}
	})
}

func TestNothingIsSweptBeforeTheStoreIsOpenForTheGrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		drv := memory.New()
		d := digest.FromString("loose")
		put(t, drv, map[string]string{blobPath(d): "loose"})
		time.Sleep(24 * time.Hour)
		st, err := store.Open(context.Background(), drv, nil, store.Options{Grace: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if sweep(t, st, d) != 0 {
			t.Error("swept before promises of the last run are over")
		}
		time.Sleep(time.Hour)
		if sweep(t, st, d) != 5 {
			t.Error("not swept afterwards")
		}
	})
}

func TestTheKeeperSeesWhatIsOnDisk(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	st := open(t, drv, nil, store.Options{Grace: -1})
	m := registrytest.PushImage(t, st, "a", "v1")
	registrytest.PushBlob(t, st, "a/b", []byte("x"))
	loose := digest.FromString("loose")
	put(t, drv, map[string]string{
		blobPath(loose):                        "loose",
		v2 + "blobs/sha256/junk":               "?",
		v2 + "blobs/sha256/zz/zz/data":         "?",
		v2 + "repositories/a/_layers/what":     "?",
		v2 + "repositories/a/Bad Name/_layers": "?",
	})
	if got := list(t, st.AllRepositories(t.Context())); !slices.Equal(got, []string{"a", "a/b"}) {
		t.Errorf("repositories %v", got)
	}
	var revisions []registry.Descriptor
	for d, err := range st.Revisions(t.Context(), "a") {
		if err != nil {
			t.Fatal(err)
		}
		revisions = append(revisions, d)
	}
	if len(revisions) != 1 || revisions[0].Digest != m.Digest || revisions[0].MediaType != m.MediaType {
		t.Errorf("revisions %+v", revisions)
	}
	stored, links := 0, 0
	for b, err := range st.Stored(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if stored++; b.Digest == loose && b.Size != 5 {
			t.Errorf("stored %+v", b)
		}
	}
	for _, err := range st.Links(t.Context(), "a") {
		if err != nil {
			t.Fatal(err)
		}
		links++
	}
	if stored != 5 || links != 2 {
		t.Errorf("%d stored, %d linked", stored, links)
	}
}

func TestRelinkUndoesADelete(t *testing.T) {
	t.Parallel()
	st := open(t, memory.New(), openIndex(t), store.Options{Grace: -1})
	m := registrytest.PushImage(t, st, "a", "v1")
	if err := st.DeleteManifest(t.Context(), "a", m.Digest); err != nil {
		t.Fatal(err)
	}
	if err := st.Relink(t.Context(), "a", m.Digest, "v1", "v2"); err != nil {
		t.Fatal(err)
	}
	if got := list(t, st.Tags(t.Context(), "a", "")); !slices.Equal(got, []string{"v1", "v2"}) {
		t.Errorf("tags %v", got)
	}
	if err := st.DeleteManifest(t.Context(), "a", m.Digest); err != nil {
		t.Fatal(err)
	}
	if sweep(t, st, m.Digest) == 0 {
		t.Fatal("not swept")
	}
	if err := st.Relink(t.Context(), "a", m.Digest, "v1"); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("relink of what was swept: %v", err)
	}
}
