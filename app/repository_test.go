package app_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"berth/app"
)

func (i *instance) trashed(repo string) []app.TrashEntry {
	i.t.Helper()
	reply, err := i.Trash(i.t.Context(), app.TrashRequest{Repository: repo})
	if err != nil {
		i.t.Fatal(err)
	}
	return reply.Entries
}

func (i *instance) tagsOf(repo string) (names []string, rows []app.Tag) {
	i.t.Helper()
	reply, err := i.Tags(i.t.Context(), app.TagsRequest{Repository: repo, Sort: "name"})
	var p *app.Problem
	if err != nil && (!errors.As(err, &p) || p.Code != "not_found") {
		i.t.Fatal(err)
	}
	for _, t := range reply.Tags {
		names = append(names, t.Name)
	}
	return names, reply.Tags
}

func TestADeletedRepositoryIsGoneForClientsAndComesBackWhole(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	i.push("team", "v1", "one")
	i.push("team", "v2", "one", "two")
	i.push("team/web", "v1", "web")
	_, before := i.tagsOf("team")

	plan, err := i.DeleteRepository(ctx, app.DeleteRepositoryRequest{Repository: "team", DryRun: true})
	if err != nil || plan.Deleted.ID != "" || plan.Deleted.Tags != 2 || plan.Deleted.Manifests != 2 || plan.Deleted.Size == 0 ||
		plan.Frees == 0 || !slices.Equal(plan.Stay, []string{"team/web"}) {
		t.Fatalf("plan %v %+v", err, plan)
	}
	if names, _ := i.tagsOf("team"); len(names) != 2 || len(i.trashed("")) != 0 {
		t.Fatal("a dry run deleted something")
	}
	gone, err := i.DeleteRepository(ctx, app.DeleteRepositoryRequest{Repository: "team", Reason: "moved to gitlab"})
	if err != nil || gone.Deleted.Kind != app.TrashRepository || gone.Deleted.Why != "moved to gitlab" || gone.Frees != plan.Frees {
		t.Fatalf("%v %+v", err, gone)
	}
	i.do("GET", "/v2/team/manifests/v1", "", nil, http.StatusNotFound)
	i.do("GET", "/v2/team/manifests/"+before[0].Digest, "", nil, http.StatusNotFound)
	i.do("GET", "/v2/team/web/manifests/v1", "", nil, http.StatusOK)
	if names, _ := i.tagsOf("team"); names != nil {
		t.Errorf("tags are still listed: %q", names)
	}
	if list := i.trashed("team"); len(list) != 1 || list[0] != gone.Deleted {
		t.Errorf("the trash has %+v, not %+v", list, gone.Deleted)
	}
	_, err = i.Restore(ctx, app.RestoreRequest{Entries: []string{"team:v1"}})
	var p *app.Problem
	if !errors.As(err, &p) || p.Exit != 3 || p.Command != "berth restore "+gone.Deleted.ID {
		t.Errorf("a tag that went with its repository: %v", err)
	}
	back, err := i.Restore(ctx, app.RestoreRequest{Entries: []string{"team"}})
	if err != nil || len(back.Restored) != 1 || len(back.Conflicts) != 0 {
		t.Fatalf("restore: %v %+v", err, back)
	}
	_, after := i.tagsOf("team")
	for n := range before {
		if n >= len(after) || after[n].Name != before[n].Name || after[n].Digest != before[n].Digest || !after[n].Pushed.Equal(before[n].Pushed) {
			t.Errorf("was %+v, is %+v", before[n], after)
		}
	}
	i.do("GET", "/v2/team/manifests/v2", "", nil, http.StatusOK)
	if list := i.trashed(""); len(list) != 0 {
		t.Errorf("the trash has %+v", list)
	}
}

func TestEverythingInTheTrashComesBackAtOnceAndWhatIsTakenIsNamed(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	first := i.push("app", "v1", "first")
	i.push("app", "v2", "second")
	i.push("app", "v1", "third") // overwrites
	i.push("whole", "a", "fourth")
	i.push("whole", "b", "fifth")
	deleteTag := func(repo, tag string) {
		if _, err := i.Delete(ctx, app.DeleteRequest{Repository: repo, Tags: []string{tag}}); err != nil {
			t.Fatal(err)
		}
	}
	deleteTag("app", "v2")
	deleteTag("whole", "b") // and pushed again, and gone with the whole
	i.push("whole", "b", "sixth")
	if _, err := i.DeleteRepository(ctx, app.DeleteRepositoryRequest{Repository: "whole"}); err != nil {
		t.Fatal(err)
	}
	now := i.push("whole", "a", "seventh")

	back, err := i.Restore(ctx, app.RestoreRequest{All: true})
	if err != nil {
		t.Fatal(err)
	}
	var restored, taken []string
	for _, e := range back.Restored {
		restored = append(restored, strings.Trim(e.Repository+":"+e.Tag, ":"))
	}
	for _, c := range back.Conflicts {
		taken = append(taken, c.Entry.Repository+":"+c.Entry.Tag+" as "+c.Suggest)
	}
	if !slices.Equal(restored, []string{"whole", "app:v2"}) || !slices.Equal(taken, []string{"whole:a as a-restored", "app:v1 as v1-restored"}) {
		t.Errorf("restored %q, taken %q", restored, taken)
	}
	if _, rows := i.tagsOf("whole"); len(rows) != 2 || rows[0].Digest != now {
		t.Errorf("whole has %+v", rows)
	}
	for _, c := range back.Conflicts {
		if _, err := i.Restore(ctx, app.RestoreRequest{Entries: []string{c.Entry.ID}, As: c.Suggest}); err != nil {
			t.Errorf("restore as %s: %v", c.Suggest, err)
		}
	}
	if names, rows := i.tagsOf("app"); !slices.Equal(names, []string{"v1", "v1-restored", "v2"}) || rows[1].Digest != first {
		t.Errorf("app has %q", names)
	}
	if list := i.trashed(""); len(list) != 1 || list[0].Tag != "b" {
		t.Errorf("the trash has %+v, want the older b", list)
	}
}

