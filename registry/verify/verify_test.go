package verify_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/filesystem"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/verify"

	"github.com/opencontainers/go-digest"
)

// ground is a store on a folder that a test can damage.
type ground struct {
	*store.Store
	root string
}

func onFiles(t testing.TB) *ground {
	t.Helper()
	g := &ground{root: t.TempDir()}
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: g.root})
	if err != nil {
		t.Fatal(err)
	}
	g.Store = openOn(t, drv)
	t.Cleanup(func() { _ = drv.Close() })
	return g
}

func openOn(t testing.TB, drv driver.Driver) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), drv, nil, store.Options{Park: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func (g *ground) blob(d registry.Digest) string {
	return filepath.Join(g.root, "docker/registry/v2/blobs", d.Algorithm().String(), d.Encoded()[:2], d.Encoded(), "data")
}

func (g *ground) app(parts ...string) string {
	return filepath.Join(append([]string{g.root, "docker/registry/v2/repositories/app"}, parts...)...)
}

func link(d registry.Digest) string { return d.Algorithm().String() + "/" + d.Encoded() + "/link" }

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

// quick is a run without politeness.
var quick = verify.Options{Rate: -1, Settle: time.Millisecond}

func run(t testing.TB, st verify.Store, o verify.Options) ([]verify.Finding, verify.Summary) {
	t.Helper()
	var found []verify.Finding
	s, err := verify.Run(t.Context(), st, o, func(r verify.Report) {
		if r.Found != nil {
			found = append(found, *r.Found)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Findings() != int64(len(found)) {
		t.Errorf("%d findings are counted, %d were told", s.Findings(), len(found))
	}
	return found, s
}

// damages are what can be broken about the image "bad", and what is found then:
// lines "kind: part of the text".
var damages = map[string]struct {
	damage func(t *testing.T, g *ground, bad registry.Manifest)
	want   []string
}{
	"nothing": {func(*testing.T, *ground, registry.Manifest) {}, nil},
	"a byte of a layer": {func(t *testing.T, g *ground, _ registry.Manifest) {
		write(t, g.blob(layerOf("bad")), "lAyer of app:bad")
	}, []string{"blob damaged: quarantine", "blob missing: of app needs"}},
	"a truncated layer": {func(t *testing.T, g *ground, _ registry.Manifest) {
		write(t, g.blob(layerOf("bad")), "layer")
	}, []string{"blob damaged: its 5 bytes", "blob missing: was damaged"}},
	"a layer is gone": {func(t *testing.T, g *ground, _ registry.Manifest) {
		remove(t, filepath.Dir(g.blob(layerOf("bad"))))
	}, []string{"blob missing: not on disk"}},
	"the link of a layer is gone": {func(t *testing.T, g *ground, _ registry.Manifest) {
		remove(t, g.app("_layers", link(layerOf("bad"))))
	}, []string{"blob not in the repository: on disk, but not in this repository"}},
	"the link of a layer is junk": {func(t *testing.T, g *ground, _ registry.Manifest) {
		write(t, g.app("_layers", link(layerOf("bad"))), "junk")
	}, []string{"link damaged: of the blob"}},
	"a link to nowhere": {func(t *testing.T, g *ground, _ registry.Manifest) {
		nowhere := digest.FromString("nowhere")
		if err := os.MkdirAll(filepath.Dir(g.app("_layers", link(nowhere))), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, g.app("_layers", link(nowhere)), nowhere.String())
	}, []string{"blob missing: app has the blob"}},
	"the manifest is another": {func(t *testing.T, g *ground, bad registry.Manifest) {
		write(t, g.blob(bad.Digest), `{"schemaVersion":2}`)
	}, []string{"blob damaged: quarantine", "manifest missing: app has the manifest"}},
	"the revision is gone": {func(t *testing.T, g *ground, bad registry.Manifest) {
		remove(t, g.app("_manifests/revisions", link(bad.Digest)))
	}, []string{"dangling tag: still on disk"}},
	"the revision and the manifest are gone": {func(t *testing.T, g *ground, bad registry.Manifest) {
		remove(t, g.app("_manifests/revisions", link(bad.Digest)))
		remove(t, g.blob(bad.Digest))
	}, []string{"dangling tag: which app does not have"}},
	"the link of the revision is junk": {func(t *testing.T, g *ground, bad registry.Manifest) {
		write(t, g.app("_manifests/revisions", link(bad.Digest)), "")
	}, []string{"link damaged: of the manifest"}},
	"the link of the tag is junk": {func(t *testing.T, g *ground, _ registry.Manifest) {
		write(t, g.app("_manifests/tags/bad/current/link"), "sha256:../..")
	}, []string{"dangling tag: cannot be understood"}},
	"the link of the tag is gone": {func(t *testing.T, g *ground, _ registry.Manifest) {
		remove(t, g.app("_manifests/tags/bad/current"))
	}, []string{"dangling tag: has lost its link"}},
	"the history is gone": {func(t *testing.T, g *ground, _ registry.Manifest) {
		remove(t, g.app("_manifests/tags/bad/index"))
	}, []string{"link damaged: history"}},
	"the history is junk": {func(t *testing.T, g *ground, bad registry.Manifest) {
		write(t, g.app("_manifests/tags/bad/index", link(bad.Digest)), "junk")
	}, []string{"link damaged: history"}},
	"an old format": {func(t *testing.T, g *ground, bad registry.Manifest) {
		d := registrytest.PushBlob(t, g, "app", []byte(`{"schemaVersion":1,"fsLayers":[]}`)).Digest
		if err := os.MkdirAll(filepath.Dir(g.app("_manifests/revisions", link(d))), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, g.app("_manifests/revisions", link(d)), d.String())
	}, []string{"manifest not understood: cannot be served"}},
	"unknown files": {func(t *testing.T, g *ground, bad registry.Manifest) {
		write(t, g.app("_manifests/revisions/sha256/README"), "?")
		write(t, g.app("_manifests/tags/README"), "?")
		write(t, filepath.Join(g.root, "docker/registry/v2/blobs/sha256/README"), "?")
	}, nil},
}

func layerOf(tag string) registry.Digest { return digest.FromString("layer of app:" + tag) }

func TestEachDamageIsFoundAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, c := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := onFiles(t)
			registrytest.PushImage(t, g, "app", "good")
			bad := registrytest.PushImage(t, g, "app", "bad")
			if _, err := g.ResolveTag(t.Context(), "app", "bad"); err != nil { // the caches know it
				t.Fatal(err)
			}
			c.damage(t, g, bad)
			found, summary := run(t, g, quick)
			if len(found) != len(c.want) {
				t.Errorf("found %+v", found)
			}
			for i, want := range c.want {
				kind, text, _ := strings.Cut(want, ": ")
				if i >= len(found) || string(found[i].Kind) != kind || !strings.Contains(found[i].Text, text) {
					t.Errorf("finding %d is not %q", i, want)
				}
			}
			for _, f := range found {
				if f.Repository != "" && f.Kind != verify.ManifestUnknown && f.Tag != "bad" && f.Digest != digest.FromString("nowhere") && f.Link != registry.RawLayer {
					t.Errorf("it does not say the tag: %+v", f)
				}
			}
			if !summary.Complete || summary.Phase != verify.Done || summary.Blobs != summary.TotalBlobs || summary.Blobs == 0 {
				t.Errorf("summary %+v", summary)
			}
			if now, err := g.ResolveTag(t.Context(), "app", "good"); err != nil || now.Digest == "" {
				t.Errorf("the sound image: %v", err)
			}
		})
	}
}

