package model

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/app"
	"berth/app/apptest"
)

// cleaning is inline models that show the page Clean up.
func cleaning(t *testing.T, f *apptest.Fake, change ...func(*Options)) *Models {
	t.Helper()
	m := inline(t, f, append([]func(*Options){func(o *Options) { o.User = "ada" }}, change...)...)
	m.Shell.Go(PageCleanup)
	return m
}

func mixed() *apptest.Fake {
	f := apptest.New()
	f.Change(func(d *apptest.Data) { d.Trash = apptest.MixedTrash(apptest.Now) })
	return f
}

func toasts(m *Models) string {
	var out []string
	for _, t := range m.Shell.State().Toasts {
		out = append(out, t.Text())
	}
	return strings.Join(out, "\n")
}

func TestTheHeadSaysWhereSpaceGoesAndThePartsAddUp(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Disk = app.Usage{Used: 100, Images: 40, Shared: 20, Trash: 10, Loose: 30, Young: 5, Freeable: 25}
	})
	st := cleaning(t, f).Cleanup.State()
	if st.Headline != "25 B" || st.Free != "Free 25 B" || !st.CanFree || !strings.Contains(st.Note, "5 B") {
		t.Errorf("%+v", st)
	}
	var sum float32
	for _, p := range st.Parts {
		sum += p.Part
	}
	if len(st.Parts) != 4 || sum < 0.999 || sum > 1.001 {
		t.Errorf("%d parts, together %v: %+v", len(st.Parts), sum, st.Parts)
	}
	if want := "Last cleanup yesterday, freed 640 MB"; st.Last != want {
		t.Errorf("%q, want %q", st.Last, want)
	}
}

func TestFreeingShowsThePlanFirstAndRunsThatPlan(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := cleaning(t, f)
	m.Cleanup.Plan()
	st := m.Cleanup.State()
	if st.Stage != StagePlanned || st.Plan == nil || st.Plan.Title != "1.1 GB can go" || len(st.Plan.Why) != 3 || len(f.Calls("RunCleanup")) != 0 {
		t.Fatalf("%+v", st.Plan)
	}
	m.Cleanup.Run()
	calls := f.Calls("RunCleanup")
	if len(calls) != 1 || calls[0].Request.(app.RunCleanupRequest).Plan != "plan-1" {
		t.Fatalf("%+v", calls)
	}
	f.Progress("job-1", func(j *app.Job) { j.Done = 550e6 })
	m.Refresh()
	if st := m.Cleanup.State(); st.Stage != StageRunning || st.Run.Progress != 0.5 || m.Shell.State().Toasts != nil {
		t.Fatalf("%+v", st.Run)
	}
	f.Finish("job-1")
	m.Refresh()
	st = m.Cleanup.State()
	if st.Stage != StageDone || st.Receipt.Title != "Freed 1.1 GB" || st.CanFree {
		t.Errorf("%+v %+v", st.Stage, st.Receipt)
	}
	if got := toasts(m); got != "" || st.Receipt.Facts != "212 blobs · 31 manifests · 2 unfinished uploads" {
		t.Errorf("the receipt says %q, and the snackbar repeats %q", st.Receipt.Facts, got)
	}
	m.Cleanup.Escape()
	if st := m.Cleanup.State(); st.Stage != StageIdle || st.Receipt != nil {
		t.Errorf("after Esc: %+v", st)
	}
}

func TestAPlanThatWasGivenUpDoesNotComeBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		m := live(t, f)
		m.Shell.Go(PageCleanup)
		release := f.Hold("PlanCleanup")
		m.Cleanup.Plan()
		synctest.Wait()
		if st := m.Cleanup.State(); st.Stage != StageLooking {
			t.Fatalf("%q", st.Stage)
		}
		m.Cleanup.Dismiss()
		release()
		synctest.Wait()
		if st := m.Cleanup.State(); st.Stage != StageIdle || st.Plan != nil {
			t.Errorf("%q %+v", st.Stage, st.Plan)
		}
	})
}

func TestACleanUpThatCannotBeginSaysWhyInPlace(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := cleaning(t, f)
	m.Cleanup.Plan()
	f.Fail("RunCleanup", &app.Problem{Title: "The plan is too old", Fix: "Look again."})
	m.Cleanup.Run()
	if st := m.Cleanup.State(); st.Stage != StageFailed || st.Trouble == nil || st.Trouble.Title != "The plan is too old" {
		t.Fatalf("%q %+v", st.Stage, st.Trouble)
	}
	m.Cleanup.Plan()
	if st := m.Cleanup.State(); st.Stage != StagePlanned || st.Trouble != nil {
		t.Errorf("after looking again: %q %+v", st.Stage, st.Trouble)
	}
}

