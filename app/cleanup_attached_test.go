package app_test

import (
	"slices"
	"strings"
	"testing"

	"berth/app"
)

// TestASignatureGoesToTheTrashOnceItsImageIsFreed has an image that is deleted by
// hand, one that stays, and one that is in another repository, each with a
// signature under a tag of its own.
func TestASignatureGoesToTheTrashOnceItsImageIsFreed(t *testing.T) {
	t.Parallel()
	i := withoutGrace(t)
	sign := func(digest string, ends ...string) (tags []string) {
		for _, end := range ends {
			tags = append(tags, strings.Replace(digest, ":", "-", 1)+end)
			i.push("team/app", tags[len(tags)-1], tags[len(tags)-1])
		}
		return tags
	}
	gone, stays, elsewhere := i.push("team/app", "v1", "gone"), i.push("team/app", "v2", "stays"), i.push("team/base", "v1", "elsewhere")
	goes := sign(gone, "", ".sig", ".att")
	kept := append(sign(stays, ".sig"), sign(elsewhere, ".sig")...)
	check := func(when string, want bool) {
		t.Helper()
		has := func(tag string) bool { return slices.Contains(i.tags("team/app"), tag) }
		for _, tag := range goes {
			if has(tag) != want {
				t.Errorf("%s: %s is there: %v", when, tag, !want)
			}
		}
		for _, tag := range kept {
			if !has(tag) {
				t.Errorf("%s: %s is gone", when, tag)
			}
		}
	}
	if _, err := i.Delete(t.Context(), app.DeleteRequest{Repository: "team/app", Tags: []string{"v1"}}); err != nil {
		t.Fatal(err)
	}
	i.cleanUp(app.RunCleanupRequest{})
	check("while the image is in the trash", true)
	if _, err := i.EmptyTrash(t.Context(), app.EmptyTrashRequest{}); err != nil {
		t.Fatal(err)
	}
	_, receipt := i.cleanUp(app.RunCleanupRequest{})
	check("once it is freed", false)
	bin, err := i.Trash(t.Context(), app.TrashRequest{})
	if err != nil || len(bin.Entries) != len(goes) || receipt.Attached != len(goes) || receipt.Dropped > 0 || len(receipt.Problems) > 0 {
		t.Fatalf("in the trash %+v, %v; %+v", bin.Entries, err, receipt)
	}
	for _, e := range bin.Entries {
		if !strings.Contains(e.Why, "freed") {
			t.Errorf("%+v", e)
		}
	}
	if _, err := i.Restore(t.Context(), app.RestoreRequest{All: true}); err != nil {
		t.Fatal(err)
	}
	check("when they were brought back", true)
	i.cleanUp(app.RunCleanupRequest{})
	check("and nothing of theirs is freed", true)
}
