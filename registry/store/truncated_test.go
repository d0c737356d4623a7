package store_test

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"testing"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

func TestATruncatedBlobCountsAsMissingUntilItIsPushedAgain(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"kept", "replaced by an upload"} {
		drv := memory.New()
		st := open(t, drv, openIndex(t), store.Options{})
		m := registrytest.Image(t, st, "app", "v1")
		layer := []byte("layer of v1")
		d := digest.FromBytes(layer)
		put(t, drv, map[string]string{blobPath(d): "layer"})
		_, err := st.PutManifest(t.Context(), "app", m, "v2")
		if es := registry.AsErrors(err); len(es) != 1 || !errors.Is(err, registry.ErrManifestBlobUnknown) || es[0].Detail != d {
			t.Fatalf("an image on a truncated layer: %v", err)
		}
		if _, err := st.ResolveTag(t.Context(), "app", "v2"); !errors.Is(err, registry.ErrManifestUnknown) {
			t.Errorf("the tag that was refused: %v", err)
		}
		if _, err := st.StatBlob(t.Context(), "app", d); !errors.Is(err, registry.ErrBlobUnknown) {
			t.Errorf("head: %v", err)
		}
		if _, err := st.OpenBlob(t.Context(), "app", d); !errors.Is(err, registry.ErrBlobUnknown) {
			t.Errorf("get: %v", err)
		}
		if _, err := st.MountBlob(t.Context(), "app", "other", d); !errors.Is(err, registry.ErrBlobUnknown) {
			t.Errorf("mount: %v", err)
		}
		if how == "kept" {
			continue
		}
		registrytest.PushBlob(t, st, "app", layer)
		if _, err := st.PutManifest(t.Context(), "app", m, "v2"); err != nil {
			t.Errorf("after the push: %v", err)
		}
		b, err := st.OpenBlob(t.Context(), "app", d)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(b)
		if err := errors.Join(err, b.Close()); err != nil || !bytes.Equal(got, layer) {
			t.Errorf("the blob is %q, %v", got, err)
		}
	}
}

// TestAManifestThatSaysMoreThanThereIsIsTakenWhenTheBlobIsWhole: distribution
// does not look at sizes either.
func TestAManifestThatSaysMoreThanThereIsIsTakenWhenTheBlobIsWhole(t *testing.T) {
	t.Parallel()
	drv := &counting{Driver: memory.New()}
	st := open(t, drv, nil, store.Options{})
	m := registrytest.Image(t, st, "app", "x")
	m.Content = regexp.MustCompile(`"size": ?`).ReplaceAll(m.Content, []byte(`"size":9`))
	m.Digest = ""
	if _, err := st.PutManifest(t.Context(), "app", m, "v1"); err != nil {
		t.Fatal(err)
	}
	drv.blobs.Store(0)
	if _, err := st.PutManifest(t.Context(), "app", m, "v2"); err != nil {
		t.Fatal(err)
	}
	if n := drv.blobs.Load(); n > 1 { // its own content, to be compared
		t.Errorf("%d blobs were read again", n)
	}
}