func TestACancelledCleanUpTellsWhatItFreed(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := cleaning(t, f)
	m.Cleanup.Plan()
	m.Cleanup.Run()
	m.Shell.Go(PageImages)
	f.Progress("job-1", func(j *app.Job) {
		j.State, j.Receipt = app.JobCancelled, &app.CleanupReceipt{Freed: 200e6, Blobs: 40, Cancelled: true}
	})
	m.Refresh()
	if st := m.Cleanup.State(); st.Receipt == nil || st.Receipt.Title != "Stopped; freed 200 MB" {
		t.Errorf("%+v", st.Receipt)
	}
	if !strings.Contains(toasts(m), "Freed 200 MB · 40 blobs, then stopped") {
		t.Errorf("%q", toasts(m))
	}
}

func TestACleanUpOfTheScheduleIsShownAndNotToldOnTheDesktop(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	told := 0
	m := cleaning(t, f, func(o *Options) { o.Notify = func(Notification) { told++ } })
	f.Change(func(d *apptest.Data) {
		d.Jobs = []app.Job{{ID: "night", Kind: app.JobCleanup, State: app.JobRunning, Started: apptest.Now, Done: 1, Total: 2}}
	})
	m.Refresh()
	if st := m.Cleanup.State(); st.Run == nil || st.Run.Progress != 0.5 {
		t.Fatalf("%+v", st.Run)
	}
	f.Progress("night", func(j *app.Job) {
		j.State, j.Receipt = app.JobDone, &app.CleanupReceipt{Freed: 10e6, Blobs: 2, By: "schedule"}
	})
	m.Refresh()
	if st := m.Cleanup.State(); st.Receipt == nil || told != 0 {
		t.Errorf("receipt %+v, told %d times", st.Receipt, told)
	}
}

func TestTheHistoryNamesWhoAndWhatEachFreed(t *testing.T) {
	t.Parallel()
	m := cleaning(t, apptest.New())
	m.Cleanup.ShowHistory()
	h := m.Cleanup.State().History
	if h == nil || len(h.Rows) != 3 || h.Rows[0].By != "you" || h.Rows[0].Freed != "640 MB" || h.Rows[2].Problems != "1 problem" || h.Next != "Next run tonight 03:00" {
		t.Fatalf("%+v", h)
	}
	if !m.Cleanup.Escape() || m.Cleanup.State().History != nil {
		t.Error("Esc does not close it")
	}
}

func TestTheTrayFreesAtOnceAndTellsTheReceipt(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	var told []Notification
	m := inline(t, f, func(o *Options) { o.Notify = func(n Notification) { told = append(told, n) } })
	m.Tray.Click(trayFree)
	if n := len(f.Calls("RunCleanup")); n != 1 {
		t.Fatalf("ran %d times", n)
	}
	m.Refresh()
	texts := trayTexts(m.Tray.State())
	if strings.Contains(texts, "Free 1.1 GB") || !strings.Contains(texts, "Cleaning up — 0%") {
		t.Errorf("while it runs:\n%s", texts)
	}
	f.Finish("job-1")
	m.Refresh()
	if len(told) != 1 || told[0].Title != "Freed 1.1 GB" || !strings.HasPrefix(told[0].Text, "212 blobs") {
		t.Errorf("%+v", told)
	}
	if texts := trayTexts(m.Tray.State()); strings.Contains(texts, "\nFree ") {
		t.Errorf("nothing is left to free, yet:\n%s", texts)
	}
}

func TestThePageIsFetchedOnlyWhileItIsShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		m := live(t, f)
		f.Notify(app.Notice{Kind: app.NoticeUpkeep})
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(f.Calls("PreviewRules", "Trash", "Usage")); n != 0 {
			t.Fatalf("%d calls for a page that nobody looks at", n)
		}
		m.Shell.Go(PageCleanup)
		synctest.Wait()
		before := len(f.Calls("PreviewRules"))
		for range 1000 {
			f.Notify(app.Notice{Kind: app.NoticeUpkeep})
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if n := len(f.Calls("PreviewRules")) - before; n < 5 || n > 12 {
			t.Errorf("1000 notices in a second made %d previews", n)
		}
	})
}
