package gc_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berth/registry/driver/filesystem"
	"berth/registry/gc"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// TestWhatIsDatedInTheFutureStaysAndThePlanSaysWhatToDo writes garbage with a
// clock that is ahead, and then does what the plan says.
func TestWhatIsDatedInTheFutureStaysAndThePlanSaysWhatToDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = drv.Close() })
	w := newWorld(t, drv, store.Options{Grace: -1})
	kept := w.put(w.image("a"), "v1")
	w.put(w.image("b"))
	registrytest.PushBlob(t, w.st, "other", []byte("loose"))
	date := func(at time.Time) {
		t.Helper()
		err := filepath.WalkDir(filepath.Join(dir, "docker"), func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chtimes(path, at, at)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range []gc.Options{all, {Untagged: true}, {Untagged: true, UntaggedAfter: 24 * time.Hour}} {
		for ahead, says := range map[time.Duration]string{50 * time.Minute: "", 365 * 24 * time.Hour: "touch"} {
			at := time.Now().Add(ahead)
			date(at)
			p := w.plan(o)
			if p.Garbage.Blobs != 0 || p.Young.Blobs == 0 || p.Ripe.Before(at.Truncate(time.Second)) {
				t.Errorf("%s ahead: garbage %+v, young %+v until %s", ahead, p.Garbage, p.Young, p.Ripe)
			}
			if said := len(p.Problems); said > 1 || (said == 1) != (says != "") {
				t.Errorf("%s ahead: problems %v", ahead, p.Problems)
			}
			for _, problem := range p.Problems {
				if !strings.Contains(problem.Text, says) || !strings.Contains(problem.Text, at.UTC().Format("2006-01-02 15:04")) {
					t.Errorf("%s ahead: %s", ahead, problem)
				}
			}
			if r := w.execute(p); r.Freed.Blobs+r.Manifests+r.Links != 0 {
				t.Errorf("%s ahead: freed %+v, %d manifests, %d links", ahead, r.Freed, r.Manifests, r.Links)
			}
		}
	}
	date(time.Now())
	if r := w.clean(all); r.Freed.Blobs == 0 || r.Manifests != 1 {
		t.Errorf("touched: freed %+v, %d manifests", r.Freed, r.Manifests)
	}
	w.whole(kept.Digest)
	date(time.Now().AddDate(1, 0, 0))
	if p := w.plan(all); len(p.Problems) > 0 || p.Young.Blobs > 0 {
		t.Errorf("what is needed may have any date: %v, young %+v", p.Problems, p.Young)
	}
}
