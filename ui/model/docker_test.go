package model

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/app"
	"berth/app/apptest"
)

func row(t *testing.T, m *Models, name string) LocalRow {
	t.Helper()
	rows := m.Docker.State().Rows
	i := slices.IndexFunc(rows, func(r LocalRow) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("no row %s", name)
	}
	return rows[i]
}

func TestTheDockerPageShowsTheMockup(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) { d.Jobs = []app.Job{apptest.Pushing(apptest.Now)} })
	m := inline(t, f)
	m.Refresh()
	s := m.Docker.State()
	if !strings.HasPrefix(s.Engine, "Docker Engine 28.2 · unix:///var/run/docker.sock · ") || s.Context != "desktop-linux" || len(s.Contexts) != 2 {
		t.Errorf("%q, %q of %v", s.Engine, s.Context, s.Contexts)
	}
	r := row(t, m, "frontend:latest")
	if r.State != PushRunning || r.Host != "localhost:5000/" || r.As != "acme/frontend:latest" {
		t.Fatalf("row %+v", r)
	}
	p := r.Progress
	if p.Text != "4 of 7 layers · 52 MB/s" || p.Percent != "61%" || p.Layers[0].Text != "exists" || p.Layers[2].Text != "31 of 48 MB" {
		t.Errorf("progress %+v", p)
	}
	if got := row(t, m, "go-builder:1.26"); got.State != PushInBerth || got.Result != "already in Berth" {
		t.Errorf("row %+v", got)
	}
}

func TestAPushIsFollowedFromClickToResult(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told []Notification
		f := apptest.NewAt(time.Now)
		m := live(t, f, func(o *Options) { o.Notify = func(n Notification) { told = append(told, n) } })
		key := row(t, m, "checkout:dev").Key
		release := f.Hold("Push")
		m.Docker.Push(key)
		if got := row(t, m, "checkout:dev").State; got != PushStarting {
			t.Errorf("at once: %s", got)
		}
		m.Docker.Push(key) // a double click
		release()
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(f.Calls("Push")); n != 1 {
			t.Fatalf("pushed %d times", n)
		}
		r := row(t, m, "checkout:dev")
		if r.State != PushRunning {
			t.Fatalf("then: %+v", r)
		}
		f.Finish(r.Progress.Job)
		time.Sleep(time.Second)
		synctest.Wait()
		if r = row(t, m, "checkout:dev"); r.State != PushDone || !strings.HasPrefix(r.Result, "Pushed · ") || r.Pull == "" {
			t.Errorf("at the end: %+v", r)
		}
		toasts := m.Shell.State().Toasts
		if len(toasts) != 1 || toasts[0].Text() != "Pushed acme/checkout:dev" || toasts[0].Action != "Copy pull command" {
			t.Errorf("toasts %+v", toasts)
		}
		if len(told) != 1 || told[0].Title != "Pushed acme/checkout:dev" || !strings.HasPrefix(told[0].Text, "docker pull ") {
			t.Errorf("notifications %+v", told)
		}
		time.Sleep(toastLong + time.Second)
		synctest.Wait()
		if n := len(m.Shell.State().Toasts); n != 0 {
			t.Errorf("%d toasts stay for ever", n)
		}
	})
}

func TestAFailedPushSaysWhyInItsRow(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	m.Docker.Push(row(t, m, "redis:7").Key)
	f.FailJob(row(t, m, "redis:7").Progress.Job, &app.Problem{Code: "disk_full", Title: "The disk is full", Fix: "Free some space"})
	m.Refresh()
	if r := row(t, m, "redis:7"); r.State != PushFailed || r.Problem.Code != "disk_full" {
		t.Errorf("row %+v", r)
	}
	f.Fail("Push", &app.Problem{Code: "docker_absent", Title: "No engine", Command: "systemctl start docker"})
	m.Docker.Push(row(t, m, "postgres:16").Key)
	if r := row(t, m, "postgres:16"); r.State != PushFailed || r.Problem.Code != "docker_absent" {
		t.Errorf("row %+v", r)
	}
}

func TestCancelStopsOnlyThatPush(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	m.Docker.Push(row(t, m, "redis:7").Key)
	m.Docker.Push(row(t, m, "postgres:16").Key)
	m.Docker.Cancel(row(t, m, "redis:7").Key)
	if r := row(t, m, "redis:7"); r.State != PushCancelled || r.Result != "Cancelled" {
		t.Errorf("row %+v", r)
	}
	if r := row(t, m, "postgres:16"); r.State != PushRunning {
		t.Errorf("the other row %+v", r)
	}
}

func TestTheTypedNameIsCheckedKeptAndPushed(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	key := row(t, m, "redis:7").Key
	m.Docker.SetAs(key, "Cache/redis:7")
	if r := row(t, m, "redis:7"); r.AsProblem == "" || !r.Edited {
		t.Errorf("row %+v", r)
	}
	m.Docker.Push(key)
	if n := len(f.Calls("Push")); n != 0 {
		t.Error("a wrong name was pushed")
	}
	m.Docker.SetAs(key, "cache/redis:7")
	m.Refresh()
	m.Docker.Push(key)
	if got := f.Calls("Push")[0].Request.(app.PushRequest); got.As != "cache/redis:7" || got.Image != "redis:7" {
		t.Errorf("pushed %+v", got)
	}
	m.Docker.SetAs(row(t, m, "postgres:16").Key, "")
	if r := row(t, m, "postgres:16"); r.As != "library/postgres:16" || r.Edited {
		t.Errorf("an empty name is the offered one: %+v", r)
	}
}