func TestADamagedBlobIsMovedAsideAndComesBackByAPush(t *testing.T) {
	t.Parallel()
	g, ctx := onFiles(t), t.Context()
	m := registrytest.PushImage(t, g, "app", "bad")
	for range 2 {
		write(t, g.blob(layerOf("bad")), "rotten")
		run(t, g, quick)
		if _, err := g.StatBlob(ctx, "app", layerOf("bad")); registry.AsErrors(err) == nil {
			t.Fatalf("a client is told that it is there: %v", err)
		}
		registrytest.PushBlob(t, g, "app", []byte("layer of app:bad"))
		if found, _ := run(t, g, quick); len(found) > 0 {
			t.Errorf("after the push: %+v", found)
		}
	}
	if _, err := g.ResolveTag(ctx, "app", "bad"); err != nil {
		t.Error(err)
	}
	write(t, g.blob(m.Digest), "rotten")
	run(t, g, quick)
	if _, err := g.ResolveTag(ctx, "app", "bad"); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("the damaged manifest is served from memory: %v", err)
	}
	if _, err := g.DropQuarantined(ctx, m.Digest); err != nil {
		t.Error(err)
	}
	var kept int
	for st, err := range g.Quarantined(ctx) {
		if err != nil || st.Digest != layerOf("bad") || st.Size != 6 {
			t.Errorf("in the quarantine: %+v, %v", st, err)
		}
		kept++
	}
	if freed, err := g.DropQuarantined(ctx, layerOf("bad")); kept != 2 || freed != 12 || err != nil {
		t.Errorf("%d are kept, %d bytes freed, %v", kept, freed, err)
	}
	for range g.Quarantined(ctx) {
		t.Error("the quarantine is not empty")
	}
}

