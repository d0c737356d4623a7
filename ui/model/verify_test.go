package model

import (
	"strings"
	"testing"
	"time"

	"berth/app"
	"berth/app/apptest"
)

func TestVerifyingRunsPausesResumesAndEndsSound(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := cleaning(t, f)
	st := m.Verify.State()
	if st.Title != "All 1,214 blobs verified" || !st.Sound || st.Verb != "Verify again" || !strings.Contains(st.Text, "2 h ago") {
		t.Fatalf("%+v", st)
	}
	m.Verify.Act()
	f.Progress("job-1", func(j *app.Job) { j.Done, j.Rate = 2100e6, 48e6 })
	m.Refresh()
	if st := m.Verify.State(); st.Verb != "Pause" || st.Progress != 0.5 || st.Text != "2.1 of 4.2 GB · 48 MB/s" {
		t.Fatalf("%+v", st)
	}
	f.Change(func(d *apptest.Data) { d.Verification.Bytes = 2100e6 })
	m.Verify.Act()
	m.Refresh()
	if st := m.Verify.State(); st.Verb != "Resume" || !st.Again || st.Title != "Paused at 50%" || toasts(m) != "" {
		t.Fatalf("%+v, %q", st, toasts(m))
	}
	m.Verify.Act()
	if r := f.Calls("Verify")[1].Request.(app.VerifyRequest); r.Restart {
		t.Error("it began anew")
	}
	f.Finish("job-2")
	m.Refresh()
	if st := m.Verify.State(); !st.Sound || !strings.Contains(toasts(m), "Verified 1,214 blobs") {
		t.Errorf("%+v, %q", st, toasts(m))
	}
}

func TestFindingsHaveFixesAndSayWhyOneFailed(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) { d.Verification = apptest.Damaged(apptest.Now) })
	m := cleaning(t, f)
	st := m.Verify.State()
	if st.Title != "3 problems were found" || st.Tone != ToneDanger || len(st.Findings) != 3 || st.RepairAll == "" || st.Aside == "" {
		t.Fatalf("%+v", st)
	}
	var labels []string
	for _, x := range st.Findings {
		labels = append(labels, x.Fixes[0].Label)
	}
	if got := strings.Join(labels, ", "); got != "Repair from Docker, Repair, Remove tag" {
		t.Errorf("%s", got)
	}
	m.Verify.Repair([]string{"f1"}, app.FixRefetch, "https://registry.example.com")
	f.Progress("job-1", func(j *app.Job) {
		j.State, j.Repairs = app.JobDone, []app.Repair{{Finding: app.Finding{ID: "f1"}, Problem: &app.Problem{Title: "It is not there", Fix: "Push it again."}}}
	})
	m.Refresh()
	if got := m.Verify.State().Findings[0].Trouble; got != "It is not there. Push it again." {
		t.Errorf("%q", got)
	}
	if !strings.Contains(toasts(m), "Repaired 0 of 1 problem") {
		t.Errorf("%q", toasts(m))
	}
	r := f.Calls("Repair")[0].Request.(app.RepairRequest)
	if r.From != "https://registry.example.com" || r.Fix != app.FixRefetch || len(r.Findings) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestWhatIsKeptAsideGoesOnlyWhenThatWasAsked(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) { d.Verification = apptest.Damaged(apptest.Now) })
	m := cleaning(t, f)
	m.Verify.FreeAside()
	m.Verify.AskFreeAside()
	c := m.Verify.State().Confirm
	if c == nil || !strings.Contains(c.Text, "cannot be undone") || !strings.Contains(c.Text, "1 problem of this list would lose") || len(f.Calls("Repair")) != 0 {
		t.Fatalf("%+v, %d repairs", c, len(f.Calls("Repair")))
	}
	if !m.Verify.Escape() || m.Verify.Escape() || m.Verify.State().Confirm != nil {
		t.Error("Esc is no answer")
	}
	m.Verify.AskFreeAside()
	m.Verify.FreeAside()
	if r := f.Calls("Repair"); len(r) != 1 || !r[0].Request.(app.RepairRequest).DropQuarantined || m.Verify.State().Confirm != nil {
		t.Errorf("%+v", r)
	}
}

func TestAVerificationThatCouldNotSeeAllDoesNotSayAll(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) { d.Verification.Complete, d.Verification.Blobs = false, 1200 })
	st := cleaning(t, f).Verify.State()
	if st.Sound || st.Tone != ToneWarning || !strings.Contains(st.Text, "1,200 blobs of 1,214") {
		t.Errorf("%+v", st)
	}
	f.Change(func(d *apptest.Data) { d.Verification = app.Verification{} })
	if st := cleaning(t, f).Verify.State(); st.Verb != "Verify" || st.Sound {
		t.Errorf("%+v", st)
	}
}

func TestTimesToComeAreToldAsPeopleDo(t *testing.T) {
	t.Parallel()
	now := apptest.Now // Friday, 14:30
	for hours, want := range map[int]string{2: "today 16:30", 5: "tonight 19:30", 13: "tonight 03:30", 20: "tomorrow 10:30", 48: "Sunday 14:30", 400: "7 Dec 06:30"} {
		if got := Soon(now.Add(time.Duration(hours)*time.Hour), now); got != want {
			t.Errorf("in %d h: %q, want %q", hours, got, want)
		}
	}
	if got := Number(1214) + Number(999) + Number(1234567); got != "1,2149991,234,567" {
		t.Error(got)
	}
}
