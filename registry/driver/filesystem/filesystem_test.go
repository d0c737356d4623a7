package filesystem

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berth/registry/driver"
	"berth/registry/driver/drivertest"
)

func TestFilesystemKeepsTheContractOfDrivers(t *testing.T) {
	t.Parallel()
	drivertest.Run(t, func(t *testing.T) driver.Driver { return open(t) })
}

func open(t testing.TB) *Driver {
	t.Helper()
	return reopen(t, filepath.Join(t.TempDir(), "made", "by", "open"))
}

func reopen(t testing.TB, root string) *Driver {
	t.Helper()
	d, err := Open(Options{RootDirectory: root})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// grow writes a file past the journal.
func grow(t testing.TB, d *Driver, key, content string) {
	t.Helper()
	w, err := d.Append(t.Context(), key, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, d *Driver, key, content string) {
	t.Helper()
	if err := d.Put(t.Context(), key, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

// leftover makes what an accident leaves in a folder, as old as age.
func leftover(t *testing.T, d *Driver, folder string, age time.Duration) string {
	t.Helper()
	path := filepath.Join(d.Root(), folder, tempMark+age.String())
	if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-age)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLeftoversAreHiddenAndTheOldOnesRemoved(t *testing.T) {
	t.Parallel()
	d := open(t)
	put(t, d, "x/link", "1")
	old, fresh := leftover(t, d, "x", 2*tempAge), leftover(t, d, "x", 0)
	for _, seq := range []func() (keys []string){
		func() (keys []string) {
			for info, err := range d.List(t.Context(), "x") {
				keys = append(keys, info.Key)
				if err != nil {
					t.Error(err)
				}
			}
			return keys
		},
		func() (keys []string) {
			for info, err := range d.Walk(t.Context(), "") {
				keys = append(keys, info.Key)
				if err != nil {
					t.Error(err)
				}
			}
			return keys
		},
	} {
		if got := strings.Join(seq(), " "); got != "x/link" {
			t.Errorf("listed: %s", got)
		}
	}
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the old leftover: %v", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("the fresh leftover, which may be somebody's: %v", err)
	}
}

func TestNoKeyReachesATemporaryFile(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, key := range []string{tempMark + "1", "x/" + tempMark + "1", "x/" + tempMark + "1/y"} {
		if err := d.Put(t.Context(), key, nil); !errors.Is(err, driver.ErrKey) {
			t.Errorf("put %s: %v; want ErrKey", key, err)
		}
	}
}

func TestAFailedPutLeavesNothing(t *testing.T) {
	t.Parallel()
	d := open(t)
	put(t, d, "x/folder/file", "1")
	if err := d.Put(t.Context(), "x/folder", []byte("2")); err == nil {
		t.Error("a put replaced a folder")
	}
	entries, err := os.ReadDir(filepath.Join(d.Root(), "x"))
	if err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestOpenGivesAFileThatCanBeSent(t *testing.T) {
	t.Parallel()
	d := open(t)
	put(t, d, "x", "1")
	f, err := d.Open(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := f.(*os.File); !ok {
		t.Errorf("it is a %T", f)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheRootMustBeAFolder(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{"", file, filepath.Join(file, "below")} {
		if d, err := Open(Options{RootDirectory: root}); err == nil {
			t.Errorf("Open(%q) = %v", root, d.Root())
		}
	}
}

func TestARootThatIsGoneIsNotMadeAnew(t *testing.T) {
	t.Parallel()
	d := open(t)
	if err := os.RemoveAll(d.Root()); err != nil {
		t.Fatal(err)
	}
	err := d.Put(t.Context(), "x/y", nil)
	if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("put: %v; want that the root is gone", err)
	}
	if _, err := os.Stat(d.Root()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the root: %v", err)
	}
}

func TestNewFoldersAreSettledOnce(t *testing.T) {
	t.Parallel()
	d := open(t)
	grow(t, d, "a/b/c/data", "1")
	if n := len(d.births.pending); n != 0 {
		t.Errorf("%d folders are pending after a close", n)
	}
	// As when another goroutine made the folder, and not yet flushed it.
	dir := filepath.Join(d.Root(), "a", "new")
	if err := d.mkdirs(dir, d.mkdirBorn); err != nil {
		t.Fatal(err)
	}
	if born := d.births.above(filepath.Join(dir, "deeper"), len(d.root)); len(born) != 1 {
		t.Errorf("what is above: %v", born)
	}
	grow(t, d, "a/new/deeper/data", "1")
	if n := len(d.births.pending); n != 0 {
		t.Errorf("%d folders are pending after a file was written below them", n)
	}
}

func TestAFolderMadeAnewStaysPending(t *testing.T) {
	t.Parallel()
	d := open(t)
	dir := filepath.Join(d.Root(), "x")
	if err := d.mkdirs(dir, d.mkdirBorn); err != nil {
		t.Fatal(err)
	}
	before := d.births.above(dir, len(d.root))
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := d.mkdirs(dir, d.mkdirBorn); err != nil {
		t.Fatal(err)
	}
	d.births.settled(before)
	if born := d.births.above(dir, len(d.root)); len(born) != 1 {
		t.Errorf("the second life of the folder counts as settled by the first's flush")
	}
}

func TestErrorsOfTheSystemAreTheDrivers(t *testing.T) {
	t.Parallel()
	for _, test := range systemErrors {
		err := fail("put", "some/key", &fs.PathError{Op: "write", Path: "/p", Err: test.system})
		if !errors.Is(err, test.want) || !errors.Is(err, test.system) || !strings.Contains(err.Error(), "some/key") {
			t.Errorf("%v becomes %v; want %v and both to be found", test.system, err, test.want)
		}
	}
}

func BenchmarkStat(b *testing.B) {
	d := open(b)
	put(b, d, "docker/registry/v2/blobs/sha256/aa/aabb/data", "1")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Stat(b.Context(), "docker/registry/v2/blobs/sha256/aa/aabb/data"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenAndReadALink(b *testing.B) {
	d := open(b)
	put(b, d, "tags/v1/current/link", strings.Repeat("x", 71))
	b.ReportAllocs()
	buf := make([]byte, 128)
	for b.Loop() {
		f, err := d.Open(b.Context(), "tags/v1/current/link")
		if err != nil {
			b.Fatal(err)
		}
		if n, err := f.Read(buf); n != 71 || err != nil {
			b.Fatal(n, err)
		}
		_ = f.Close()
	}
}

func BenchmarkPutALink(b *testing.B) {
	d := open(b)
	link := []byte(strings.Repeat("x", 71))
	for b.Loop() {
		if err := d.Put(b.Context(), "tags/v1/current/link", link); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutALinkInANewFolder(b *testing.B) {
	d := open(b)
	link := []byte(strings.Repeat("x", 71))
	for n := 0; b.Loop(); n++ {
		if err := d.Put(b.Context(), "layers/"+time.Unix(int64(n), 0).UTC().Format("20060102150405")+"/link", link); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppend64MiB(b *testing.B) {
	d := open(b)
	block := make([]byte, 256<<10)
	for i := range block {
		block[i] = byte(i * 7)
	}
	b.SetBytes(64 << 20)
	for b.Loop() {
		w, err := d.Append(b.Context(), "up/data", 0)
		if err != nil {
			b.Fatal(err)
		}
		for range 64 << 20 / len(block) {
			if _, err := w.Write(block); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		if err := d.Delete(b.Context(), "up"); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzAKeyStaysBelowTheRoot(f *testing.F) {
	for _, key := range []string{"a", "a/b", "../a", "/a", "a//b", "a\x00", `a\..\b`, ".", "a/.berth-tmp-1", "C:/x", "a/..", "sha256/aa"} {
		f.Add(key)
	}
	root := f.TempDir()
	d, err := Open(Options{RootDirectory: root})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key string) {
		path, err := d.path(key)
		if err != nil {
			if !errors.Is(err, driver.ErrKey) {
				t.Errorf("path(%q): %v", key, err)
			}
			return
		}
		back, err := filepath.Rel(d.Root(), path)
		if err != nil || filepath.ToSlash(back) != key || !filepath.IsLocal(back) {
			t.Errorf("path(%q) = %s, which leads back to %q (%v)", key, path, back, err)
		}
		if name, ok := keyName(filepath.Base(path)); !ok || !strings.HasSuffix(key, name) {
			t.Errorf("a listing would show %q as %q, %v", key, name, ok)
		}
	})
}

func TestAWriterRefusesAfterAFailedSync(t *testing.T) {
	t.Parallel()
	d := open(t)
	w, err := d.Append(t.Context(), "up/data", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "bytes"); err != nil {
		t.Fatal(err)
	}
	inner := w.(*writer)
	if err := inner.f.Close(); err != nil { // so that the sync fails
		t.Fatal(err)
	}
	first, second := w.Sync(), w.Sync()
	if first == nil || !errors.Is(second, first) {
		t.Errorf("two syncs of a broken file: %v, %v", first, second)
	}
	if err := w.Close(); !errors.Is(err, first) {
		t.Errorf("close: %v", err)
	}
}
