package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/index/indextest"
	"berth/registry/index/sqlite"
)

func open(t testing.TB, path string) *sqlite.Index {
	t.Helper()
	x, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func TestAnIndexPassesTheSuite(t *testing.T) {
	t.Parallel()
	indextest.Run(t, func(t *testing.T) index.Index { return open(t, filepath.Join(t.TempDir(), "a b?#%.db")) })
}

func TestAnIndexIsThereAfterItWasClosed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index.db")
	x := open(t, path)
	if err := x.Apply(t.Context(), pushed("a", "v1", 1)...); err != nil {
		t.Fatal(err)
	}
	if err := x.SetComplete(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := x.Apply(t.Context(), index.DropTag{}); err == nil {
		t.Error("a closed index took a change")
	}
	again := open(t, path)
	if ok, err := again.Complete(t.Context()); !ok || err != nil {
		t.Errorf("complete: %v, %v", ok, err)
	}
	if tags, err := again.TagNames(t.Context(), "a", "", 0); len(tags) != 1 || err != nil {
		t.Errorf("tags: %v, %v", tags, err)
	}
}

func TestADamagedIndexIsSetAsideAndMadeAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index.db")
	if err := os.WriteFile(path, []byte("this is not a database, however long it may be"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := open(t, path)
	if ok, err := x.Complete(t.Context()); ok || err != nil {
		t.Errorf("complete: %v, %v", ok, err)
	}
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Error(err)
	}
}

func TestDamageThatIsMetLaterIsSetAsideOnClose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index.db")
	x := open(t, path)
	for n := range 120 {
		if err := x.Apply(t.Context(), pushed("a", fmt.Sprintf("v%d", n), n)...); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.SetComplete(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	// Everything behind the first pages, which hold the schema, is overwritten.
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	for i := 24 * page; i < len(file); i++ {
		file[i] = 0xa5
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}

	x = open(t, path)
	if _, err := x.Tags(t.Context(), "a", index.Query{}); err == nil {
		t.Fatal("a list from a damaged file succeeded")
	} else {
		t.Log(err)
	}
	if ok, _ := x.Complete(t.Context()); ok {
		t.Error("a damaged index is complete")
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
	x = open(t, path)
	if usage, err := x.Usage(t.Context()); usage != (index.Usage{}) || err != nil {
		t.Errorf("after the next start: %+v, %v", usage, err)
	}
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Error(err)
	}
}

func TestManyReadersSeeWhatWasAppliedBefore(t *testing.T) {
	t.Parallel()
	x := open(t, ":memory:")
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			repo := fmt.Sprintf("r%d", g)
			for n := range 10 {
				if err := x.Apply(t.Context(), pushed(repo, fmt.Sprintf("v%02d", n), g*100+n)...); err != nil {
					t.Error(err)
				}
				if tags, err := x.TagNames(t.Context(), repo, "", 0); len(tags) != n+1 || err != nil {
					t.Errorf("%s: %d tags after %d pushes, %v", repo, len(tags), n+1, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestAReadThatWaitsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	x := open(t, ":memory:")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for n := range 40 { // enough that some change is still queued
		if err := x.Apply(t.Context(), pushed("a", "v1", n)...); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.Usage(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("usage: %v", err)
	}
}

// pushed is what a store tells of the n-th push.
func pushed(repo, tag string, n int) []index.Change {
	d := func(kind string) registry.Digest { return digest.FromString(fmt.Sprintf("%s %d", kind, n)) }
	m := index.Manifest{
		Descriptor: registry.Descriptor{Digest: d("manifest"), Size: 1200},
		Blobs:      []registry.Descriptor{{Digest: d("config"), Size: 3000}, {Digest: d("layer"), Size: 5e6}, {Digest: digest.FromString("base"), Size: 5e7}},
		Platforms:  []string{"linux/amd64"},
	}
	at := time.Unix(1_700_000_000+int64(n), 0)
	out := []index.Change{}
	for _, b := range m.Blobs {
		out = append(out, index.PutBlob{Repository: repo, Digest: b.Digest, Size: b.Size})
	}
	return append(out, index.PutManifest{Repository: repo, Manifest: m, At: at},
		index.PutTag{Repository: repo, Tag: tag, Digest: m.Descriptor.Digest, At: at})
}

func TestTagsOfOneImageNameSomeOfEachOther(t *testing.T) {
	t.Parallel()
	x := open(t, ":memory:")
	var changes []index.Change
	for i := range 3 * index.MaxSame {
		changes = append(changes, index.PutTag{Repository: "app", Tag: fmt.Sprintf("t%03d", i), Digest: digest.FromString("one"), At: time.Unix(1, 0)})
	}
	if err := x.Apply(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
	rows, err := x.Tags(t.Context(), "app", index.Query{Order: index.ByName})
	if err != nil || len(rows) != len(changes) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows {
		if len(row.Same) != index.MaxSame || slices.Contains(row.Same, row.Name) {
			t.Fatalf("%s has %d others: %q", row.Name, len(row.Same), row.Same)
		}
	}
}