func TestWhoOnlyLooksMovesNothing(t *testing.T) {
	t.Parallel()
	g := onFiles(t)
	registrytest.PushImage(t, g, "app", "bad")
	write(t, g.blob(layerOf("bad")), "layer of app:baD")
	o := quick
	o.LookOnly = true
	found, _ := run(t, g, o)
	if len(found) != 2 || found[0].Quarantined || found[1].Kind != verify.BlobDamaged || found[1].Repository != "app" || found[1].Tag != "bad" {
		t.Errorf("found %+v", found)
	}
	if b, err := os.ReadFile(g.blob(layerOf("bad"))); err != nil || string(b) != "layer of app:baD" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestAnIndexIsCheckedForItsChildren(t *testing.T) {
	t.Parallel()
	g, ctx := onFiles(t), t.Context()
	a, b := registrytest.PushImage(t, g, "app", "a"), registrytest.PushImage(t, g, "app", "b")
	index := registrytest.Index(t, registrytest.Descriptor(a), registrytest.Descriptor(b))
	if _, err := g.PutManifest(ctx, "app", index, "all"); err != nil {
		t.Fatal(err)
	}
	if err := g.DeleteTag(ctx, "app", "a"); err != nil {
		t.Fatal(err)
	}
	remove(t, g.app("_manifests/revisions", link(a.Digest)))
	found, _ := run(t, g, quick)
	if len(found) != 1 || found[0].Kind != verify.ChildMissing || found[0].Digest != a.Digest || found[0].Tag != "all" || found[0].Manifest != index.Digest {
		t.Fatalf("found %+v", found)
	}
	o := quick
	o.Optional = func(c registry.Descriptor) bool { return c.Digest == a.Digest }
	if found, _ := run(t, g, o); len(found) > 0 {
		t.Errorf("an optional child: %+v", found)
	}
	if err := verify.Mend(ctx, g, g, found[0]); err != nil {
		t.Fatal(err)
	}
	if found, _ := run(t, g, quick); len(found) > 0 {
		t.Errorf("after it was mended: %+v", found)
	}
}

func TestASizeThatDiffersIsToldAndHarmsNothing(t *testing.T) {
	t.Parallel()
	g := onFiles(t)
	m := registrytest.Image(t, g, "app", "app:x")
	m.Content = []byte(strings.ReplaceAll(string(m.Content), `"size": `, `"size": 9`))
	m.Digest = ""
	if _, err := g.PutManifest(t.Context(), "app", m, "x"); err != nil {
		t.Fatal(err)
	}
	found, _ := run(t, g, quick)
	if len(found) != 2 || found[0].Kind != verify.SizeWrong || found[0].Tag != "x" || len(found[0].Fixes) > 0 {
		t.Errorf("found %+v", found)
	}
}

func TestARunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	g := onFiles(t)
	registrytest.PushImage(t, g, "app", "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := verify.Run(ctx, g, quick, nil); !errors.Is(err, context.Canceled) || s.Complete || s.Phase == verify.Done {
		t.Errorf("%+v, %v", s, err)
	}
}
