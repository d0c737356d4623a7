//go:build unix

package gc_test

import (
	"os"
	"path/filepath"
	"testing"

	"berth/registry"
	"berth/registry/driver/filesystem"
	"berth/registry/gc"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// TestWhatLiesOnADiskThatIsNotThereKeepsItsBlobs cleans up while a part of the
// repositories, which is a symbolic link, leads nowhere.
func TestWhatLiesOnADiskThatIsNotThereKeepsItsBlobs(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"team", "team/app", "team/app/_layers", "team/app/_manifests", "team/app/_manifests/tags", "team/app/_manifests/revisions"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			root, other := t.TempDir(), filepath.Join(t.TempDir(), "disk")
			drv, err := filesystem.Open(filesystem.Options{RootDirectory: root})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = drv.Close() })
			st, err := store.Open(t.Context(), drv, nil, store.Options{Park: -1, Grace: -1})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = st.Close() })
			var images []registry.Digest
			for _, repo := range []string{"team/app", "tool"} {
				d, err := st.PutManifest(t.Context(), repo, registrytest.Image(t, st, repo, repo), "v1")
				if err != nil {
					t.Fatal(err)
				}
				images = append(images, d.Digest)
			}
			link := filepath.Join(root, "docker/registry/v2/repositories", part)
			if err := os.Rename(link, other+".away"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(other, link); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				stays(t, st)
			}
			if err := os.Rename(other+".away", other); err != nil {
				t.Fatal(err)
			}
			for i, repo := range []string{"team/app", "tool"} {
				if err := whole(st, repo, images[i]); err != nil {
					t.Errorf("%s: %v", repo, err)
				}
			}
		})
	}
}

// stays cleans up and fails when something went, or nothing was said.
func stays(t *testing.T, st *store.Store) {
	t.Helper()
	plan, err := gc.NewPlan(t.Context(), st, nil, gc.Options{Grace: -1, Untagged: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Problems) == 0 {
		t.Error("nothing is told")
	}
	if r, err := plan.Execute(t.Context(), nil); err != nil || r.Freed.Blobs+r.Links+r.Manifests > 0 {
		t.Errorf("freed %+v, %d links, %d manifests: %v", r.Freed, r.Links, r.Manifests, err)
	}
}
