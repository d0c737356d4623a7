package app_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"berth/app"
)

// attach pushes something that refers to a manifest, as an SBOM does.
func (i *instance) attach(repo, subject, content string) {
	i.t.Helper()
	config, layer := i.pushBlob(repo, []byte("{}")), i.pushBlob(repo, []byte(content))
	config["mediaType"], layer["mediaType"] = "application/vnd.oci.empty.v1+json", "application/spdx+json"
	m, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": mediaManifest, "artifactType": "application/spdx+json", "config": config, "layers": []any{layer},
		"subject": map[string]any{"mediaType": mediaManifest, "digest": subject, "size": 500},
	})
	if err != nil {
		i.t.Fatal(err)
	}
	i.do("PUT", "/v2/"+repo+"/manifests/"+digestOf(m), mediaManifest, m, http.StatusCreated)
}

// measured gives the one tag of a repository, and the repository.
func (i *instance) measured(repo string) (app.Tag, app.Repository) {
	i.t.Helper()
	i.addsUp(repo)
	reply, err := i.Tags(i.t.Context(), app.TagsRequest{Repository: repo, Measured: true})
	if err != nil || len(reply.Tags) != 1 {
		i.t.Fatal(reply, err)
	}
	return reply.Tags[0], reply.Repository
}

func TestAnSBOMBelongsToTheTagOfItsOwnRepositoryAlone(t *testing.T) {
	t.Parallel()
	i := withoutGrace(t)
	d := i.push("e/one", "v1", strings.Repeat("image", 1000))
	i.push("e/two", "v1", strings.Repeat("image", 1000))
	i.attach("e/one", d, strings.Repeat("package ", 5000))
	one, inOne := i.measured("e/one")
	two, inTwo := i.measured("e/two")
	if one.Size <= two.Size || one.Size != inOne.Size || two.Size != inTwo.Size {
		t.Errorf("the tags take %d and %d, of what the repositories take, %d and %d", one.Size, two.Size, inOne.Size, inTwo.Size)
	}
	if one.Frees != one.Size-two.Size || two.Frees != 0 || one.Frees+one.Shared != one.Size || inOne.Loose+inTwo.Loose != 0 {
		t.Errorf("the tags free %d and %d; no tag needs %d and %d", one.Frees, two.Frees, inOne.Loose, inTwo.Loose)
	}
	before := blobBytes(t, i.data)
	deleted, err := i.Delete(t.Context(), app.DeleteRequest{Repository: "e/one", Tags: []string{"v1"}})
	if err != nil || deleted.Frees != one.Frees || deleted.Deleted[0].Size != one.Size {
		t.Errorf("deleting said %+v, %v", deleted, err)
	}
	if _, err := i.EmptyTrash(t.Context(), app.EmptyTrashRequest{}); err != nil {
		t.Fatal(err)
	}
	if u := i.addsUp("without the tag"); u.Loose != one.Frees || u.Images != two.Size {
		t.Errorf("%+v, of which %d are loose and %d an image's", u, one.Frees, two.Size)
	}
	_, receipt := i.cleanUp(app.RunCleanupRequest{})
	if gone := before - blobBytes(t, i.data); gone != one.Frees || receipt.Freed != gone {
		t.Errorf("the clean-up freed %d, and says %d; the tag said %d", gone, receipt.Freed, one.Frees)
	}
	if u := i.addsUp("cleaned up"); u.Used != two.Size {
		t.Errorf("%d are left, the other tag takes %d", u.Used, two.Size)
	}
}

func TestRulesFreeAnSBOMOnlyWithTheTagOfItsOwnRepository(t *testing.T) {
	t.Parallel()
	i := withoutGrace(t)
	sbom := strings.Repeat("package ", 5000)
	d := i.push("e/one", "v1", "image")
	i.push("e/two", "v1", "image")
	i.attach("e/one", d, sbom)
	for _, repo := range []string{"e/one", "e/two"} {
		i.push(repo, "v2", "the next image")
		i.addsUp(repo)
	}
	for repo, frees := range map[string]bool{"e/one": true, "e/two": false} {
		rules := []app.Rule{{Repositories: []string{repo}, Newest: 1}}
		all := i.preview(app.PreviewRulesRequest{Rules: &rules, Measured: true}).All
		if all.Tags != 1 || all.Frees > int64(len(sbom)) != frees || all.Frees > 0 != frees {
			t.Errorf("in %s the rules drop %d tags and free %d", repo, all.Tags, all.Frees)
		}
	}
}
