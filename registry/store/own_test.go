package store_test

import (
	"context"
	"errors"
	"regexp"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/index"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// compared counts how often a repository is compared with the disk.
type compared struct {
	index.Index
	n atomic.Int32
}

func (c *compared) Manifests(ctx context.Context, repo string, after registry.Digest, limit int) ([]registry.Digest, error) {
	c.n.Add(1)
	return c.Index.Manifests(ctx, repo, after, limit)
}

func TestATagThatWeDeletedOurselvesIsNotTakenForAnotherProgramsWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ix := &compared{Index: openIndex(t)}
		st := open(t, memory.New(), ix, store.Options{})
		<-st.Reconciled()
		for _, tag := range []string{"v1", "v2"} {
			registrytest.PushImage(t, st, "app", tag)
		}
		time.Sleep(time.Minute) // so that what is read is kept
		before := ix.n.Load()
		v2, err := st.ResolveTag(t.Context(), "app", "v2")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := st.ResolveTag(t.Context(), "app", "v1"); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(st.DeleteTag(t.Context(), "app", "v1"), st.DeleteManifest(t.Context(), "app", v2.Digest)); err != nil {
			t.Fatal(err)
		}
		for _, tag := range []string{"v1", "v2"} {
			if _, err := st.ResolveTag(t.Context(), "app", tag); !errors.Is(err, registry.ErrManifestUnknown) {
				t.Errorf("%s after it was deleted: %v", tag, err)
			}
		}
		time.Sleep(time.Minute)
		if n := ix.n.Load(); n != before {
			t.Errorf("the repository was compared %d times", n-before)
		}
	})
}

// TestABlobThatWasDamagedAndHasItsSizeIsThereWhenItIsPushedAgain is about a
// manifest that says too much: only then is a blob of the right size read.
func TestABlobThatWasDamagedAndHasItsSizeIsThereWhenItIsPushedAgain(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	st := open(t, drv, nil, store.Options{})
	m := registrytest.Image(t, st, "app", "x")
	layer := []byte("layer of x")
	d := digest.FromBytes(layer)
	m.Content = regexp.MustCompile(`"size": ?`).ReplaceAll(m.Content, []byte(`"size":9`))
	m.Digest = ""
	put(t, drv, map[string]string{blobPath(d): "layer of ?"})
	if _, err := st.PutManifest(t.Context(), "app", m, "v1"); !errors.Is(err, registry.ErrManifestBlobUnknown) {
		t.Fatalf("an image on a damaged layer: %v", err)
	}
	registrytest.PushBlob(t, st, "app", layer)
	if _, err := st.StatBlob(t.Context(), "app", d); err != nil {
		t.Errorf("after the push: %v", err)
	}
	if _, err := st.PutManifest(t.Context(), "app", m, "v1"); err != nil {
		t.Errorf("after the push: %v", err)
	}
}
