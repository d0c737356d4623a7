package gc_test

import (
	"encoding/json"
	"testing"

	"berth/registry"
	"berth/registry/manifest"
	"berth/registry/registrytest"
)

// TestAManifestInTheTrashKeepsWhatItNeedsAlsoWhenItIsALayer has an image bundle
// another one's manifest as a layer; the other one is in the trash.
func TestAManifestInTheTrashKeepsWhatItNeedsAlsoWhenItIsALayer(t *testing.T) {
	t.Parallel()
	w := rash(t)
	m := w.image("a")
	image := w.put(m, "a")
	registrytest.PushBlob(t, w.st, repo, m.Content) // the manifest, as a blob
	config := registrytest.PushBlob(t, w.st, repo, []byte("{}"))
	config.MediaType = "application/vnd.oci.empty.v1+json"
	layer := registry.Descriptor{MediaType: manifest.OCIManifest, Digest: image.Digest, Size: int64(len(m.Content))}
	content, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": manifest.OCIManifest, "config": config, "layers": []registry.Descriptor{layer},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.put(registry.Manifest{MediaType: manifest.OCIManifest, Content: content}, "bundle")
	if err := w.reg.DeleteManifest(t.Context(), repo, image.Digest); err != nil {
		t.Fatal(err)
	}
	w.clean(all)
	entries, err := w.bin.Entries(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := w.reg.Restore(t.Context(), e.ID, ""); err != nil {
			t.Fatal(err)
		}
	}
	w.whole(image.Digest)
}
