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

func TestAnEmptyPlanIsNotContradictedByTheHead(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Plan = app.CleanupPlan{ID: "none", Stays: []app.CleanupReason{{Text: "a client was promised that it stays", Count: 3, Bytes: 1100e6}}}
	})
	m := cleaning(t, f)
	if st := m.Cleanup.State(); st.Headline != "1.1 GB" {
		t.Fatalf("%q", st.Headline)
	}
	m.Cleanup.Plan()
	st := m.Cleanup.State()
	if st.Headline != "Nothing to free now" || !strings.HasPrefix(st.Text, "1.1 GB that nothing points to stays") || st.Plan.Free != "" {
		t.Errorf("%q %q, and the plan offers %q", st.Headline, st.Text, st.Plan.Free)
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

func TestAToastSaysWhatStayedOnlyWhereThatIsTheNews(t *testing.T) {
	t.Parallel()
	young := app.CleanupReason{Text: "it is younger than the grace: all of it can go from 15:24 on", Count: 7, Bytes: 60e6}
	promised := app.CleanupReason{Text: "a client was promised that it stays", Count: 2, Bytes: 41e6}
	started := app.CleanupReason{Text: "Berth started at 15:02 and cannot know what it promised to clients before: it can go from 16:02 on", Bytes: 9e6}
	for _, c := range []struct {
		freed int64
		kept  []app.CleanupReason
		want  string
	}{
		{1100e6, nil, "Freed 1.1 GB · 2 blobs"},
		{1100e6, []app.CleanupReason{young, promised}, "Freed 1.1 GB · 2 blobs"},
		{12e6, []app.CleanupReason{young, promised}, "Freed 12 MB · 2 blobs; 101 MB stays for now"},
		{0, []app.CleanupReason{young, promised}, "Nothing was freed; 60 MB stays, since it is younger than the grace"},
		{0, []app.CleanupReason{promised}, "Nothing was freed; 41 MB stays, since a client was promised that it stays"},
		{0, []app.CleanupReason{started}, "Nothing was freed; the page Clean up says why"},
	} {
		r := app.CleanupReceipt{Freed: c.freed, Kept: c.kept}
		if c.freed > 0 {
			r.Blobs = 2
		}
		if got := cleanupToast(app.Job{State: app.JobDone, Receipt: &r}).Text(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestAReceiptTellsWhatStayedAndTheSignaturesThatWent(t *testing.T) {
	t.Parallel()
	v := receiptView(app.Job{State: app.JobDone, Receipt: &app.CleanupReceipt{
		Freed: 5e6, Blobs: 2, Attached: 2, Kept: []app.CleanupReason{{Text: "a client was promised that it stays", Count: 2, Bytes: 41e6}},
	}})
	if v.Facts != "2 blobs · 2 signature tags of freed images to the trash" || v.Tone != ToneOK {
		t.Errorf("%+v", v)
	}
	if len(v.Kept) != 1 || v.Kept[0] != (ReasonRow{Text: "A client was promised that it stays", Count: "2", Size: "41 MB"}) {
		t.Errorf("%+v", v.Kept)
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

func TestAnInterruptedCleanUpSaysThatNobodyKnowsWhatItFreed(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	cut := app.CleanupReceipt{Began: apptest.Now, Ended: apptest.Now, By: "schedule", Emptied: 2, Problems: []string{"it broke"}, Interrupted: true}
	f.Change(func(d *apptest.Data) { d.Cleanups.Receipts[1] = cut })
	m := cleaning(t, f)
	m.Cleanup.ShowHistory()
	row := m.Cleanup.State().History.Rows[1]
	if row.Freed != "?" || row.Problems != "1 problem" ||
		row.Facts != "Interrupted by the end of Berth; only what it freed until then is gone · 2 things left the trash, since the disk was low" {
		t.Errorf("%+v", row)
	}
	job := app.Job{State: app.JobDone, Receipt: &cut}
	if v := receiptView(job); v.Tone != ToneWarning || strings.Contains(v.Title+v.Facts, "othing was freed") || len(v.Problems) != 1 {
		t.Errorf("%+v", v)
	}
	if got := cleanupToast(job).Text(); strings.Contains(got, "Nothing was freed") {
		t.Errorf("%q", got)
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
