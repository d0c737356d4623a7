package gc_test

import (
	"errors"
	"strings"
	"testing"

	"berth/registry"
	"berth/registry/gc"
	"berth/registry/pin"
	"berth/registry/registrytest"
)

// TestWhatADamagedPinMayHoldIsNotFreedUntilItIsRemoved moves the tag of a pin
// whose file was cut by a full disk, so that nothing else holds its manifest.
func TestWhatADamagedPinMayHoldIsNotFreedUntilItIsRemoved(t *testing.T) {
	t.Parallel()
	ctx, w := t.Context(), rash(t)
	m := w.put(w.image("a"), "v1")
	if _, err := pin.New(w.drv).Add(ctx, pin.Pin{Repository: repo, Tag: "v1", Digest: m.Digest}); err != nil {
		t.Fatal(err)
	}
	w.put(w.image("b"), "v1")
	registrytest.PushBlob(t, w.st, "other", []byte("loose"))
	var files []string
	for dir := range w.drv.List(ctx, "berth/pins") {
		for f := range w.drv.List(ctx, dir.Key) {
			files = append(files, f.Key)
		}
	}
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	w.file(files[0], `{"repository":"team/a`)
	pins := pin.New(w.drv)
	for range 2 {
		p, err := gc.NewPlan(ctx, w.st, []registry.Rooter{w.bin, pins}, all)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Problems) != 1 || !strings.Contains(p.Problems[0].Text, files[0]) {
			t.Errorf("problems %v", p.Problems)
		}
		r, err := p.Execute(ctx, nil)
		if err != nil || r.Freed.Blobs+r.Links+r.Manifests != 0 || p.Garbage.Blobs != 0 {
			t.Errorf("freed %+v of %+v, %v", r.Freed, p.Garbage, err)
		}
		w.whole(m.Digest)
	}
	if gone, err := pins.Remove(ctx, repo, "v1"); err != nil || len(gone) != 1 {
		t.Fatalf("unpinned %v, %v", gone, err)
	}
	p, err := gc.NewPlan(ctx, w.st, []registry.Rooter{w.bin, pins}, all)
	if err != nil || len(p.Problems) > 0 {
		t.Fatalf("problems %v, %v", p.Problems, err)
	}
	w.execute(p)
	if err := whole(w.st, repo, m.Digest); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("what was pinned is still there: %v", err)
	}
}
