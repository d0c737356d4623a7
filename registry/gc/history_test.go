package gc_test

import (
	"testing"

	"berth/registry"
)

func TestATagForgetsTheManifestsThatAreGoneAndNoOther(t *testing.T) {
	t.Parallel()
	w := rash(t)
	old := w.put(w.image("old"), "v1")
	elsewhere := w.put(w.image("elsewhere"), "v1")
	w.put(w.image("elsewhere"), "v2")
	now := w.put(w.image("now"), "v1")
	history := func(tag string, d registry.Digest) bool {
		_, err := w.drv.Stat(t.Context(), v2+"repositories/"+repo+"/_manifests/tags/"+tag+"/index/sha256/"+d.Encoded()+"/link")
		return err == nil
	}
	if !history("v1", old.Digest) || !history("v1", elsewhere.Digest) {
		t.Fatal("the tag remembers nothing")
	}
	if r := w.clean(all); r.Manifests != 1 {
		t.Errorf("receipt %+v", r)
	}
	for d, want := range map[registry.Digest]bool{old.Digest: false, elsewhere.Digest: true, now.Digest: true} {
		if got := history("v1", d); got != want {
			t.Errorf("v1 remembers %s: %t, want %t", d, got, want)
		}
	}
	w.whole(now.Digest)
	w.whole(elsewhere.Digest)
}
