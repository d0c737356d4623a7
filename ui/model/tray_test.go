package model

import (
	"slices"
	"strings"
	"testing"

	"berth/app"
	"berth/app/apptest"
)

func trayTexts(st TrayState) string {
	var b strings.Builder
	for _, l := range st.Lines {
		switch {
		case l.Separator():
			b.WriteString("--\n")
		case l.ID == "":
			b.WriteString("(" + l.Text + ")\n")
		default:
			b.WriteString(l.Text + "\n")
		}
	}
	return b.String()
}

func TestTheTrayIsAPageOfWhatMattersNow(t *testing.T) {
	t.Parallel()
	running := func() *app.Snapshot {
		return &app.Snapshot{Status: app.Status{State: app.StateRunning, Address: "localhost:5000"}, Usage: app.Usage{Tags: 38, Used: 4_200_000_000}}
	}
	busy := running()
	busy.LastPush = &app.Pushed{Repository: "acme/app", Tag: "v1", PullCommand: "docker pull x"}
	warning := running()
	warning.Status.State = app.StateWarning
	warning.Problems = []app.Problem{{Code: "disk", Title: "The disk is nearly full"}}
	stopped := running()
	stopped.Status.State = app.StateStopped
	var local []LocalRow
	for _, n := range []string{"a:1", "b:1", "c:1", "d:1", "e:1", "f:1"} {
		local = append(local, LocalRow{Key: "id " + n, Name: n})
	}
	for _, c := range []struct {
		name  string
		facts TrayFacts
		icon  app.State
		tip   string
		want  string
	}{
		{"before the first answer", TrayFacts{}, app.StateStopped, "Berth is starting", "(Berth is starting)\n--\nOpen Berth\n--\nQuit Berth\n"},
		{
			"at rest",
			TrayFacts{Snapshot: running()},
			app.StateRunning, "Berth: running on localhost:5000",
			"(Running on localhost:5000)\n(38 images, 4.2 GB)\n--\nOpen Berth\nCopy localhost:5000\n--\nQuit Berth\n",
		},
		{
			"with all",
			TrayFacts{Snapshot: busy, Local: local, Jobs: []app.Job{{Kind: app.JobPush, Title: "acme/frontend:latest", Done: 61, Total: 100}}},
			app.StateBusy, "Berth: running on localhost:5000",
			"(Running on localhost:5000)\n(38 images, 4.2 GB)\n--\nOpen Berth\nCopy localhost:5000\n--\nPush from Docker\n    a:1\n    b:1\n    c:1\n    d:1\n    e:1\n--\nPushing acme/frontend:latest — 61%\nCopy pull command of acme/app:v1\n--\nQuit Berth\n",
		},
		{
			"in trouble",
			TrayFacts{Snapshot: warning},
			app.StateWarning, "Berth: running on localhost:5000",
			"(Running on localhost:5000)\n(38 images, 4.2 GB)\nThe disk is nearly full\n--\nOpen Berth\nCopy localhost:5000\n--\nQuit Berth\n",
		},
		{"stopped", TrayFacts{Snapshot: stopped}, app.StateStopped, "Berth: stopped", "(Stopped)\n(38 images, 4.2 GB)\n--\nOpen Berth\n--\nQuit Berth\n"},
		{
			"cut off",
			TrayFacts{Snapshot: running(), Lost: &app.Problem{}},
			app.StateWarning, "Berth: not reachable",
			"(Not reachable)\n(38 images, 4.2 GB)\n--\nOpen Berth\nCopy localhost:5000\n--\nQuit Berth\n",
		},
	} {
		got := TrayOf(c.facts)
		if got.Icon != c.icon || got.Tooltip != c.tip || trayTexts(got) != c.want {
			t.Errorf("%s: icon %s, %q:\n%s\nwant icon %s, %q:\n%s", c.name, got.Icon, got.Tooltip, trayTexts(got), c.icon, c.tip, c.want)
		}
	}
}

func TestLinesOfTheTrayDoWhatTheySay(t *testing.T) {
	t.Parallel()
	var copied []string
	var told []Notification
	raised, quit := 0, 0
	f := apptest.New()
	m := inline(t, f, func(o *Options) {
		o.Copy = func(s string) error { copied = append(copied, s); return nil }
		o.Notify = func(n Notification) { told = append(told, n) }
		o.Raise = func() { raised++ }
		o.Quit = func() { quit++ }
	})
	click := func(text string) {
		t.Helper()
		lines := m.Tray.State().Lines
		i := slices.IndexFunc(lines, func(l TrayLine) bool { return strings.HasPrefix(strings.TrimSpace(l.Text), text) })
		if i < 0 || lines[i].ID == "" {
			t.Fatalf("no line to click starts with %q in\n%s", text, trayTexts(m.Tray.State()))
		}
		m.Tray.Click(lines[i].ID)
	}
	click("Copy localhost:5000")
	click("Copy pull command of")
	if len(copied) != 2 || copied[0] != "localhost:5000" || !strings.HasPrefix(copied[1], "docker pull ") || len(told) != 2 {
		t.Errorf("copied %q, told %v", copied, told)
	}
	click("Open Berth")
	click("Push from Docker")
	if raised != 2 || m.Shell.State().Page != PageDocker {
		t.Errorf("raised %d times, page %s", raised, m.Shell.State().Page)
	}
	click("checkout:dev")
	if n := len(f.Calls("Push")); n != 1 {
		t.Errorf("pushed %d times", n)
	}
	click("Pushing acme/checkout:dev")
	click("Quit Berth")
	if quit != 1 {
		t.Errorf("quit %d times", quit)
	}
	m.Tray.Click("nonsense")
}

func TestTheTraySaysNothingWhenNothingChanged(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	n := 0
	m.Tray.Subscribe(func() { n++ })
	m.Refresh()
	m.Refresh()
	if n != 0 {
		t.Errorf("it said «look again» %d times", n)
	}
}
