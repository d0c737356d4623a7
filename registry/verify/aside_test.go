package verify_test

import (
	"strings"
	"testing"

	"berth/registry/registrytest"
)

// TestWhatLiesInTheQuarantineIsSaidByLaterRunsToo also has content that is gone
// without having been damaged.
func TestWhatLiesInTheQuarantineIsSaidByLaterRunsToo(t *testing.T) {
	t.Parallel()
	g := onFiles(t)
	registrytest.PushImage(t, g, "app", "bad")
	index := registrytest.PushImage(t, g, "app", "worse")
	write(t, g.blob(layerOf("bad")), "lAyer of app:bad")
	write(t, g.blob(index.Digest), "{}")
	run(t, g, quick)
	for range 2 {
		found, _ := run(t, g, quick)
		if len(found) != 2 {
			t.Fatalf("found %+v", found)
		}
		for _, f := range found {
			if !strings.HasSuffix(f.Text, ", which was damaged and lies in the quarantine") {
				t.Errorf("it says: %s", f.Text)
			}
		}
	}
	if _, err := g.DropQuarantined(t.Context(), layerOf("bad")); err != nil {
		t.Fatal(err)
	}
	if found, _ := run(t, g, quick); len(found) != 2 || !strings.HasSuffix(found[1].Text, ", which is not on disk") && !strings.HasSuffix(found[0].Text, ", which is not on disk") {
		t.Errorf("when it was freed: %+v", found)
	}
}
