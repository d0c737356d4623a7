package model

import (
	"testing"

	"berth/app"
	"berth/app/apptest"
)

func TestTheFootOfTheNavigationSaysHowItIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status app.Status
		jobs   int
		text   string
		tone   Tone
	}{
		{app.Status{State: app.StateRunning}, 0, "Running", ToneOK},
		{app.Status{State: app.StateBusy, Uploads: 2}, 0, "Receiving 2 layers", ToneOK},
		{app.Status{State: app.StateBusy}, 1, "Running · 1 job", ToneOK},
		{app.Status{State: app.StateWarning}, 0, "Running", ToneWarning},
		{app.Status{State: app.StateStopped}, 0, "Stopped", ToneDanger},
	} {
		got := statusLine(&app.Snapshot{Status: c.status, Jobs: make([]app.Job, c.jobs)}, nil)
		if got.Text != c.text || got.Tone != c.tone {
			t.Errorf("%+v: %+v", c.status, got)
		}
	}
}

func TestTheBarOfTheDiskAddsUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		usage      app.Usage
		used, free float32
		rest       string
	}{
		{app.Usage{}, 0, 0, ""},
		{app.Usage{Used: 40, Freeable: 10}, .75, .25, "10 B to free"},
		{app.Usage{Used: 40, Free: 60, Total: 200}, .4, 0, "60 B free"},
		{app.Usage{Used: 40, Freeable: 10, Free: 60, Total: 200}, .3, .1, "10 B to free"},
		{app.Usage{Used: 5, Freeable: 10, Free: 5, Total: 200}, 0, 1, "10 B to free"},
	} {
		got := space(c.usage)
		if got.Used != c.used || got.Freeable != c.free || got.RestText != c.rest {
			t.Errorf("%+v: %+v", c.usage, got)
		}
	}
}

func TestADismissedProblemComesBackOnlyWhenItHappensAgain(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	set := func(list ...app.Problem) { f.Change(func(d *apptest.Data) { d.Problems = list }) }
	set(app.Problem{Code: "disk", Title: "Full"})
	m := inline(t, f)
	m.Shell.DismissProblem("disk")
	m.Refresh()
	if got := m.Shell.State().Problems; len(got) != 0 {
		t.Errorf("dismissed, yet %v", got)
	}
	set()
	m.Refresh()
	set(app.Problem{Code: "disk", Title: "Full"})
	m.Refresh()
	if got := m.Shell.State().Problems; len(got) != 1 {
		t.Errorf("again, yet %v", got)
	}
}

func TestTheSnackbarKeepsFewLinesAndNoTwins(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	for _, s := range []string{"a", "b", "b", "c", "d"} {
		m.Shell.Toast(Toast{Lead: s})
	}
	var got string
	for _, toast := range m.Shell.State().Toasts {
		got += toast.Text()
	}
	if got != "bcd" {
		t.Errorf("shows %q, want bcd", got)
	}
}

func TestANoticeOfTheInstanceIsAboveThePage(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Status.PortNotice = &app.Problem{Code: "port_taken", Title: "Port 5000 is taken"}
		d.Problems = []app.Problem{{Code: "port_taken", Title: "Port 5000 is taken"}, {Code: "disk", Title: "Full"}}
	})
	m := inline(t, f)
	if got := m.Shell.State().Problems; len(got) != 2 || got[0].Code != "port_taken" {
		t.Errorf("%v", got)
	}
}
