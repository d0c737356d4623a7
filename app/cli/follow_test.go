package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/app"
	"berth/app/apptest"
)

// started runs a command line that starts a job, in a bubble of virtual time,
// and gives what it left once act has moved the job to its end.
func started(t *testing.T, terminal bool, args []string, act func(f *apptest.Fake, id string, interrupt func())) (code int, stdout, stderr string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		d, out, errs := depsFor(f)
		d.Terminal = terminal
		ctx, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		done := make(chan int)
		go func() { done <- Run(ctx, d, args) }()
		time.Sleep(time.Second)
		act(f, "job-1", interrupt)
		code = <-done
		stdout, stderr = out.String(), errs.String()
	})
	return code, stdout, stderr
}

func move(f *apptest.Fake, id string) {
	f.Progress(id, func(j *app.Job) {
		j.Note, j.Done, j.Rate = "pushing", 54e6, 27e6
		j.Layers = []app.JobLayer{{ID: "a2abf6c4", State: "exists", Total: 20e6}, {ID: "5c90d7e1", State: "active", Total: 88e6}}
	})
	time.Sleep(2 * time.Second)
}

func TestAPushPrintsLinesAndItsResult(t *testing.T) {
	t.Parallel()
	code, out, errs := started(t, false, []string{"push", "checkout:dev", "localhost:5000/team/app:v1"}, func(f *apptest.Fake, id string, _ func()) {
		move(f, id)
		f.Finish(id)
	})
	golden(t, "push_lines", out+"-- stderr --\n"+errs)
	if code != 0 {
		t.Errorf("exit %d", code)
	}
}

func TestAPushOnATerminalDrawsABar(t *testing.T) {
	t.Parallel()
	code, out, errs := started(t, true, []string{"push", "checkout:dev"}, func(f *apptest.Fake, id string, _ func()) {
		move(f, id)
		f.Finish(id)
	})
	for _, want := range []string{"Pushing acme/checkout:dev", "54 MB of 108 MB", "27 MB/s"} {
		if !strings.Contains(errs, want) {
			t.Errorf("the bar never said %q: %q", want, errs)
		}
	}
	if code != 0 || !strings.HasPrefix(out, "Pushed acme/checkout:dev, 108 MB in 3") {
		t.Errorf("exit %d, output %q", code, out)
	}
}

func TestAPushWithJSONPrintsOneJob(t *testing.T) {
	t.Parallel()
	code, out, errs := started(t, false, []string{"push", "checkout:dev", "--json"}, func(f *apptest.Fake, id string, _ func()) { f.Finish(id) })
	var j app.Job
	if err := json.NewDecoder(bytes.NewBufferString(out)).Decode(&j); err != nil {
		t.Fatal(err)
	}
	if code != 0 || errs != "" || j.State != app.JobDone || j.Digest == "" {
		t.Errorf("exit %d, error %q, job %+v", code, errs, j)
	}
}

func TestAFailedPushExitsWithItsProblem(t *testing.T) {
	t.Parallel()
	code, out, errs := started(t, false, []string{"push", "checkout:dev"}, func(f *apptest.Fake, id string, _ func()) {
		f.FailJob(id, &app.Problem{Code: "docker_absent", Title: "Docker went away", Text: "Its socket closed.", Command: "systemctl start docker", Exit: 5})
	})
	if code != 5 || out != "" || !strings.Contains(errs, "Docker went away\n  Its socket closed.\n    systemctl start docker\n") {
		t.Errorf("exit %d, output %q, error %q", code, out, errs)
	}
}

func TestAnInterruptCancelsTheJob(t *testing.T) {
	t.Parallel()
	for _, verb := range [][]string{{"push", "checkout:dev"}, {"pull", "acme/checkout:latest"}, {"import", "app.tar"}} {
		var fake *apptest.Fake
		code, out, errs := started(t, false, verb, func(f *apptest.Fake, _ string, interrupt func()) {
			fake = f
			interrupt()
		})
		if code != 1 || out != "" || !strings.Contains(errs, "was cancelled") {
			t.Errorf("%v: exit %d, output %q, error %q", verb, code, out, errs)
		}
		if n := len(fake.Calls("Cancel")); n != 1 {
			t.Errorf("%v: %d calls of Cancel", verb, n)
		}
	}
}

func TestAJobCanBeCancelledFromElsewhere(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	reply, err := f.Push(t.Context(), app.PushRequest{Image: "redis:7"})
	if err != nil {
		t.Fatal(err)
	}
	code, out, _ := run(t, f, "jobs")
	if code != 0 || !strings.Contains(out, "library/redis:7") {
		t.Errorf("exit %d, output %q", code, out)
	}
	code, out, errs := run(t, f, "jobs", "cancel", reply.ID)
	if code != 0 || out != "Push of library/redis:7: cancelled\n" {
		t.Errorf("exit %d, output %q, error %q", code, out, errs)
	}
}

func TestWatchPrintsNotices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		d, out, _ := depsFor(f)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan int)
		go func() { done <- Run(ctx, d, []string{"watch"}) }()
		synctest.Wait()
		f.Notify(app.Notice{Kind: app.NoticeImages, Repository: "team/app"})
		synctest.Wait()
		stop()
		if code := <-done; code != 0 {
			t.Errorf("exit %d", code)
		}
		if got := out.String(); !strings.Contains(got, "hello") || !strings.Contains(got, "images   team/app") {
			t.Errorf("output %q", got)
		}
	})
}
