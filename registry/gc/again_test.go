package gc_test

import (
	"testing"

	"berth/registry"
	"berth/registry/registrytest"
)

// TestWhatRefersToAnImageStaysWhenTheImageComesBack pushes an image again whose
// signatures were garbage when the plan was made, as it was gone.
func TestWhatRefersToAnImageStaysWhenTheImageComesBack(t *testing.T) {
	t.Parallel()
	w := rash(t)
	m := w.image("a")
	image := w.put(m, "v1")
	signature := w.put(registrytest.Artifact(t, w.st, repo, "application/signature", image, nil))
	stamp := w.put(registrytest.Artifact(t, w.st, repo, "application/timestamp", signature, nil))
	sbom := w.put(registrytest.Artifact(t, w.st, repo, "application/sbom", image, nil))
	other := w.put(registrytest.Artifact(t, w.st, repo, "application/sbom", w.put(w.image("other"), "other"), nil))
	for _, d := range []registry.Digest{image.Digest, w.digestOf("other")} {
		if err := w.st.DeleteManifest(t.Context(), repo, d); err != nil {
			t.Fatal(err)
		}
	}
	p := w.plan(all)
	if p.Manifests != 4 {
		t.Fatalf("%d manifests are garbage, want 4", p.Manifests)
	}
	w.put(m, "v1")
	if r := w.execute(p); r.Manifests != 1 || r.Spared[registry.Referred] < 3 {
		t.Errorf("receipt %+v", r)
	}
	for _, d := range []registry.Digest{image.Digest, signature.Digest, stamp.Digest, sbom.Digest} {
		w.whole(d)
	}
	if _, err := w.st.StatManifest(t.Context(), repo, other.Digest); err == nil {
		t.Error("what refers to an image that is gone stayed")
	}
}

// TestWhatRefersToTheChildOfAnIndexStaysWithTheIndex has an index come back
// whose child, which a signature is of, is not linked by itself.
func TestWhatRefersToTheChildOfAnIndexStaysWithTheIndex(t *testing.T) {
	t.Parallel()
	w := rash(t)
	child := w.put(w.image("arm"))
	m := registrytest.Index(t, child)
	index := w.put(m)
	signature := w.put(registrytest.Artifact(t, w.st, repo, "application/signature", child, nil))
	w.drop(linkPath(repo, "_manifests/revisions", child.Digest))
	p := w.plan(all)
	if p.Manifests != 2 {
		t.Fatalf("%d manifests are garbage, want 2", p.Manifests)
	}
	if err := w.st.Relink(t.Context(), repo, index.Digest, "v1"); err != nil {
		t.Fatal(err)
	}
	w.execute(p)
	w.whole(signature.Digest)
}

func (w *world) digestOf(tag string) registry.Digest {
	w.t.Helper()
	d, err := w.st.ResolveTag(w.t.Context(), repo, tag)
	if err != nil {
		w.t.Fatal(err)
	}
	return d.Digest
}
