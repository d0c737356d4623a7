package filesystem

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"berth/registry/driver"
)

// killed gives a copy of the folder as a power cut would leave it when all was
// on the disk: another life, with what the journal holds.
func killed(t *testing.T, d *Driver) string {
	t.Helper()
	d.tidy.Wait() // the copy would trip over it
	root := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(root, os.DirFS(d.Root())); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-time.Hour) // as if untouched since
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, then, then))
	})
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func content(t *testing.T, root, key string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(key)))
	if errors.Is(err, fs.ErrNotExist) {
		return "missing"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func set(t *testing.T, root, key, content string, at time.Time) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(key))
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(content), 0o666), os.Chtimes(path, at, at))
	if err != nil {
		t.Fatal(err)
	}
}

func TestAStartAfterAPowerCutRestoresWhatWasLost(t *testing.T) {
	t.Parallel()
	d := open(t)
	put(t, d, "tags/v1/link", "old")
	put(t, d, "tags/v1/link", "new")
	put(t, d, "tags/v2/link", "two")
	put(t, d, "tags/v3/link", "three")
	if err := d.Delete(t.Context(), "tags/v3"); err != nil {
		t.Fatal(err)
	}
	root := killed(t, d)
	before := time.Now().Add(-time.Hour)
	set(t, root, "tags/v1/link", "", before) // a name without its content
	set(t, root, "tags/v3/link", "three", before)
	if err := os.RemoveAll(filepath.Join(root, "tags", "v2")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(root, "tags"), before, before); err != nil {
		t.Fatal(err)
	}
	again := reopen(t, root)
	for key, want := range map[string]string{"tags/v1/link": "new", "tags/v2/link": "two", "tags/v3/link": "missing"} {
		if got := content(t, root, key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	emptyJournal(t, root)
}

// emptyJournal has one small segment with nothing to do.
func emptyJournal(t *testing.T, root string) {
	t.Helper()
	set(t, root, "tags/v1/link", "by another", time.Now().Add(-time.Hour))
	_ = reopen(t, root)
	if got := content(t, root, "tags/v1/link"); got != "by another" {
		t.Errorf("after a clean stop a start changed a key to %q", got)
	}
	files, err := filepath.Glob(filepath.Join(root, "berth", "journal", "*.log"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the journal has %v, %v; want one file", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Size() > 256<<10 {
		t.Errorf("the journal has %d bytes, %v", info.Size(), err)
	}
}

func TestWhatAnotherProgramChangedAfterTheCutIsLeftAlone(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, key := range []string{"tags/changed/link", "tags/deleted/link", "tags/lost/link"} {
		put(t, d, key, "ours")
	}
	if err := d.Delete(t.Context(), "tags/lost"); err != nil {
		t.Fatal(err)
	}
	root := killed(t, d)
	later := time.Now().Add(time.Minute)
	set(t, root, "tags/changed/link", "theirs", later)
	set(t, root, "tags/lost/link", "made anew", later)
	deleted := filepath.Join(root, "tags", "deleted")
	if err := errors.Join(os.Remove(filepath.Join(deleted, "link")), os.Chtimes(deleted, later, later)); err != nil {
		t.Fatal(err)
	}
	_ = reopen(t, root)
	for key, want := range map[string]string{"tags/changed/link": "theirs", "tags/deleted/link": "missing", "tags/lost/link": "made anew"} {
		if got := content(t, root, key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func TestAStartAfterAKillLooksAtNothingThatWasCarriedOut(t *testing.T) {
	t.Parallel()
	d := open(t)
	put(t, d, "tags/v1/link", "ours")
	if d.disk.Life(d.Root()) == "" {
		return // the system cannot tell a kill from a power cut
	}
	// As soon as Berth is gone, and with a clock that was put back.
	set(t, d.Root(), "tags/v1/link", "theirs", time.Now().Add(-time.Hour))
	_ = reopen(t, d.Root())
	if got := content(t, d.Root(), "tags/v1/link"); got != "theirs" {
		t.Errorf("another program's change became %q", got)
	}
}

func TestAClockThatWasPutBackLosesNothing(t *testing.T) {
	t.Parallel()
	l := begin(t, 1)
	if err := l.apply(driver.Put{Key: "a/1", Content: []byte("early")}); err != nil {
		t.Fatal(err)
	}
	for _, jump := range []time.Duration{time.Hour, -48 * time.Hour, time.Hour} {
		l.disk.mu.Lock()
		l.disk.clock = l.disk.clock.Add(jump)
		l.disk.mu.Unlock()
		if err := l.apply(driver.Put{Key: "a/2", Content: []byte(jump.String())}); err != nil {
			t.Fatal(err)
		}
		if err := l.write("grown", jump.String(), false); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.cutAndReopen(); err != nil {
		t.Error(err)
	}
	_ = l.d.Close()
}

// The clock may be set between a record and its effect, or a slow disk take as
// long. What the driver did itself must not look like another program's work.
func TestAClockThatIsSetForwardInTheMidstLosesNothing(t *testing.T) {
	t.Parallel()
	for leap := 40; leap < 66; leap++ { // the last batch is in there
		for seed := range uint64(12) {
			l := begin(t, seed+100*uint64(leap))
			l.disk.leap = leap
			for _, version := range []string{"one", "two"} {
				err := errors.Join(
					l.apply(driver.Put{Key: "a/link", Content: []byte(version)}, driver.Put{Key: "a/" + version, Content: []byte("x")}),
					l.write("a/up/"+version, "bytes", false),
					l.apply(driver.Delete{Key: "b"}, driver.Put{Key: "b/" + version, Content: []byte("x")}),
				)
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := l.cutAndReopen(); err != nil {
				t.Fatalf("leap before operation %d, seed %d: %v", leap, seed, err)
			}
			_ = l.d.Close()
		}
	}
}

func TestAPutThatFailedDoesNotComeBackAfterAPowerCut(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		l := begin(t, seed)
		if err := l.apply(driver.Put{Key: "a/1", Content: []byte("kept")}); err != nil {
			t.Fatal(err)
		}
		for _, full := range []bool{true, false} {
			l.disk.mu.Lock()
			l.disk.full = 0
			if full {
				l.disk.full = 1
			}
			l.disk.mu.Unlock()
			err := l.d.Apply(t.Context(), driver.Delete{Key: "a/2"}, driver.Put{Key: "a/1", Content: []byte("refused")})
			if full != errors.Is(err, driver.ErrNoSpace) {
				t.Fatalf("with a disk that is full: %v: %v", full, err)
			}
			if full {
				if err := l.cutAndReopen(); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		}
		_ = l.d.Close()
	}
}

func TestAFullDiskRefusesPutsWholeAndStillDeletes(t *testing.T) {
	t.Parallel()
	l := begin(t, 2)
	for _, key := range []string{"a/1", "a/2", "b/1"} {
		if err := l.apply(driver.Put{Key: key, Content: []byte("kept")}); err != nil {
			t.Fatal(err)
		}
	}
	l.disk.mu.Lock()
	l.disk.full = l.disk.count
	l.disk.mu.Unlock()
	for range 40 { // more than a segment holds
		err := l.d.Apply(t.Context(), driver.Put{Key: "a/1", Content: []byte("more")}, driver.Put{Key: "new/1", Content: make([]byte, 200)})
		if !errors.Is(err, syscall.ENOSPC) || !errors.Is(err, driver.ErrNoSpace) {
			t.Fatalf("put on a full disk: %v; want ErrNoSpace", err)
		}
	}
	if err := l.apply(driver.Delete{Key: "a/2"}, driver.Delete{Key: "b"}); err != nil {
		t.Errorf("delete on a full disk: %v", err)
	}
	l.disk.mu.Lock()
	l.disk.full = 0
	l.disk.mu.Unlock()
	// Without room for its own folder a deleted tree stays hidden beside its
	// place until it is removed.
	l.d.tidy.Wait()
	if err := l.d.journal.Checkpoint(); err != nil {
		t.Error(err)
	}
	if err := l.cutAndReopen(); err != nil {
		t.Errorf("after a power cut: %v", err)
	}
	_ = l.d.Close()
}

func TestAfterCloseNothingIsChanged(t *testing.T) {
	t.Parallel()
	d := open(t)
	put(t, d, "a", "1")
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "a", []byte("2")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("put: %v; want fs.ErrClosed", err)
	}
	if _, err := d.Append(t.Context(), "b", 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("append: %v; want fs.ErrClosed", err)
	}
	if got := content(t, d.Root(), "a"); got != "1" {
		t.Errorf("a is %q", got)
	}
}

func TestTheJournalIsNobodysKey(t *testing.T) {
	t.Parallel()
	d := open(t)
	put(t, d, "x", "1")
	for _, key := range []string{"berth/journal", "berth/journal/x", "BERTH/Journal/placed"} {
		if _, err := d.Stat(t.Context(), key); !errors.Is(err, driver.ErrKey) {
			t.Errorf("stat %s: %v; want ErrKey", key, err)
		}
	}
	if err := d.Delete(t.Context(), "berth"); !errors.Is(err, driver.ErrKey) {
		t.Errorf("delete berth: %v; want ErrKey", err)
	}
	put(t, d, "berth/trash/1.json", "{}")
	keys := ""
	for info, err := range d.Walk(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys += info.Key + " "
	}
	if !strings.Contains(keys, "berth/trash/1.json") || strings.Contains(keys, "journal") {
		t.Errorf("a walk yields %s", keys)
	}
}

func TestADeletedTreeLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	d := open(t)
	put(t, d, "r/a/b/link", "1")
	if err := d.Delete(t.Context(), "r/a"); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"r", "berth/journal/tmp"} {
		entries, err := os.ReadDir(filepath.Join(d.Root(), filepath.FromSlash(folder)))
		if err != nil || len(entries) != 0 {
			t.Errorf("%s holds %v, %v", folder, entries, err)
		}
	}
	// What a kill left goes with the next start.
	set(t, d.Root(), "berth/journal/tmp/old/deep/file", "x", time.Now())
	again := reopen(t, d.Root())
	again.tidy.Wait()
	if entries, err := os.ReadDir(filepath.Join(d.Root(), "berth", "journal", "tmp")); err != nil || len(entries) != 0 {
		t.Errorf("the start left %v, %v", entries, err)
	}
}

func TestAReadOnlyDiskCanBeRead(t *testing.T) {
	t.Parallel()
	for _, before := range []int{0, 3} {
		l := begin(t, 3)
		for i := range before {
			if err := l.apply(driver.Put{Key: "a/link", Content: []byte{byte(i)}}); err != nil {
				t.Fatal(err)
			}
		}
		l.disk.cutNow()
		_ = l.d.Close()
		l.disk = l.disk.crash(l.rnd)
		l.disk.readOnly = true
		if err := l.open(); err != nil {
			t.Fatalf("open with %d records: %v", before, err)
		}
		if err := l.d.Put(t.Context(), "b", nil); !errors.Is(err, driver.ErrReadOnly) {
			t.Errorf("put: %v; want ErrReadOnly", err)
		}
		if _, err := l.d.Append(t.Context(), "b", 0); !errors.Is(err, driver.ErrReadOnly) {
			t.Errorf("append: %v; want ErrReadOnly", err)
		}
		_ = l.d.Close()
		// When it can be written again, nothing is lost.
		l.disk.readOnly = false
		if err := l.cutAndReopen(); err != nil {
			t.Error(err)
		}
		_ = l.d.Close()
	}
}
