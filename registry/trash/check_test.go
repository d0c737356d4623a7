package trash_test

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/trash"

	"github.com/opencontainers/go-digest"
)

// checkUndo: what v1 named is in the trash and can be brought back.
func (w *world) checkUndo(t *testing.T, at string) {
	t.Helper()
	for _, e := range entries(t, w.bin) {
		if e.Whole {
			w.checkUndoWhole(t, at, e.ID)
			return
		}
		if e.Tag == "v1" && e.Digest == w.old.Digest {
			if _, err := w.reg.Restore(t.Context(), e.ID, "undone"); err != nil {
				t.Errorf("%s: restore: %v", at, err)
			}
			if got := resolve(t, w.reg, "undone"); got != w.old.Digest {
				t.Errorf("%s: restored to %q", at, got)
			}
			return
		}
	}
	t.Errorf("%s: v1 changed and the trash does not know", at)
}

// checkUndoWhole: the repository can be brought back. It is deleted again.
func (w *world) checkUndoWhole(t *testing.T, at, id string) {
	t.Helper()
	if back, err := w.reg.RestoreRepository(t.Context(), id); err != nil || len(back.Conflicts) > 0 {
		t.Errorf("%s: restore: %v %+v", at, err, back)
	}
	if got := resolve(t, w.reg, "v1"); got != w.old.Digest {
		t.Errorf("%s: restored to %q", at, got)
	}
	if _, err := w.reg.DeleteRepository(t.Context(), repo, trash.Deletion{}); err != nil {
		t.Errorf("%s: delete again: %v", at, err)
	}
}

// checkLitter: after a purge each file of the trash belongs to an entry.
func (w *world) checkLitter(t *testing.T, at string) {
	t.Helper()
	if _, err := w.bin.Purge(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	for info, err := range w.drv.List(t.Context(), "berth/trash") {
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		id, _, _ := strings.Cut(path.Base(info.Key), ".")
		if _, err := w.bin.Get(t.Context(), id); err != nil {
			t.Errorf("%s: %s is litter", at, info.Key)
		}
	}
}

// checkDisk: every blob hashes to its key, and whatever is linked is whole.
func (w *world) checkDisk(t *testing.T, at string) {
	t.Helper()
	ctx := t.Context()
	for b, err := range w.st.Stored(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		hex := b.Digest.Encoded()
		f, err := w.drv.Open(ctx, "docker/registry/v2/blobs/sha256/"+hex[:2]+"/"+hex+"/data")
		if err != nil {
			t.Fatal(err)
		}
		if d, err := digest.FromReader(f); err != nil || d != b.Digest {
			t.Errorf("%s: blob %s hashes to %s, %v", at, b.Digest, d, err)
		}
	}
	for d, err := range w.st.Links(ctx, repo) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.st.StatBlob(ctx, repo, d); err != nil {
			t.Errorf("%s: linked blob %s: %v", at, d, err)
		}
	}
	for d, err := range w.st.Revisions(ctx, repo) {
		if err != nil {
			t.Fatal(err)
		}
		m, err := w.st.Manifest(ctx, repo, d.Digest)
		if err != nil {
			t.Errorf("%s: revision %s: %v", at, d.Digest, err)
			continue
		}
		// Pushing it again checks everything that it refers to.
		if _, err := w.st.PutManifest(ctx, repo, m); err != nil {
			t.Errorf("%s: revision %s is not whole: %v", at, d.Digest, err)
		}
	}
	for tag, err := range w.st.Tags(ctx, repo, "") {
		if errors.Is(err, registry.ErrNameUnknown) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.st.ResolveTag(ctx, repo, tag); err != nil {
			t.Errorf("%s: tag %s: %v", at, tag, err)
		}
	}
}

// sweep frees whatever the store lets go of.
func (w *world) sweep(t *testing.T) {
	t.Helper()
	for b, err := range w.st.Stored(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.st.Sweep(t.Context(), b.Digest, time.Now()); err != nil {
			t.Errorf("sweep: %v", err)
		}
	}
}
