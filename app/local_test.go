package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"berth/app"
	"berth/app/job"
)

// local gives an instance whose engine pushes over HTTP, as Docker does.
func local(t *testing.T) (*instance, *engines) {
	t.Helper()
	e := &engines{}
	o := options(t, t.TempDir(), "127.0.0.1:0")
	o.Engines = e
	i := start(t, o)
	e.push = func(_ context.Context, p app.EnginePush, report func(job.Progress)) (string, error) {
		report(job.Progress{Total: 3, Layers: []job.Layer{{ID: "x", State: "active", Total: 3}}})
		if p.Address != strings.TrimPrefix(i.base, "http://") {
			return "", errors.New("pushed to " + p.Address)
		}
		return i.push(p.Repository, p.Tag, "one"), nil
	}
	return i, e
}

func TestALocalImageIsPushedAndThenSaidToBeHere(t *testing.T) {
	t.Parallel()
	i, e := local(t)
	config, _ := image("one")
	e.images = []app.EngineImage{{ID: digestOf(config), Names: []string{"app:dev", "quay.io/team/app:v1"}}, {ID: "sha256:0", Names: []string{"other:1"}}}
	ctx := t.Context()
	before, err := i.LocalImages(ctx, app.LocalImagesRequest{})
	if err != nil || len(before.Images) != 3 || before.Images[0].InBerth || before.Images[1].As != "team/app:v1" {
		t.Fatalf("%v %+v", err, before)
	}
	j, err := i.Push(ctx, app.PushRequest{Image: "app:dev"})
	if err != nil {
		t.Fatal(err)
	}
	done := i.finished(j.ID)
	if done.State != app.JobDone || done.Title != "app:dev" || done.Source != "app:dev" || !strings.HasSuffix(done.PullCommand, "/app:dev") || done.Digest == "" {
		t.Fatalf("job %+v", done)
	}
	after, err := i.LocalImages(ctx, app.LocalImagesRequest{})
	if err != nil || !after.Images[0].InBerth || after.Images[1].InBerth || after.Images[2].InBerth {
		t.Errorf("%v %+v", err, after.Images)
	}
	as := "localhost:5000/Team/app:v1"
	var p *app.Problem
	if _, err := i.Push(ctx, app.PushRequest{Image: "app:dev", As: as}); !errors.As(err, &p) || p.Exit != 2 {
		t.Errorf("pushed as %s: %v", as, err)
	}
	if _, err := i.Push(ctx, app.PushRequest{Image: "nowhere:1"}); !errors.As(err, &p) || p.Exit != 3 {
		t.Errorf("pushed an image that is not there: %v", err)
	}
}

func TestAnAbsentEngineIsAProblemInTheReplyAndOfThePush(t *testing.T) {
	t.Parallel()
	i, e := local(t)
	e.absent = &app.Problem{Code: "docker_absent", Title: "No container engine answers", Exit: 5}
	list, err := i.LocalImages(t.Context(), app.LocalImagesRequest{})
	if err != nil || list.Problem == nil || list.Problem.Code != "docker_absent" {
		t.Errorf("%v %+v", err, list)
	}
	var p *app.Problem
	if _, err := i.Push(t.Context(), app.PushRequest{Image: "app:dev"}); !errors.As(err, &p) || p.Exit != 5 {
		t.Errorf("push: %v", err)
	}
	j, err := i.Push(t.Context(), app.PushRequest{Image: "app:dev", As: "app:dev"})
	if err != nil {
		t.Fatal(err)
	}
	if done := i.finished(j.ID); done.State != app.JobFailed || done.Problem == nil || done.Problem.Code != "docker_absent" {
		t.Errorf("job %+v", done)
	}
}

func TestACancelledPushIsCancelled(t *testing.T) {
	t.Parallel()
	i, e := local(t)
	e.push = func(ctx context.Context, _ app.EnginePush, report func(job.Progress)) (string, error) {
		report(job.Progress{Done: 1, Total: 2, Note: "pushing"})
		<-ctx.Done()
		return "", ctx.Err()
	}
	j, err := i.Push(t.Context(), app.PushRequest{Image: "a", As: "a:b"})
	if err != nil {
		t.Fatal(err)
	}
	if s, _ := i.Status(t.Context(), app.StatusRequest{}); s.State != app.StateBusy {
		t.Errorf("state %s while a job runs", s.State)
	}
	reply, err := i.Cancel(t.Context(), app.CancelRequest(j))
	if err != nil || reply.Job.State != app.JobCancelled || reply.Job.Problem != nil {
		t.Errorf("%v %+v", err, reply)
	}
}

