package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/index"
)

func opened(t testing.TB, path string) *Index {
	t.Helper()
	x, err := Open(t.Context(), path, Options{})
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

func tagged(repo, tag string) []index.Change {
	m := index.Manifest{
		Descriptor: registry.Descriptor{Digest: digest.FromString(repo + tag), Size: 100},
		Blobs:      []registry.Descriptor{{Digest: digest.FromString("layer" + repo + tag), Size: 1000}},
	}
	return []index.Change{
		index.PutManifest{Repository: repo, Manifest: m, At: time.Unix(1, 0)},
		index.PutTag{Repository: repo, Tag: tag, Digest: m.Descriptor.Digest, At: time.Unix(1, 0)},
	}
}

func push(t testing.TB, x *Index, repo string, n int) {
	t.Helper()
	for i := range n {
		if err := x.Apply(t.Context(), tagged(repo, fmt.Sprintf("v%04d", i))...); err != nil {
			t.Fatal(err)
		}
	}
}

func settled(t testing.TB, x *Index) {
	t.Helper()
	if err := x.settle(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func whole(t testing.TB, x *Index) {
	t.Helper()
	if err := x.SetComplete(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if ok, err := x.Complete(t.Context()); !ok || err != nil || x.Lost() {
		t.Fatalf("complete: %v, %v; lost: %v", ok, err, x.Lost())
	}
}

func names(t testing.TB, x *Index, repo string) int {
	t.Helper()
	tags, err := x.TagNames(t.Context(), repo, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	return len(tags)
}

// harms are what may happen to the file while it is open.
var harms = map[string]func(path string) error{
	"deleted": os.Remove,
	"replaced": func(path string) error {
		if err := os.WriteFile(path+".new", []byte("something else"), 0o600); err != nil {
			return err
		}
		return os.Rename(path+".new", path)
	},
	"emptied": func(path string) error { return os.Truncate(path, 0) },
	"overwritten": func(path string) error {
		return os.WriteFile(path, []byte(strings.Repeat("garbage ", 20_000)), 0o600)
	},
}

// Whatever happens to the file while it is open: the index says that something
// was lost, takes what it is told, and is whole again when it was told all.
func TestHarmToTheOpenFileIsHealed(t *testing.T) {
	t.Parallel()
	for name, harm := range harms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "index.db")
			x := opened(t, path)
			push(t, x, "a", 200)
			whole(t, x)
			if err := x.inTurn(t.Context(), func(w *writer) error { return w.script(`PRAGMA wal_checkpoint(TRUNCATE)`) }); err != nil {
				t.Fatal(err)
			}
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			for i := 0; !x.Lost(); i++ {
				if i == 1000 {
					t.Fatal("nobody noticed")
				}
				push(t, x, fmt.Sprintf("b%d", i), 1)
				settled(t, x)
				_, _ = x.TagNames(t.Context(), "a", "", 0) // a reader may be the first to meet it
			}
			if err := x.SetComplete(t.Context(), true); err == nil {
				t.Error("it took what was compared before for whole")
			}
			push(t, x, "a", 200)
			whole(t, x)
			if n := names(t, x, "a"); n != 200 {
				t.Errorf("%d tags", n)
			}
			if _, err := x.Tags(t.Context(), "a", index.Query{}); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("the file is there again: %v", err)
			}
		})
	}
}

// A disk that refuses costs nothing but patience: lists see what is queued, and
// it is written when the disk takes it.
func TestAFullDiskLosesNoChange(t *testing.T) {
	t.Parallel()
	x := opened(t, filepath.Join(t.TempDir(), "index.db"))
	push(t, x, "a", 10)
	limit := func(pages string) {
		t.Helper()
		if err := x.inTurn(t.Context(), func(w *writer) error { return w.script("PRAGMA max_page_count=" + pages) }); err != nil {
			t.Fatal(err)
		}
	}
	limit("1")
	push(t, x, "b", 500)
	if _, err := x.Usage(t.Context()); err != nil {
		t.Errorf("figures while the disk is full: %v", err)
	}
	push(t, x, "c", 1)
	if n := names(t, x, "b"); n != 500 {
		t.Errorf("%d tags while the disk is full", n)
	}
	if repos, err := x.RepositoryNames(t.Context(), "", 0); err != nil || !slices.Equal(repos, []string{"a", "b", "c"}) {
		t.Errorf("repositories while the disk is full: %v, %v", repos, err)
	}
	if x.Lost() {
		t.Error("something was lost")
	}
	if !x.Refused() {
		t.Error("it does not say that it is behind")
	}
}

