package model

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"berth/app"
	"berth/app/apptest"
)

// inline makes models over a fake whose intents are done when they return.
func inline(t *testing.T, f *apptest.Fake, change ...func(*Options)) *Models {
	t.Helper()
	o := Options{Service: f, Now: func() time.Time { return apptest.Now }, Spawn: func(f func()) { f() }}
	for _, c := range change {
		c(&o)
	}
	m := New(o)
	t.Cleanup(m.Close)
	m.Refresh()
	return m
}

// live runs models over a fake in a synctest bubble, until the test ends.
func live(t *testing.T, f *apptest.Fake, change ...func(*Options)) *Models {
	t.Helper()
	o := Options{Service: f, Window: true}
	for _, c := range change {
		c(&o)
	}
	m := New(o)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Run(t.Context())
	}()
	t.Cleanup(func() {
		<-done
		m.Close()
	})
	synctest.Wait()
	return m
}

func TestEverythingIsShownAfterTheFirstNotice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := live(t, apptest.NewAt(time.Now))
		if s := m.Images.State(); s.Phase != PhaseReady || s.Repo == nil || s.Repo.Inspector == nil || s.Repo.Inspector.Phase != PhaseReady {
			t.Errorf("images: %+v", s)
		}
		if s := m.Docker.State(); s.Phase != PhaseReady || len(s.Rows) == 0 {
			t.Errorf("docker: %+v", s)
		}
		if s := m.Shell.State(); s.Address == "" || s.Status.Text != "Running" {
			t.Errorf("shell: %+v", s)
		}
		if s := m.Tray.State(); s.Icon != app.StateRunning {
			t.Errorf("tray: %+v", s)
		}
	})
}

func TestAPushFromATerminalAppearsWithinASecondAndKeepsTheSelection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		m := live(t, f)
		m.Images.SelectRepository("acme/checkout")
		m.Images.Focus("pr-317")
		m.Images.Toggle("pr-311")
		synctest.Wait()
		f.Change(func(d *apptest.Data) {
			for i := range d.Repositories {
				if r := &d.Repositories[i]; r.Name == "acme/checkout" {
					r.Rows = append([]app.Tag{{Name: "v9", Digest: "sha256:99", Pushed: time.Now()}}, r.Rows...)
				}
			}
		})
		f.Notify(app.Notice{Kind: app.NoticeImages, Repository: "acme/checkout"})
		time.Sleep(time.Second)
		synctest.Wait()
		r := m.Images.State().Repo
		if r.Name != "acme/checkout" || r.Tags[0].Name != "v9" {
			t.Fatalf("shows %s with %s first, want acme/checkout with v9", r.Name, r.Tags[0].Name)
		}
		if got := r.Tags[r.Focus].Name; got != "pr-311" {
			t.Errorf("focus is on %s, want pr-311", got)
		}
		if r.Checked != 1 {
			t.Errorf("%d rows are checked, want the one", r.Checked)
		}
	})
}

func TestABurstOfNoticesIsFewLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		live(t, f)
		before := len(f.Calls("Jobs"))
		for range 1000 {
			f.Notify(app.Notice{Kind: app.NoticeJobs})
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if n := len(f.Calls("Jobs")) - before; n < 5 || n > 11 {
			t.Errorf("1000 notices in a second made %d looks, want about ten", n)
		}
	})
}

func TestABrokenStreamIsOpenedAgainAndSaysSoMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		f.Fail("Watch", &app.Problem{Code: "gone", Title: "The instance is gone"})
		f.Fail("Snapshot", &app.Problem{Code: "gone", Title: "The instance is gone"})
		m := live(t, f)
		if s := m.Shell.State(); s.Status.Tone != ToneDanger || len(s.Problems) != 1 {
			t.Errorf("while it is gone the shell shows %+v", s)
		}
		if s := m.Images.State(); s.Phase != PhaseFailed || s.Problem.Code != "gone" {
			t.Errorf("while it is gone the page shows %+v", s)
		}
		time.Sleep(time.Minute)
		if n := len(f.Calls("Watch")); n < 10 || n > 25 {
			t.Errorf("a minute had %d attempts, want one every few seconds", n)
		}
		f.Fail("Watch", nil)
		f.Fail("Snapshot", nil)
		time.Sleep(retryMax + time.Second)
		synctest.Wait()
		if s := m.Shell.State(); s.Status.Text != "Running" || len(s.Problems) != 0 {
			t.Errorf("after it came back the shell shows %+v", s)
		}
		if s := m.Images.State(); s.Phase != PhaseReady {
			t.Errorf("after it came back the page shows %v", s.Phase)
		}
	})
}