func TestAPullNamesTheAddressAndTheTag(t *testing.T) {
	t.Parallel()
	i, e := local(t)
	i.push("team/app", "v1", "x")
	got := ""
	e.pull = func(_ context.Context, reference string) error { got = reference; return nil }
	j, err := i.Pull(t.Context(), app.PullRequest{Repository: "team/app", Reference: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	if done := i.finished(j.ID); done.State != app.JobDone || got != strings.TrimPrefix(i.base, "http://")+"/team/app:v1" {
		t.Errorf("pulled %q: %+v", got, done)
	}
	var p *app.Problem
	if _, err := i.Pull(t.Context(), app.PullRequest{Repository: "team/app", Reference: "v9"}); !errors.As(err, &p) || p.Exit != 3 {
		t.Errorf("pull of what is not here: %v", err)
	}
}

// layout writes an OCI folder with one image.
func layout(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "My-App")
	blob := func(content []byte) map[string]any {
		d := digestOf(content)
		path := filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(d, "sha256:"))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return map[string]any{"digest": d, "size": len(content)}
	}
	config, manifest := image("one", "two")
	top := blob(manifest(blob(config), []map[string]any{blob([]byte("one")), blob([]byte("two"))}))
	top["mediaType"] = mediaManifest
	if name != "" {
		top["annotations"] = map[string]string{"io.containerd.image.name": name}
	}
	index, _ := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []any{top}})
	for file, content := range map[string]string{"oci-layout": `{"imageLayoutVersion":"1.0.0"}`, "index.json": string(index)} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAnArchiveIsImportedUnderItsNameOrAnother(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	for _, tc := range []struct{ name, as, want string }{
		{"localhost:5000/team/app:v1", "", "team/app:v1"},
		{"team/app:v1", "other/app:v2", "other/app:v2"},
		{"", "named:v3", "named:v3"},
		{"", "", "my-app:latest"},
		{"v7", "", "my-app:v7"}, // a layout names its images by a tag alone
	} {
		j, err := i.Import(t.Context(), app.ImportRequest{Path: layout(t, tc.name), As: tc.as})
		if err != nil {
			t.Fatal(err)
		}
		if done := i.finished(j.ID); done.State != app.JobDone {
			t.Errorf("%q as %q: %+v", tc.name, tc.as, done.Problem)
			continue
		}
		repo, tag, _ := strings.Cut(tc.want, ":")
		i.do("GET", "/v2/"+repo+"/manifests/"+tag, "", nil, http.StatusOK)
	}
	var p *app.Problem
	if _, err := i.Import(t.Context(), app.ImportRequest{Path: "/nowhere.tar"}); !errors.As(err, &p) || p.Exit != 3 {
		t.Errorf("an archive that is not there: %v", err)
	}
	path := filepath.Join(t.TempDir(), "x.tar")
	if err := os.WriteFile(path, []byte("this is not a tar"), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := i.Import(t.Context(), app.ImportRequest{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if done := i.finished(j.ID); done.State != app.JobFailed || done.Problem.Code != "archive_format" {
		t.Errorf("job %+v, problem %+v", done, done.Problem)
	}
}

func TestAnArchiveThatIsNotWholeIsSaidToBe(t *testing.T) {
	t.Parallel()
	i, dir := fresh(t), layout(t, "team/app:v1")
	if err := os.Remove(filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(digestOf([]byte("two")), "sha256:"))); err != nil {
		t.Fatal(err)
	}
	j, err := i.Import(t.Context(), app.ImportRequest{Path: dir})
	if err != nil {
		t.Fatal(err)
	}
	if done := i.finished(j.ID); done.State != app.JobFailed || done.Problem.Code != "archive_broken" || done.Problem.Fix == "" {
		t.Errorf("job %+v, problem %+v", done, done.Problem)
	}
}
