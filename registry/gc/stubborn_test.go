package gc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// stubborn is a disk that does not remove one file.
type stubborn struct {
	driver.Driver
	key string
}

func (s *stubborn) Delete(ctx context.Context, key string) error {
	if key == s.key {
		return errors.New("operation not permitted")
	}
	return s.Driver.Delete(ctx, key)
}

func TestOneFileThatStaysDoesNotHideHowMuchWasFreed(t *testing.T) {
	t.Parallel()
	const blobs, size = 9, 6
	disk := &stubborn{Driver: memory.New()}
	w := newWorld(t, disk, store.Options{Grace: -1})
	for i := range blobs {
		content := fmt.Appendf(nil, "blob %d", i)
		if err := disk.Put(t.Context(), blobPath(digest.FromBytes(content)), content); err != nil {
			t.Fatal(err)
		}
	}
	var stays registry.Digest
	for b, err := range w.st.Stored(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		stays = b.Digest
	}
	disk.key = blobPath(stays) // the last of its batch: what comes before is gone when it fails
	r, err := w.plan(all).Execute(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Freed.Blobs != blobs-1 || r.Freed.Bytes != (blobs-1)*size || len(r.Kept) != 0 {
		t.Errorf("freed %+v, kept %v", r.Freed, r.Kept)
	}
	if len(r.Problems) != 1 || r.Problems[0].Digest != stays {
		t.Errorf("problems %v", r.Problems)
	}
	w.stored(1)
	disk.key = ""
	if again := w.clean(all); again.Freed.Blobs != 1 {
		t.Errorf("again: %+v", again)
	}
	w.stored(0)
}

// TestOneManifestThatStaysDoesNotHideThatOthersWent has each of a batch be the
// one that cannot be removed.
func TestOneManifestThatStaysDoesNotHideThatOthersWent(t *testing.T) {
	t.Parallel()
	const images = 5
	for at := range images {
		disk := &stubborn{Driver: memory.New()}
		w := newWorld(t, disk, store.Options{Grace: -1})
		for i := range images {
			w.put(w.image(fmt.Sprint(i)))
		}
		p := w.plan(all)
		stays := p.Repositories[0].Manifests.At(at)
		disk.key = linkPath(repo, "_manifests/revisions", stays)
		r, err := p.Execute(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Manifests != images-1 || r.Freed.Blobs != 3*(images-1) || r.Spared[registry.Deleted] != 0 {
			t.Errorf("%d: unlinked %d manifests, freed %+v, kept %v", at, r.Manifests, r.Freed, r.Kept)
		}
		if len(r.Problems) != 1 || r.Problems[0].Digest != stays {
			t.Errorf("%d: problems %v", at, r.Problems)
		}
		w.whole(stays)
		disk.key = ""
		w.clean(all)
		w.stored(0)
	}
}

// TestAGroupOfWhichAPartWentIsAProblemAndNothingThatItNeedsGoes has the image of
// an index stay, once the index is gone.
func TestAGroupOfWhichAPartWentIsAProblemAndNothingThatItNeedsGoes(t *testing.T) {
	t.Parallel()
	disk := &stubborn{Driver: memory.New()}
	w := newWorld(t, disk, store.Options{Grace: -1})
	stays := w.put(w.image("a"))
	w.put(registrytest.Index(t, stays))
	w.put(w.image("b"))
	disk.key = linkPath(repo, "_manifests/revisions", stays.Digest)
	r, err := w.plan(all).Execute(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Manifests != 1 || r.Spared[registry.Deleted] != 0 || len(r.Problems) != 1 {
		t.Errorf("unlinked %d manifests, kept %v, problems %v", r.Manifests, r.Kept, r.Problems)
	}
	w.whole(stays.Digest)
}