func TestRaiseAndQuitNoticesReachTheFace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		raised, ended := 0, 0
		f := apptest.NewAt(time.Now)
		live(t, f, func(o *Options) {
			o.Raise = func() { raised++ }
			o.Ended = func() { ended++ }
		})
		f.Notify(app.Notice{Kind: app.NoticeRaise})
		f.Notify(app.Notice{Kind: app.NoticeQuit})
		synctest.Wait()
		if raised != 1 || ended != 1 {
			t.Errorf("raised %d times and ended %d times, want once each", raised, ended)
		}
	})
}

func TestRelativeDatesMoveOnByThemselves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := live(t, apptest.NewAt(time.Now))
		if got := m.Images.State().Repo.Tags[0].Pushed; got != "2 min ago" {
			t.Fatalf("pushed %q, want 2 min ago", got)
		}
		time.Sleep(5*time.Minute + tick)
		synctest.Wait()
		if got := m.Images.State().Repo.Tags[0].Pushed; got != "7 min ago" {
			t.Errorf("five minutes later: %q, want 7 min ago", got)
		}
	})
}

func TestALaterRequestGivesUpTheEarlier(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		m := live(t, f)
		release := f.Hold("Tags")
		defer release()
		m.Images.SelectRepository("acme/frontend")
		synctest.Wait()
		if r := m.Images.State().Repo; r.Phase != PhaseLoading || r.Name != "acme/frontend" {
			t.Fatalf("while it loads: %s is %s", r.Name, r.Phase)
		}
		release()
		m.Images.SelectRepository("acme/payments")
		synctest.Wait()
		if r := m.Images.State().Repo; r.Name != "acme/payments" || r.Phase != PhaseReady {
			t.Errorf("shows %s, %s; want acme/payments, ready", r.Name, r.Phase)
		}
	})
}

func TestCloseGivesUpWhatRunsAndWaits(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	defer f.Hold("LocalImages")()
	m := New(Options{Service: f})
	m.Docker.Refresh()
	m.Close()
	m.Docker.Refresh() // does nothing, and must not hang
}

func TestAListenerIsCalledWithoutALockAndNotAfterItsEnd(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	seen := 0
	cancel := m.Images.Subscribe(func() {
		seen++
		_ = m.Images.State()
		if seen == 1 {
			m.Images.SetFilter("a") // an intent from within a listener
		}
	})
	m.Images.SetFilter("ac")
	if seen != 2 {
		t.Errorf("listener was called %d times, want 2", seen)
	}
	cancel()
	m.Images.SetFilter("")
	if seen != 2 {
		t.Errorf("listener was called after its end")
	}
}

func TestAnAttachedFaceEndsWhenItsInstanceIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Int32
		f := apptest.NewAt(time.Now)
		raw := errors.New(`Post "http://berth/v1/snapshot": dial unix: no such file`)
		f.Fail("Snapshot", raw)
		f.Fail("Watch", raw)
		m := live(t, f, func(o *Options) { o.Attached, o.Ended = true, func() { ended.Add(1) } })
		time.Sleep(time.Second)
		synctest.Wait()
		p := m.Shell.State().Problems
		if ended.Load() != 0 || len(p) == 0 || p[0].Title != "Berth has ended" || strings.Contains(p[0].Text, "dial") {
			t.Errorf("after a second: ended %d times, problems %+v", ended.Load(), p)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if ended.Load() != 1 {
			t.Errorf("ended %d times", ended.Load())
		}
	})
}

func TestAnAttachedFaceOutlivesAnInstanceThatStumbles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Int32
		f := apptest.NewAt(time.Now)
		f.Fail("Watch", &app.Problem{Code: "busy", Title: "Busy"})
		live(t, f, func(o *Options) { o.Attached, o.Ended = true, func() { ended.Add(1) } })
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if ended.Load() != 0 {
			t.Errorf("ended %d times", ended.Load())
		}
	})
}

func TestARegistryThatDoesNotAnswerIsNotCalledRunning(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) { d.Repositories = nil })
	m := inline(t, f)
	if got := m.Images.State().FirstRun.Title; got != "Your registry is running" {
		t.Fatalf("the page says %q", got)
	}
	f.Fail("Snapshot", errors.New("gone"))
	m.Refresh()
	if got := m.Images.State().FirstRun.Title; got != "Your registry does not answer" {
		t.Errorf("the page says %q", got)
	}
}