// TestTheIndexWaitsForRoom has a disk that is left to others until it has room.
func TestTheIndexWaitsForRoom(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index.db")
	var room atomic.Bool
	var told atomic.Int32
	x, err := Open(t.Context(), path, Options{Room: room.Load, Refused: func() { told.Add(1) }})
	if err != nil {
		t.Fatal(err)
	}
	push(t, x, "a", 3)
	if n := names(t, x, "a"); n != 3 {
		t.Errorf("%d tags are listed", n)
	}
	if _, err := x.Usage(t.Context()); err != nil || !x.Refused() || told.Load() != 1 {
		t.Errorf("it is not behind: %v, told %d times", err, told.Load())
	}
	room.Store(true)
	whole(t, x)
	if x.Refused() || x.Lost() {
		t.Error("there is room, and it is behind, or has lost something")
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWhereNoFileCanBeTheIndexLivesInMemory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	x := opened(t, filepath.Join(file, "index.db"))
	push(t, x, "a", 300)
	if rows, err := x.Tags(t.Context(), "a", index.Query{}); len(rows) != 300 || err != nil {
		t.Errorf("%d tags, %v", len(rows), err)
	}
	whole(t, x)
}

// crash copies what a crash leaves.
func crash(t *testing.T, path, to string) {
	t.Helper()
	for _, side := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + side)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to+side, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheFirstChangeIsKnownToBeLostWhenItIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, crashed := filepath.Join(dir, "index.db"), filepath.Join(dir, "crashed.db")
	x := opened(t, path)
	whole(t, x)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = opened(t, path)
	push(t, x, "a", 1)
	crash(t, path, crashed) // before the changes that gather are written
	if y := opened(t, crashed); !y.Lost() {
		t.Error("it takes itself for whole")
	}
}

func TestWhatWasNotClosedMayHaveLostSomething(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, crashed := filepath.Join(dir, "index.db"), filepath.Join(dir, "crashed.db")
	x := opened(t, path)
	whole(t, x)
	push(t, x, "a", 20)
	settled(t, x)
	crash(t, path, crashed)
	y := opened(t, crashed)
	if n := names(t, y, "a"); n != 20 || !y.Lost() {
		t.Errorf("after a crash: %d tags, lost %v", n, y.Lost())
	}
	if err := y.Close(); err != nil { // reconciliation did not get to its end
		t.Fatal(err)
	}
	if y = opened(t, crashed); !y.Lost() {
		t.Error("a second start took it for whole")
	}
	whole(t, y)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if x = opened(t, path); x.Lost() {
		t.Error("what was closed lost something")
	}
}

func TestAChangeThatCannotBeWrittenCostsOnlyItself(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "index.db")
	x := opened(t, path)
	whole(t, x)
	push(t, x, "a", 3)
	if err := x.Apply(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	push(t, x, "b", 3)
	settled(t, x)
	if names(t, x, "a") != 3 || names(t, x, "b") != 3 {
		t.Error("its neighbours were lost with it")
	}
	if ok, err := x.Complete(t.Context()); ok || err != nil || !x.Lost() {
		t.Errorf("complete: %v, %v; lost: %v", ok, err, x.Lost())
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	x = opened(t, path)
	if ok, err := x.Complete(t.Context()); ok || err != nil {
		t.Errorf("an index that misses something was kept: complete %v, %v", ok, err)
	}
}
