package gc_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"berth/registry/registrytest"
	"berth/registry/trash"
)

// files of the trash, by their keys.
func (w *world) trashed() map[string][]byte {
	w.t.Helper()
	out := map[string][]byte{}
	for info, err := range w.drv.List(w.t.Context(), "berth/trash") {
		if err != nil {
			w.t.Fatal(err)
		}
		f, err := w.drv.Open(w.t.Context(), info.Key)
		if err != nil {
			w.t.Fatal(err)
		}
		if out[info.Key], err = io.ReadAll(f); err != nil {
			w.t.Fatal(err)
		}
		_ = f.Close()
	}
	return out
}

// ruins are what can become of a file of the trash.
var ruins = map[string]struct {
	suffix string
	whole  bool // the repository is in the trash, not the tag
	to     func(content []byte) []byte
}{
	"the record of a tag is cut":          {".json", false, func(c []byte) []byte { return c[:len(c)/2] }},
	"the record of a repository is empty": {".json", true, func([]byte) []byte { return []byte{} }},
	"a part is not there":                 {".part", true, func([]byte) []byte { return nil }},
	"a part is cut between two lines":     {".part", true, func(c []byte) []byte { return c[:bytes.IndexByte(c, '\n')+1] }},
	"a line is damaged":                   {".part", true, func(c []byte) []byte { return bytes.Replace(c, []byte(`"sha256:`), []byte(`"sha256-`), 1) }},
}

func TestWhatTheTrashCannotReadIsNeverFreed(t *testing.T) {
	t.Parallel()
	for name, ruin := range ruins {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := rash(t)
			w.put(w.image("a"), "v1")
			w.put(w.image("b"), "v2")
			registrytest.PushBlob(t, w.st, "other", []byte("loose"))
			if ruin.whole {
				if _, err := w.reg.DeleteRepository(t.Context(), repo, trash.Deletion{}); err != nil {
					t.Fatal(err)
				}
			} else if err := w.reg.DeleteTag(t.Context(), repo, "v1"); err != nil {
				t.Fatal(err)
			}
			before := w.trashed()
			w.bin = trash.New(w.drv, 0) // as after a start
			var file string
			for key, content := range before {
				if !strings.HasSuffix(key, ruin.suffix) {
					continue
				}
				file = key
				err := w.drv.Delete(t.Context(), key)
				if now := ruin.to(content); now != nil {
					err = w.drv.Put(t.Context(), key, now)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				p := w.plan(all)
				if len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Text, file) {
					t.Errorf("problems %v", p.Problems)
				}
				if r := w.execute(p); r.Freed.Blobs != 0 || p.Garbage.Blobs != 0 {
					t.Errorf("freed %+v of %+v", r.Freed, p.Garbage)
				}
			}
			if err := w.drv.Put(t.Context(), file, before[file]); err != nil {
				t.Fatal(err)
			}
			w.bin = trash.New(w.drv, 0)
			w.reg = trash.Wrap(w.st, w.st, w.bin)
			w.comesBack()
		})
	}
}

// comesBack restores what is in the trash, and reads it.
func (w *world) comesBack() {
	w.t.Helper()
	entries, err := w.bin.Entries(w.t.Context())
	if err != nil || len(entries) != 1 {
		w.t.Fatalf("entries %v, %v", entries, err)
	}
	if entries[0].Whole {
		_, err = w.reg.RestoreRepository(w.t.Context(), entries[0].ID)
	} else {
		_, err = w.reg.Restore(w.t.Context(), entries[0].ID, "")
	}
	if err != nil {
		w.t.Fatal(err)
	}
	for _, tag := range []string{"v1", "v2"} {
		d, err := w.st.ResolveTag(w.t.Context(), repo, tag)
		if err != nil {
			w.t.Fatal(err)
		}
		w.whole(d.Digest)
	}
}

// TestARootThatIsDamagedAfterThePlanKeepsWhatIsLeft damages the trash between
// plan and execution.
func TestARootThatIsDamagedAfterThePlanKeepsWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := rash(t)
	registrytest.PushBlob(t, w.st, "other", []byte("loose"))
	p := w.plan(all)
	if err := w.drv.Put(t.Context(), "berth/trash/0190b7a3-1111.json", []byte("{")); err != nil {
		t.Fatal(err)
	}
	r, err := p.Execute(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Freed.Blobs+r.Links != 0 || len(r.Problems) != 1 {
		t.Errorf("freed %+v, %d links, problems %v", r.Freed, r.Links, r.Problems)
	}
}
