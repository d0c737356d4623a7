package gc_test

import (
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"
	"berth/registry/driver/memory"
	"berth/registry/gc"
	"berth/registry/manifest"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
)

// links writes the links of a manifest past the store, as another program does
// that serves the folder.
func (w *world) links(m registry.Manifest, layers bool, tags ...string) {
	w.t.Helper()
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		w.t.Fatal(err)
	}
	d := m.Digest
	for _, b := range p.Blobs {
		if layers {
			w.file(linkPath(repo, "_layers", b.Digest), b.Digest.String())
		}
	}
	w.file(linkPath(repo, "_manifests/revisions", d), d.String())
	for _, tag := range tags {
		w.file(v2+"repositories/"+repo+"/_manifests/tags/"+tag+"/current/link", d.String())
	}
}

// besides are what another program does between a plan and its execution, with
// an image that is garbage by the plan.
var besides = map[string]func(w *world, image registry.Manifest){
	"it pushes the image again":         func(w *world, m registry.Manifest) { w.links(m, true, "v1") },
	"it has the layers, and pushes it":  func(w *world, m registry.Manifest) { w.links(m, false, "v1") },
	"it pushes the image without a tag": func(w *world, m registry.Manifest) { w.links(m, true) },
	"it writes a tag, and nothing besides": func(w *world, m registry.Manifest) {
		w.file(v2+"repositories/"+repo+"/_manifests/tags/v1/current/link", m.Digest.String())
	},
	"it has the image, and pushes an index": func(w *world, m registry.Manifest) {
		index := registrytest.Index(w.t, registrytest.Descriptor(m))
		w.file(blobPath(index.Digest), string(index.Content))
		w.links(index, false, "v1")
	},
	"it has the layers, and pushes another image of them": func(w *world, m registry.Manifest) {
		other := m
		other.Content = append([]byte("\n"), m.Content...)
		other.Digest = digest.FromBytes(other.Content)
		w.file(blobPath(other.Digest), string(other.Content))
		w.links(other, false, "v1")
	},
}

func TestWhatAnotherProgramNamesAfterThePlanStays(t *testing.T) {
	t.Parallel()
	for name, do := range besides {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, memory.New(), store.Options{Grace: -1})
				m := w.image("a")
				d := w.put(m, "v1")
				signature := w.put(registrytest.Artifact(t, w.st, repo, "application/signature", d, nil))
				w.untag("v1")
				w.put(w.image("b"))
				time.Sleep(30 * 24 * time.Hour)
				p := w.plan(gc.Options{Untagged: true})
				time.Sleep(time.Minute)
				do(w, m)
				time.Sleep(8 * time.Minute) // less than a plan is believed
				if r := w.execute(p); r.Freed.Blobs < 3 {
					t.Errorf("the other image stayed: %+v", r)
				}
				if tag, err := w.st.ResolveTag(t.Context(), repo, "v1"); err == nil {
					w.whole(tag.Digest)
				}
				if _, err := w.st.StatManifest(t.Context(), repo, d.Digest); err == nil {
					w.whole(d.Digest)
					w.whole(signature.Digest)
				}
				for _, b := range layersOf(t, m) {
					if err := hashes(w.st, repo, b); err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

func layersOf(t *testing.T, m registry.Manifest) (out []registry.Digest) {
	t.Helper()
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range p.Blobs {
		out = append(out, b.Digest)
	}
	return out
}

// TestATagThatCannotBeReadAfterThePlanLeavesItsRepositoryAlone has another
// program be at a tag in the midst of it.
func TestATagThatCannotBeReadAfterThePlanLeavesItsRepositoryAlone(t *testing.T) {
	t.Parallel()
	w := rash(t)
	m := w.put(w.image("a"))
	other := registrytest.PushBlob(t, w.st, "other", []byte("loose"))
	p := w.plan(all)
	w.file(v2+"repositories/"+repo+"/_manifests/tags/odd/current/link", "sha256:abc")
	r, err := p.Execute(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) != 1 || r.Problems[0].Repository != repo || r.Manifests != 0 {
		t.Errorf("receipt %+v", r)
	}
	w.whole(m.Digest)
	if err := hashes(w.st, "other", other.Digest); err == nil {
		t.Error("the other repository is not cleaned up")
	}
}
