package app_test

import (
	"errors"
	"io"
	"iter"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/app"
	"berth/app/control"
)

func TestAPushedImageIsSeenAtOnceInEveryWay(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	next, stop := iter.Pull2(i.Watch(ctx, app.WatchRequest{}))
	defer stop()
	await(t, next, app.NoticeHello)
	d := i.push("team/app", "v1", "base", "code")
	// A notice is a hint: one about all, from the index's first look at the
	// disk, may come first.
	for n := await(t, next, app.NoticeImages); n.Repository != "team/app" && n.Repository != ""; {
		n = await(t, next, app.NoticeImages)
	}
	s, err := i.Snapshot(ctx, app.SnapshotRequest{})
	if err != nil || len(s.Repositories) != 1 || s.Repositories[0].Name != "team/app" || s.Repositories[0].Tags != 1 {
		t.Fatalf("snapshot: %v %+v", err, s)
	}
	if s.LastPush == nil || s.LastPush.PullCommand != "docker pull "+s.Status.Address+"/team/app:v1" || s.LastPush.Digest != d {
		t.Errorf("last push %+v", s.LastPush)
	}
	if s.Status.State != app.StateRunning || s.Usage.Tags != 1 || s.Usage.Used == 0 || s.Usage.Total == 0 {
		t.Errorf("status %+v, usage %+v", s.Status, s.Usage)
	}
	r, err := i.Inspect(ctx, app.InspectRequest{Repository: "team/app", Reference: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	if r.Digest != d || r.Platform != "linux/amd64" || len(r.Layers) != 2 || r.Layers[1].CreatedBy != "RUN step 1 code" || r.Layers[0].Tags != 1 {
		t.Errorf("inspect %+v", r)
	}
	if len(r.History) != 4 || !r.History[1].Empty || r.Config.Cmd[0] != "serve" || r.Size == 0 || !strings.Contains(r.Raw, "schemaVersion") {
		t.Errorf("inspect %+v", r)
	}
}

func TestADeletedTagLeavesItsSiblingsAndComesBack(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	i.push("team/app", "v1", "base", "one")
	i.push("team/app", "v2", "base", "two!")
	if _, err := i.Retag(ctx, app.RetagRequest{Repository: "team/app", From: "v1", To: "stable"}); err != nil {
		t.Fatal(err)
	}
	gone, err := i.Delete(ctx, app.DeleteRequest{Repository: "team/app", Tags: []string{"v1"}})
	if err != nil || len(gone.Deleted) != 1 || !slices.Equal(gone.Stay, []string{"stable"}) || gone.Frees != 0 || gone.Gone {
		t.Fatalf("delete v1: %v %+v", err, gone)
	}
	if e := gone.Deleted[0]; e.By == "" || e.Size == 0 || e.Until.Before(time.Now()) || e.Why == "" {
		t.Errorf("entry %+v", e)
	}
	i.do("HEAD", "/v2/team/app/manifests/v1", "", nil, http.StatusNotFound)
	i.do("HEAD", "/v2/team/app/manifests/stable", "", nil, http.StatusOK)
	rest, err := i.Delete(ctx, app.DeleteRequest{Repository: "team/app", Tags: []string{"v2", "stable"}})
	if err != nil || !rest.Gone || rest.Frees == 0 || len(rest.Deleted) != 2 {
		t.Fatalf("delete the rest: %v %+v", err, rest)
	}
	if s, _ := i.Snapshot(ctx, app.SnapshotRequest{}); len(s.Repositories) != 0 || s.Usage.Trash != rest.Frees {
		t.Errorf("a repository without tags is still listed, or the trash holds %d, not %d: %+v", s.Usage.Trash, rest.Frees, s.Repositories)
	}
	if _, err := i.Restore(ctx, app.RestoreRequest{Entries: []string{gone.Deleted[0].ID, "team/app:v2"}}); err != nil {
		t.Fatal(err)
	}
	i.do("GET", "/v2/team/app/manifests/v1", "", nil, http.StatusOK)
	i.do("GET", "/v2/team/app/manifests/v2", "", nil, http.StatusOK)
	trash, err := i.Trash(ctx, app.TrashRequest{})
	if err != nil || len(trash.Entries) != 1 || trash.Entries[0].Tag != "stable" {
		t.Errorf("trash after restore: %v %+v", err, trash.Entries)
	}
}

func TestAnOverwrittenTagIsInTheTrashAndConflictsWithItsSuccessor(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	first := i.push("app", "dev", "one")
	second := i.push("app", "dev", "two")
	trash, err := i.Trash(ctx, app.TrashRequest{Repository: "app"})
	if err != nil || len(trash.Entries) != 1 || trash.Entries[0].Digest != first || trash.Entries[0].Why != "overwritten" {
		t.Fatalf("trash: %v %+v", err, trash)
	}
	id := trash.Entries[0].ID
	reply, err := i.Restore(ctx, app.RestoreRequest{Entries: []string{id}})
	if err != nil || len(reply.Restored) != 0 || len(reply.Conflicts) != 1 || reply.Conflicts[0].Suggest != "dev-restored" {
		t.Fatalf("restore: %v %+v", err, reply)
	}
	reply, err = i.Restore(ctx, app.RestoreRequest{Entries: []string{id}, As: "dev-restored"})
	if err != nil || len(reply.Restored) != 1 {
		t.Fatalf("restore as: %v %+v", err, reply)
	}
	tags, err := i.Tags(ctx, app.TagsRequest{Repository: "app", Sort: "name"})
	if err != nil || len(tags.Tags) != 2 || tags.Tags[0].Digest != second || tags.Tags[1].Digest != first {
		t.Errorf("tags: %v %+v", err, tags)
	}
}

func TestADeleteOfSeveralTagsGoesWhollyOrNotAtAll(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	i.push("app", "a", "x")
	_, err := i.Delete(ctx, app.DeleteRequest{Repository: "app", Tags: []string{"a", "nowhere"}})
	var p *app.Problem
	if !errors.As(err, &p) || p.Exit != 3 {
		t.Errorf("got %v", err)
	}
	i.do("HEAD", "/v2/app/manifests/a", "", nil, http.StatusOK)
	for _, r := range []app.TagsRequest{{Repository: "none"}, {Repository: "UPPER"}, {Repository: "app", Sort: "colour"}} {
		if _, err := i.Tags(ctx, r); !errors.As(err, &p) || p.Exit == 0 {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestOnlyPullsOfClientsAreCounted(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	d := i.push("app", "v1", "x")
	next, stop := iter.Pull2(i.Watch(ctx, app.WatchRequest{}))
	defer stop()
	await(t, next, app.NoticeHello)
	i.do("HEAD", "/v2/app/manifests/v1", "", nil, http.StatusOK)
	if _, err := i.Inspect(ctx, app.InspectRequest{Repository: "app", Reference: "v1"}); err != nil {
		t.Fatal(err)
	}
	i.do("GET", "/v2/app/manifests/"+d, "", nil, http.StatusOK)
	for {
		await(t, next, app.NoticeImages)
		r, err := i.Tags(ctx, app.TagsRequest{Repository: "app"})
		if err != nil || r.Tags[0].Pulls > 1 {
			t.Fatalf("%v, %d pulls", err, r.Tags[0].Pulls)
		}
		if r.Tags[0].Pulls == 1 {
			return
		}
	}
}

func TestASecondOwnerOfTheFolderIsToldWhoHasIt(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	_, err := app.Open(t.Context(), options(t, i.data, "127.0.0.1:0"))
	var p *app.Problem
	if !errors.As(err, &p) || p.Code != "data_locked" || p.Exit != 4 || !strings.Contains(p.Text, strings.TrimPrefix(i.base, "http://")) {
		t.Errorf("got %+v", err)
	}
}

func TestATakenPortMovesOnOnlyWhenNobodyAskedForIt(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	addr := taken.Addr().String()
	var p *app.Problem
	c := open(t, options(t, t.TempDir(), addr))
	if err := c.Run(t.Context()); !errors.As(err, &p) || p.Code != "port_taken" || p.Exit != 4 || p.Severity != "error" {
		t.Errorf("an address that was asked for: %+v", err)
	}
	o := options(t, t.TempDir(), "")
	o.Config.HTTP.Addr = addr // as if it were the default
	i := start(t, o)
	s, err := i.Status(t.Context(), app.StatusRequest{})
	if err != nil || s.PortNotice == nil || s.Address == addr || !strings.Contains(s.PortNotice.Title, s.Address) || s.State != app.StateRunning {
		t.Errorf("%v %+v", err, s)
	}
	i.do("GET", "/v2/", "", nil, http.StatusOK)
}

func TestQuitLetsAnUploadEnd(t *testing.T) {
	t.Parallel()
	i, ctx := fresh(t), t.Context()
	content := []byte(strings.Repeat("layer", 1000))
	opened := i.do("POST", "/v2/app/blobs/uploads/", "", nil, http.StatusAccepted)
	location := opened.Header.Get("Location")
	if !strings.HasPrefix(location, "http") {
		location = i.base + location
	}
	body, writer := io.Pipe()
	r, err := http.NewRequestWithContext(ctx, "PATCH", location, body)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan int, 1)
	go func() {
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			answered <- 0
			return
		}
		_ = response.Body.Close()
		answered <- response.StatusCode
	}()
	if _, err := writer.Write(content[:10]); err != nil {
		t.Fatal(err)
	}
	next, stop := iter.Pull2(i.Watch(ctx, app.WatchRequest{}))
	defer stop()
	await(t, next, app.NoticeHello)
	if _, err := i.Quit(ctx, app.QuitRequest{}); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Write(content[10:]); err != nil {
		t.Fatal(err)
	}
	_ = writer.Close()
	if status := <-answered; status != http.StatusAccepted {
		t.Errorf("the upload was answered with %d", status)
	}
	// The client goes away without a commit: a second Quit does not wait.
	if _, err := i.Quit(ctx, app.QuitRequest{}); err != nil {
		t.Fatal(err)
	}
	await(t, next, app.NoticeQuit)
	if err := i.end(); err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestEverythingIsThereAgainAfterARestartAlsoWithoutTheIndex(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := start(t, options(t, data, "127.0.0.1:0"))
	d := first.push("team/app", "v1", "one", "two")
	gone, err := first.Delete(t.Context(), app.DeleteRequest{Repository: "team/app", Tags: []string{"v1"}})
	if err != nil {
		t.Fatal(err)
	}
	first.push("team/other", "v1", "three")
	if err := errors.Join(first.end(), first.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"index.db", "index.db-wal", "index.db-shm"} {
		_ = os.Remove(filepath.Join(data, "berth", name))
	}
	c := open(t, options(t, data, "127.0.0.1:0")) // answers without serving
	for n, err := range c.Watch(t.Context(), app.WatchRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.Snapshot(t.Context(), app.SnapshotRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Status.State != app.StateStopped {
			t.Errorf("state %s of a Core that does not serve", s.Status.State)
		}
		if !s.Indexing && len(s.Repositories) == 1 {
			break
		}
		_ = n
	}
	if _, err := c.Restore(t.Context(), app.RestoreRequest{Entries: []string{gone.Deleted[0].ID}}); err != nil {
		t.Fatal(err)
	}
	if r, err := c.Inspect(t.Context(), app.InspectRequest{Repository: "team/app", Reference: "v1"}); err != nil || r.Digest != d {
		t.Errorf("after the restart: %v %+v", err, r)
	}
}

func TestTheControlSocketAnswersForTheInstance(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "b")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	o := options(t, dir, "127.0.0.1:0")
	o.Control = control.Open
	i := start(t, o)
	i.push("app", "v1", "x")
	c, err := control.Dial(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	s, err := c.Snapshot(t.Context(), app.SnapshotRequest{})
	if err != nil || len(s.Repositories) != 1 || s.Status.PID != os.Getpid() {
		t.Errorf("snapshot: %v %+v", err, s)
	}
	if r, err := c.OpenWindow(t.Context(), app.OpenWindowRequest{}); err != nil || r.Raised {
		t.Errorf("raised a window that is not there: %v", err)
	}
	if _, err := c.Quit(t.Context(), app.QuitRequest{}); err != nil {
		t.Errorf("quit: %v", err)
	}
	if err := i.end(); err != nil {
		t.Errorf("run: %v", err)
	}
	if _, err := control.Dial(t.Context(), dir); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("after quit: %v", err)
	}
}
