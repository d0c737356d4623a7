package store_test

import (
	"errors"
	"slices"
	"testing"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

const base = v2 + "repositories/app/"

// damages are what can be broken about the image "bad".
var damages = map[string]func(t *testing.T, drv *memory.Driver, bad registry.Manifest){
	"the tag's link is empty": func(t *testing.T, drv *memory.Driver, _ registry.Manifest) {
		put(t, drv, map[string]string{base + "_manifests/tags/bad/current/link": ""})
	},
	"the tag's link is junk": func(t *testing.T, drv *memory.Driver, _ registry.Manifest) {
		put(t, drv, map[string]string{base + "_manifests/tags/bad/current/link": "sha256:../../../../etc"})
	},
	"the tag's link is huge": func(t *testing.T, drv *memory.Driver, _ registry.Manifest) {
		put(t, drv, map[string]string{base + "_manifests/tags/bad/current/link": string(make([]byte, 1<<16))})
	},
	"the tag has no link": func(t *testing.T, drv *memory.Driver, _ registry.Manifest) {
		remove(t, drv, base+"_manifests/tags/bad/current/link")
	},
	"the revision has no link": func(t *testing.T, drv *memory.Driver, bad registry.Manifest) {
		remove(t, drv, base+"_manifests/revisions/"+linkPath(bad.Digest))
	},
	"the manifest is gone": func(t *testing.T, drv *memory.Driver, bad registry.Manifest) {
		remove(t, drv, blobPath(bad.Digest))
	},
	"the manifest is truncated": func(t *testing.T, drv *memory.Driver, bad registry.Manifest) {
		put(t, drv, map[string]string{blobPath(bad.Digest): string(bad.Content[:20])})
	},
	"the manifest is another": func(t *testing.T, drv *memory.Driver, bad registry.Manifest) {
		put(t, drv, map[string]string{blobPath(bad.Digest): `{"schemaVersion":2,"manifests":[]}`})
	},
	"the tag names an old format": func(t *testing.T, drv *memory.Driver, _ registry.Manifest) {
		old := `{"schemaVersion":1,"fsLayers":[]}`
		d := digest.FromString(old)
		put(t, drv, map[string]string{
			blobPath(d): old, base + "_manifests/revisions/" + linkPath(d): d.String(),
			base + "_manifests/tags/bad/current/link": d.String(),
		})
	},
}

// TestDamageHurtsOnlyWhatIsDamaged breaks one thing at a time beside a sound
// image, and expects an error of the protocol for that thing and no other.
func TestDamageHurtsOnlyWhatIsDamaged(t *testing.T) {
	t.Parallel()
	const repo = "app"
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drv := memory.New()
			first := open(t, drv, nil, store.Options{})
			good := registrytest.PushImage(t, first, repo, "good")
			bad := registrytest.PushImage(t, first, repo, "bad")
			put(t, drv, map[string]string{base + "_manifests/tags/README.txt": "?", base + "_manifests/revisions/x": "?"})
			damage(t, drv, bad)
			st := open(t, drv, openIndex(t), store.Options{})
			<-st.Reconciled()
			if _, err := st.ResolveTag(t.Context(), repo, "bad"); !errors.Is(err, registry.ErrManifestUnknown) {
				t.Errorf("the damaged tag: %v", err)
			}
			if d, err := st.ResolveTag(t.Context(), repo, "good"); err != nil || d.Digest != good.Digest {
				t.Errorf("the sound tag: %v", err)
			}
			if got := list(t, st.Tags(t.Context(), repo, "")); !slices.Contains(got, "good") {
				t.Errorf("tags %v", got)
			}
			// A client that is told «unknown» pushes again, and that heals.
			if _, err := st.PutManifest(t.Context(), repo, bad, "bad"); err != nil {
				t.Fatalf("push again: %v", err)
			}
			if d, err := st.ResolveTag(t.Context(), repo, "bad"); err != nil || d.Digest != bad.Digest {
				t.Errorf("after the push: %v", err)
			}
		})
	}
}

func remove(t testing.TB, drv *memory.Driver, key string) {
	t.Helper()
	if err := drv.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

func TestATagThatNamesNothingCanStillBeDeleted(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	st := open(t, drv, nil, store.Options{})
	m := registrytest.PushImage(t, st, "app", "v1")
	remove(t, drv, v2+"repositories/app/_manifests/revisions/"+linkPath(m.Digest))
	if err := st.DeleteTag(t.Context(), "app", "v1"); err != nil {
		t.Fatal(err)
	}
	if err := st.DeleteTag(t.Context(), "app", "v1"); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("second delete: %v", err)
	}
}

func TestAManifestIsRefusedWhenALayerOnDiskIsHollow(t *testing.T) {
	t.Parallel()
	drv := memory.New()
	st := open(t, drv, nil, store.Options{})
	m := registrytest.Image(t, st, "app", "x")
	layer := digest.FromString("layer of x")
	put(t, drv, map[string]string{blobPath(layer): ""})
	_, err := st.PutManifest(t.Context(), "app", m, "v1")
	if es := registry.AsErrors(err); len(es) != 1 || !errors.Is(err, registry.ErrManifestBlobUnknown) || es[0].Detail != layer {
		t.Fatalf("got %v", err)
	}
}
