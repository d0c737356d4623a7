package app_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"berth/app"
	"berth/app/job"
)

func TestAnAbandonedUploadEndsBusyAndIsTold(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	next, stop := iter.Pull2(i.Watch(t.Context(), app.WatchRequest{}))
	defer stop()
	await(t, next, app.NoticeHello)
	start := i.do("POST", "/v2/app/blobs/uploads/", "", nil, http.StatusAccepted)
	location := strings.TrimPrefix(start.Header.Get("Location"), i.base)
	patched := i.do("PATCH", location, "application/octet-stream", []byte("half"), http.StatusAccepted)
	if s, _ := i.Status(t.Context(), app.StatusRequest{}); s.State != app.StateBusy {
		t.Fatalf("state %s within an upload", s.State)
	}
	i.do("DELETE", strings.TrimPrefix(patched.Header.Get("Location"), i.base), "", nil, http.StatusNoContent)
	await(t, next, app.NoticeStatus)
	if s, _ := i.Status(t.Context(), app.StatusRequest{}); s.State != app.StateRunning || s.Uploads != 0 {
		t.Errorf("state %s with %d uploads after it", s.State, s.Uploads)
	}
}

func TestANameThatAPushHasForNowIsNoLocalImage(t *testing.T) {
	t.Parallel()
	i, e := local(t)
	address := strings.TrimPrefix(i.base, "http://")
	e.images = []app.EngineImage{{ID: "sha256:1", Names: []string{"app:dev", address + "/mine:1"}}}
	list := func() (names []string) {
		reply, err := i.LocalImages(t.Context(), app.LocalImagesRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range reply.Images {
			names = append(names, row.Name)
		}
		return names
	}
	var during []string
	e.push = func(_ context.Context, p app.EnginePush, _ func(job.Progress)) (string, error) {
		e.images = []app.EngineImage{{ID: "sha256:1", Names: []string{"app:dev", address + "/mine:1", p.Address + "/" + p.Repository + ":" + p.Tag}}}
		during = list()
		return "", nil
	}
	for _, as := range []string{"team/app:v1", "mine:1"} {
		j, err := i.Push(t.Context(), app.PushRequest{Image: "app:dev", As: as})
		if err != nil {
			t.Fatal(err)
		}
		i.finished(j.ID)
		if len(during) < 2 || during[1] != address+"/mine:1" || as == "team/app:v1" && len(during) != 2 {
			t.Errorf("%s: listed %q", as, during)
		}
	}
}

func TestANameThatWasTypedIsNeverChangedInSilence(t *testing.T) {
	t.Parallel()
	i, _ := local(t)
	address := strings.TrimPrefix(i.base, "http://")
	_, port, _ := strings.Cut(address, ":")
	for as, title := range map[string]string{
		address + "/x:1": "x:1", "localhost:" + port + "/team/x:1": "team/x:1", "[::1]:" + port + "/x:1": "x:1", "team/x:1": "team/x:1",
	} {
		j, err := i.Push(t.Context(), app.PushRequest{Image: "app:dev", As: as})
		if err != nil {
			t.Errorf("%s: %v", as, err)
			continue
		}
		if done := i.finished(j.ID); done.Title != title {
			t.Errorf("%s became %s", as, done.Title)
		}
	}
	for _, as := range []string{"UPPER/x:1", "ghcr.io/team/x:1", "localhost:1/x:1", "other:5000/x:1", "localhost/x:1"} {
		var p *app.Problem
		if _, err := i.Push(t.Context(), app.PushRequest{Image: "app:dev", As: as}); !errors.As(err, &p) || p.Exit != 2 || p.Fix == "" {
			t.Errorf("%s: %v", as, err)
		}
	}
}

func TestARestoredTagKeepsTheTimeOfItsPush(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	i.push("team/app", "v1", "one")
	pushed := func(tag string) time.Time {
		reply, err := i.Tags(ctx, app.TagsRequest{Repository: "team/app", Search: tag})
		if err != nil || len(reply.Tags) != 1 {
			t.Fatalf("%v %+v", err, reply)
		}
		return reply.Tags[0].Pushed
	}
	first := pushed("v1")
	i.push("team/app", "v2", "two")
	deleted, err := i.Delete(ctx, app.DeleteRequest{Repository: "team/app", Tags: []string{"v1"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.Restore(ctx, app.RestoreRequest{Entries: []string{deleted.Deleted[0].ID}, As: "old"}); err != nil {
		t.Fatal(err)
	}
	if now := pushed("old"); !now.Equal(first) {
		t.Errorf("pushed %s, was %s", now, first)
	}
	s, err := i.Snapshot(ctx, app.SnapshotRequest{})
	if err != nil || s.LastPush == nil || s.LastPush.Tag != "v2" {
		t.Errorf("the last push is %+v, %v", s.LastPush, err)
	}
}

func TestAPlatformThatIsNotThereIsSaidWithThoseThatAre(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	i.push("team/app", "v1", "one")
	var p *app.Problem
	r := app.InspectRequest{Repository: "team/app", Reference: "v1", Platform: "linux/arm64"}
	if _, err := i.Inspect(t.Context(), r); !errors.As(err, &p) || p.Exit != 3 || !strings.Contains(p.Text, "linux/amd64") {
		t.Errorf("%v", err)
	}
	r.Platform = "linux/amd64"
	if _, err := i.Inspect(t.Context(), r); err != nil {
		t.Errorf("the platform that it has: %v", err)
	}
	if _, err := i.Restore(t.Context(), app.RestoreRequest{Entries: []string{"zzz"}}); !errors.As(err, &p) || p.Exit != 3 || p.Text != "Nothing in the trash has that name or id." {
		t.Errorf("%v", err)
	}
}

func TestAFolderThatCannotBeUsedIsAProblemWithAFix(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var p *app.Problem
	if _, err := app.Open(t.Context(), options(t, file, "")); !errors.As(err, &p) || p.Code != "not_a_folder" || p.Fix == "" {
		t.Errorf("a file: %v", err)
	}
	if _, err := app.Open(t.Context(), options(t, filepath.Join(file, "below"), "")); !errors.As(err, &p) || p.Code != "not_a_folder" || p.Fix == "" {
		t.Errorf("below a file: %v", err)
	}
	missing := options(t, filepath.Join(t.TempDir(), "none"), "")
	if err := app.CheckData(missing.Config); !errors.As(err, &p) || p.Exit != 3 {
		t.Errorf("none: %v", err)
	}
	if _, err := os.Stat(missing.Config.Data()); err == nil {
		t.Error("who looks made the folder")
	}
}

func TestAHostThatNobodyKnowsIsSaidBeforeTheStart(t *testing.T) {
	t.Parallel()
	var p *app.Problem
	err := app.CheckAddress(t.Context(), options(t, t.TempDir(), "no-such-host.invalid:5000").Config)
	if !errors.As(err, &p) || p.Exit != 2 || strings.Contains(p.Text, "lookup") {
		t.Errorf("%v", err)
	}
}
