package gc_test

import (
	"testing"

	"berth/registry/gc"
	"berth/registry/registrytest"
)

// TestWhatIsLostBetweenPlanAndExecutionLeavesOnlyItsRepositoryAlone deletes an
// image, which goes into the trash, once the plan is made; and its manifest is
// lost on the disk.
func TestWhatIsLostBetweenPlanAndExecutionLeavesOnlyItsRepositoryAlone(t *testing.T) {
	t.Parallel()
	for _, damage := range []string{"", "{"} {
		w := rash(t)
		m := w.put(w.image("lost"), "v1")
		loose := registrytest.PushBlob(t, w.st, repo, []byte("of whom nobody knows who needs it"))
		other := registrytest.PushBlob(t, w.st, "other", []byte("loose"))
		p := w.plan(all)
		if err := w.reg.DeleteManifest(t.Context(), repo, m.Digest); err != nil {
			t.Fatal(err)
		}
		if err := w.drv.Delete(t.Context(), blobPath(m.Digest)); err != nil {
			t.Fatal(err)
		}
		if damage != "" {
			if err := w.drv.Put(t.Context(), blobPath(m.Digest), []byte(damage)); err != nil {
				t.Fatal(err)
			}
		}
		r, err := p.Execute(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Problems) != 1 || r.Problems[0].Repository != repo || r.Problems[0].Digest != m.Digest {
			t.Errorf("problems %v", r.Problems)
		}
		if r.Freed != (gc.Count{Blobs: 1, Bytes: 5}) {
			t.Errorf("freed %+v", r.Freed)
		}
		if err := hashes(w.st, repo, loose.Digest); err != nil {
			t.Error(err)
		}
		if err := hashes(w.st, "other", other.Digest); err == nil {
			t.Error("the other repository is not cleaned up")
		}
	}
}