func TestManyCheckedImagesArePushedAtOnce(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	rows := m.Docker.State().Rows
	m.Docker.Focus(rows[0].Key)
	m.Docker.Range(rows[2].Key)
	if got := m.Docker.State(); got.PushChecked != "Push 3 images" || got.CheckedText != "3 selected" {
		t.Errorf("%+v", got)
	}
	m.Docker.PushFocused()
	if n := len(f.Calls("Push")); n != 3 {
		t.Errorf("pushed %d", n)
	}
	if m.Docker.State().Checked != 0 {
		t.Error("the rows stay checked")
	}
	m.Docker.SelectAll()
	if !m.Docker.State().AllChecked {
		t.Error("not all are checked")
	}
}

func TestAnAbsentEngineSaysCauseAndFix(t *testing.T) {
	t.Parallel()
	var copied string
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Local = app.LocalImagesReply{Problem: &app.Problem{Code: "docker_denied", Title: "No permission", Command: "sudo usermod -aG docker $USER"}}
	})
	m := inline(t, f, func(o *Options) { o.Copy = func(s string) error { copied = s; return nil } })
	s := m.Docker.State()
	if s.Phase != PhaseFailed || s.Problem.Code != "docker_denied" || s.EngineTone != ToneDanger {
		t.Errorf("%+v", s)
	}
	m.Docker.CopyFix()
	if copied != "sudo usermod -aG docker $USER" {
		t.Errorf("copied %q", copied)
	}
	if got := m.Shell.State().Nav[1].Count; got != "" {
		t.Errorf("the navigation counts %q images", got)
	}
}

func TestAnotherContextAsksAnotherEngine(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	m.Docker.SelectContext("default")
	calls := f.Calls("LocalImages")
	if got := calls[len(calls)-1].Request.(app.LocalImagesRequest).Context; got != "default" {
		t.Errorf("asked for %q", got)
	}
	m.Docker.Push(row(t, m, "redis:7").Key)
	if got := f.Calls("Push")[0].Request.(app.PushRequest).Context; got != "default" {
		t.Errorf("pushed from %q", got)
	}
}

func TestTheFilterOfLocalImagesLooksAtBothNames(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	m.Docker.SetFilter("ACME")
	if n := len(m.Docker.State().Rows); n != 3 {
		t.Errorf("%d rows, want 3", n)
	}
	m.Docker.SetFilter("zzz")
	if got := m.Docker.State().Phase; got != PhaseNoMatch {
		t.Errorf("phase %s", got)
	}
}

func TestAnEngineThatComesBackIsFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		var images app.LocalImagesReply
		f.Change(func(d *apptest.Data) {
			images = d.Local
			d.Local = app.LocalImagesReply{Problem: &app.Problem{Code: "docker_absent"}}
		})
		m := live(t, f)
		if got := m.Docker.State().Phase; got != PhaseFailed {
			t.Fatalf("without an engine: %s", got)
		}
		f.Change(func(d *apptest.Data) { d.Local = images })
		time.Sleep(tick + time.Second)
		synctest.Wait()
		if got := m.Docker.State().Phase; got != PhaseReady {
			t.Errorf("after it came back: %s", got)
		}
	})
}

func TestEnterWithEverythingCheckedPushesOnlyWhatIsNotHere(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	var want []string
	for _, r := range m.Docker.State().Rows {
		if r.State != PushInBerth {
			want = append(want, r.As)
		}
	}
	m.Docker.SelectAll()
	m.Docker.PushFocused()
	var got []string
	for _, c := range f.Calls("Push") {
		got = append(got, c.Request.(app.PushRequest).As)
	}
	if len(want) == len(m.Docker.State().Rows) || !slices.Equal(got, want) {
		t.Errorf("pushed %q, want %q", got, want)
	}
	for _, r := range m.Docker.State().Rows {
		if r.State == PushRunning {
			f.Finish(r.Progress.Job)
		}
	}
	m.Refresh()
	m.Docker.SelectAll()
	if s := m.Docker.State(); s.PushChecked != "" || s.Checked == 0 {
		t.Errorf("it offers %q for %d checked rows", s.PushChecked, s.Checked)
	}
	m.Docker.PushFocused()
	if n := len(f.Calls("Push")); n != len(want) {
		t.Errorf("pushed %d times more", n-len(want))
	}
}

func TestARowIsUncheckedWhenItsPushIsDone(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	key := row(t, m, "redis:7").Key
	m.Docker.Toggle(key)
	m.Docker.Push(key)
	if !row(t, m, "redis:7").Checked {
		t.Fatal("unchecked before it is done")
	}
	f.Finish(row(t, m, "redis:7").Progress.Job)
	m.Refresh()
	if row(t, m, "redis:7").Checked {
		t.Error("still checked after its push")
	}
	m.Docker.Toggle(key)
	m.Refresh()
	if !row(t, m, "redis:7").Checked {
		t.Error("a person's check was taken away")
	}
}