func TestEmptyingTheTrashHasAPlanAndIsForGood(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	i.push("app", "v1", "shared", strings.Repeat("a", 1000))
	i.push("app", "v2", "shared", strings.Repeat("b", 2000))
	i.push("app", "v3", "shared")
	if _, err := i.Delete(ctx, app.DeleteRequest{Repository: "app", Tags: []string{"v1", "v2"}}); err != nil {
		t.Fatal(err)
	}
	list := i.trashed("")
	one, err := i.EmptyTrash(ctx, app.EmptyTrashRequest{Entries: []string{list[0].ID}, DryRun: true})
	all, err2 := i.EmptyTrash(ctx, app.EmptyTrashRequest{DryRun: true})
	if err := errors.Join(err, err2); err != nil || one.Gone != 1 || all.Gone != 2 || one.Frees < 2000 || all.Frees < one.Frees+1000 {
		t.Fatalf("%v: one %+v, all %+v", err, one, all)
	}
	if s, err := i.Snapshot(ctx, app.SnapshotRequest{}); err != nil || s.Usage.Trash != all.Frees {
		t.Errorf("%v: the snapshot says %d, the plan %d", err, s.Usage.Trash, all.Frees)
	}
	reply, err := i.Trash(ctx, app.TrashRequest{Limit: 1})
	if err != nil || len(reply.Entries) != 1 || reply.More != 1 || reply.Frees != all.Frees || reply.Keep.Hours() != 168 {
		t.Errorf("trash %v %+v", err, reply)
	}
	_, err = i.EmptyTrash(ctx, app.EmptyTrashRequest{Entries: []string{list[0].ID, "nothing"}})
	var p *app.Problem
	if !errors.As(err, &p) || p.Exit != 3 || len(i.trashed("")) != 2 {
		t.Errorf("an unknown entry: %v", err)
	}
	if got, err := i.EmptyTrash(ctx, app.EmptyTrashRequest{Entries: []string{list[0].ID}}); err != nil || got.Gone != one.Gone || got.Frees != one.Frees {
		t.Errorf("%v %+v, planned %+v", err, got, one)
	}
	if got, err := i.EmptyTrash(ctx, app.EmptyTrashRequest{}); err != nil || got.Gone != 1 || got.Frees != all.Frees-one.Frees || len(i.trashed("")) != 0 {
		t.Errorf("the rest: %v %+v", err, got)
	}
}

func TestADeleteOverHTTPIsInTheTrashWithWhoAndComesBackInAnyOrder(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	d := i.push("app", "v1", "one")
	i.push("app", "v2", "one")
	i.do("DELETE", "/v2/app/manifests/"+d, "", nil, http.StatusAccepted)
	list := i.trashed("app")
	if len(list) != 3 {
		t.Fatalf("the trash has %+v", list)
	}
	var names []string
	for _, e := range list {
		if !strings.Contains(e.By, "Go-http-client") || !strings.Contains(e.By, "from 127.0.0.1") || e.Digest != d || e.Why != "deleted" {
			t.Errorf("entry %+v", e)
		}
		names = append(names, string(e.Kind)+" "+e.Tag)
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"manifest ", "tag v1", "tag v2"}) {
		t.Errorf("entries %q", names)
	}
	for _, e := range list { // newest first: the tags before their manifest
		if _, err := i.Restore(ctx, app.RestoreRequest{Entries: []string{e.ID}}); err != nil {
			t.Errorf("restore %s: %v", e.Tag, err)
		}
	}
	i.do("GET", "/v2/app/manifests/v1", "", nil, http.StatusOK)
	if names, _ := i.tagsOf("app"); !slices.Equal(names, []string{"v1", "v2"}) || len(i.trashed("")) != 0 {
		t.Errorf("tags %q, trash %+v", names, i.trashed(""))
	}
}
