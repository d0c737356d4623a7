package app_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"berth/app"
)

// foreign is a folder as another program leaves it: with images, and no index.
func foreign(t *testing.T) (data string) {
	t.Helper()
	i := fresh(t)
	for _, repo := range []string{"a/x", "b"} {
		i.push(repo, "v1", "layer of "+repo)
		i.push(repo, "v2", "another layer of "+repo)
	}
	i.pushBlob("b", []byte("nothing uses this"))
	if err := errors.Join(i.end(), i.Close(), os.RemoveAll(filepath.Join(i.data, "berth"))); err != nil {
		t.Fatal(err)
	}
	return i.data
}

func TestACommandOnAFolderThatBerthNeverServedTellsTheTruth(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(t *testing.T, s app.Service){
		"ls": func(t *testing.T, s app.Service) {
			if got := must(s.Snapshot(t.Context(), app.SnapshotRequest{})); len(got.Repositories) != 2 || got.Repositories[0].Size == 0 || got.Indexing {
				t.Errorf("%+v", got)
			}
		},
		"tags": func(t *testing.T, s app.Service) {
			if got := must(s.Tags(t.Context(), app.TagsRequest{Repository: "a/x"})); len(got.Tags) != 2 || got.Tags[0].Size == 0 || got.Tags[0].Pushed.IsZero() {
				t.Errorf("%+v", got)
			}
		},
		"usage": func(t *testing.T, s app.Service) {
			if got := must(s.Usage(t.Context(), app.UsageRequest{})); got.Usage.Images == 0 || got.Usage.Loose == 0 || got.Indexing {
				t.Errorf("%+v", got)
			}
		},
		"inspect": func(t *testing.T, s app.Service) {
			if got := must(s.Inspect(t.Context(), app.InspectRequest{Repository: "b", Reference: "v2"})); len(got.Layers) != 1 || got.Layers[0].Tags != 1 {
				t.Errorf("%+v", got)
			}
		},
		"rm": func(t *testing.T, s app.Service) {
			if got := must(s.DeleteRepository(t.Context(), app.DeleteRepositoryRequest{Repository: "b", DryRun: true})); got.Deleted.Size == 0 || got.Frees == 0 {
				t.Errorf("%+v", got)
			}
		},
		"trash": func(t *testing.T, s app.Service) {
			must(s.Delete(t.Context(), app.DeleteRequest{Repository: "b", Tags: []string{"v1"}}))
			if got := must(s.Trash(t.Context(), app.TrashRequest{})); len(got.Entries) != 1 || got.Entries[0].Size == 0 {
				t.Errorf("%+v", got)
			}
		},
		"cleanup --dry-run": func(t *testing.T, s app.Service) {
			none := hardlyAny
			if got := must(s.PlanCleanup(t.Context(), app.PlanCleanupRequest{Grace: &none})); got.Frees != int64(len("nothing uses this")) {
				t.Errorf("%+v", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t, foreign(t), "")
			o.Alone = true
			ask(t, open(t, o).ForCommand(func() {}))
		})
	}
}
