package cli

import (
	"testing"
	"time"

	"berth/app"
	"berth/app/apptest"
)

func TestJobsOfEveryKindAreListedInWords(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		job := func(kind app.JobKind, title string, state app.JobState, change func(*app.Job)) {
			j := app.Job{ID: string(kind) + "-1", Kind: kind, Title: title, State: state, Started: apptest.Now.Add(-time.Duration(len(d.Jobs)) * time.Minute)}
			change(&j)
			d.Jobs = append(d.Jobs, j)
		}
		job(app.JobRules, "Apply rules", app.JobRunning, func(j *app.Job) { j.Done, j.Total = 12, 40_000 })
		job(app.JobRules, "Apply rules", app.JobDone, func(j *app.Job) { j.Receipt = &app.CleanupReceipt{Dropped: 1} })
		job(app.JobCleanup, "unused data", app.JobRunning, func(j *app.Job) { j.Done, j.Total, j.Note = 540e6, 1100e6, "freeing space" })
		job(app.JobCleanup, "unused data", app.JobRunning, func(j *app.Job) { j.Note = "reading links, 12 repositories" })
		job(app.JobCleanup, "unused data", app.JobDone, func(j *app.Job) { j.Receipt = &app.CleanupReceipt{Freed: 1100e6, Dropped: 12} })
		job(app.JobCleanup, "unused data", app.JobCancelled, func(j *app.Job) {
			j.Total, j.Done, j.Receipt = 10e6, 3e6, &app.CleanupReceipt{Freed: 3e6, Cancelled: true}
		})
		job(app.JobCleanup, "unused data", app.JobDone, func(j *app.Job) { j.Receipt = &app.CleanupReceipt{Freed: 7e6, Problems: []string{"a", "b"}} })
		job(app.JobVerify, "all blobs and links", app.JobRunning, func(j *app.Job) { j.Done, j.Total, j.Rate, j.Note = 1e9, 4e9, 64e6, "reading blobs" })
		job(app.JobRepair, "the quarantine", app.JobDone, func(j *app.Job) { j.Repairs = []app.Repair{{}, {Problem: &app.Problem{}}} })
		job(app.JobPush, "acme/checkout:dev", app.JobFailed, func(j *app.Job) { j.Problem = &app.Problem{Title: "Docker went away"} })
		job(app.JobPull, "acme/checkout:dev", app.JobDone, func(*app.Job) {})
	})
	code, out, errs := run(t, f, "jobs")
	golden(t, "jobs", out)
	if code != 0 || errs != "" {
		t.Errorf("exit %d, %q", code, errs)
	}
}

func TestStatusNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Status.State = app.StateWarning
		d.Problems = []app.Problem{
			{Code: "cleanup_failed", Severity: "warning", Title: "The last clean-up that ran by itself failed", Text: "The disk is read-only. Nothing can be freed.", Fix: "Free the space by hand:", Command: "berth cleanup"},
			{Code: "disk_low", Severity: "warning", Title: "The disk is nearly full", Text: "Little is left."},
		}
	})
	for _, verb := range []string{"status", "health"} {
		code, out, errs := run(t, f, verb)
		golden(t, verb+"_wrong", out+"-- stderr --\n"+errs)
		if code != 0 {
			t.Errorf("%s: exit %d", verb, code)
		}
	}
}
