package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"berth/app"
)

// byHand removes tags as another program on the same folder would.
func (i *instance) byHand(repo string, tags ...string) {
	i.t.Helper()
	for _, tag := range tags {
		if err := os.RemoveAll(filepath.Join(i.data, "docker/registry/v2/repositories", repo, "_manifests/tags", tag)); err != nil {
			i.t.Fatal(err)
		}
	}
}

// left gives the tags that can be pulled: those of the disk.
func (i *instance) left(repo string) (tags []string) {
	i.t.Helper()
	entries, err := os.ReadDir(filepath.Join(i.data, "docker/registry/v2/repositories", repo, "_manifests/tags"))
	if err != nil {
		i.t.Fatal(err)
	}
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(i.data, "docker/registry/v2/repositories", repo, "_manifests/tags", e.Name(), "current/link")); err == nil {
			tags = append(tags, e.Name())
		}
	}
	return tags
}

func TestRulesCountOnlyTagsThatAreOnTheDisk(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	for n := range 4 {
		i.push("team/app", fmt.Sprint("t", n), fmt.Sprint("layer ", n))
		i.push("team/web", fmt.Sprint("t", n), fmt.Sprint("layer ", n))
	}
	i.setRules(app.Rule{Name: "two", Newest: 2})
	i.byHand("team/app", "t2", "t3")
	if r := i.apply(); r.Dropped != 2 || len(r.Problems) > 0 {
		t.Errorf("receipt: %+v", r)
	}
	if got := i.left("team/app"); !slices.Equal(got, []string{"t0", "t1"}) {
		t.Errorf("left, where two were deleted by hand: %v", got)
	}
	if got := i.left("team/web"); !slices.Equal(got, []string{"t2", "t3"}) {
		t.Errorf("left of the other: %v", got)
	}
}

func TestRulesCountOnlyTagsWhoseManifestIsLinked(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	i.push("app", "old", "one")
	d := i.push("app", "new", "two")
	i.setRules(app.Rule{Newest: 1})
	// As distribution 2.8 deletes a manifest: its tags stay, and name nothing.
	if err := os.RemoveAll(filepath.Join(i.data, "docker/registry/v2/repositories/app/_manifests/revisions/sha256", d[7:])); err != nil {
		t.Fatal(err)
	}
	if r := i.apply(); r.Dropped != 0 || len(r.Problems) > 0 {
		t.Errorf("receipt: %+v", r)
	}
	if got := i.left("app"); !slices.Contains(got, "old") {
		t.Errorf("left: %v", got)
	}
}
