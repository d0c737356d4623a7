package model

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"berth/app"
)

// trayLocal is how many local images the menu offers to push.
const trayLocal = 5

// What a click on a line of the tray does: the id of a line is one of these, or
// one of the first two with a row's key or a text behind a colon.
const (
	trayPush   = "push"
	trayCopy   = "copy"
	trayOpen   = "open"
	trayDocker = "docker"
	trayPull   = "pull"
	trayFree   = "free"
	trayUpkeep = "upkeep"
	trayQuit   = "quit"
)

// Tray is the model of the tray.
type Tray struct {
	Signal
	*env
	feed    *feed
	shell   *Shell
	docker  *Docker
	cleanup *Cleanup
	cached  atomic.Pointer[TrayState]

	mu sync.Mutex // orders builds: the last to store has seen the newest
}

func newTray(e *env, f *feed, s *Shell, d *Docker, c *Cleanup) *Tray {
	t := &Tray{env: e, feed: f, shell: s, docker: d, cleanup: c}
	st := TrayOf(TrayFacts{})
	t.cached.Store(&st)
	return t
}

// State gives what to show. It returns at once.
func (t *Tray) State() TrayState { return *t.cached.Load() }

// refresh builds the state again, and says so only when it changed.
func (t *Tray) refresh() {
	t.mu.Lock()
	snap, lost := t.feed.current()
	st := TrayOf(TrayFacts{Snapshot: snap, Lost: lost, Jobs: t.feed.runningJobs(), Local: t.docker.pushable()})
	old := t.cached.Load()
	same := old.Icon == st.Icon && old.Tooltip == st.Tooltip && slices.Equal(old.Lines, st.Lines)
	t.cached.Store(&st)
	t.mu.Unlock()
	if !same {
		t.emit()
	}
}

// TrayFacts is all that the tray shows something of.
type TrayFacts struct {
	// Snapshot is nil until the first came; Lost says why none comes any more.
	Snapshot *app.Snapshot
	Lost     *app.Problem
	// Jobs are the running ones.
	Jobs []app.Job
	// Local are the images to offer, newest first.
	Local []LocalRow
}

// TrayOf says what the tray shows; it is pure.
func TrayOf(f TrayFacts) TrayState {
	st := TrayState{Icon: trayIcon(f)}
	status, address := "Berth is starting", ""
	if f.Snapshot != nil {
		address = f.Snapshot.Status.Address
		status = "Running on " + address
		if f.Snapshot.Status.State == app.StateStopped {
			status, address = "Stopped", ""
		}
	}
	if f.Lost != nil {
		status = "Not reachable"
	}
	st.Tooltip = "Berth: " + strings.ToLower(status[:1]) + status[1:]
	if f.Snapshot == nil && f.Lost == nil {
		st.Tooltip = status
	}
	st.Lines = append(st.Lines, TrayLine{Text: status})
	if f.Snapshot != nil {
		u := f.Snapshot.Usage
		st.Lines = append(st.Lines, TrayLine{Text: Count(u.Tags, "image") + ", " + Size(u.Used)})
		if p := problems(f.Snapshot, nil); len(p) > 0 {
			st.Lines = append(st.Lines, TrayLine{ID: trayOpen, Text: p[0].Title})
		}
	}
	st.group(TrayLine{ID: trayOpen, Text: "Open Berth"})
	if address != "" {
		st.Lines = append(st.Lines, TrayLine{ID: trayCopy + ":" + address, Text: "Copy " + address})
	}
	st.group(localLines(f.Local)...)
	st.group(recentLines(f)...)
	st.group(freeLines(f)...)
	st.group(TrayLine{ID: trayQuit, Text: "Quit Berth"})
	return st
}

func trayIcon(f TrayFacts) app.State {
	switch {
	case f.Lost != nil:
		return app.StateWarning
	case f.Snapshot == nil:
		return app.StateStopped
	case f.Snapshot.Status.State == app.StateRunning && len(f.Jobs) > 0:
		return app.StateBusy
	}
	return f.Snapshot.Status.State
}

// group adds lines after a separator.
func (st *TrayState) group(lines ...TrayLine) {
	if len(lines) > 0 {
		st.Lines = append(append(st.Lines, TrayLine{}), lines...)
	}
}

func localLines(local []LocalRow) []TrayLine {
	if len(local) == 0 {
		return nil
	}
	out := []TrayLine{{ID: trayDocker, Text: "Push from Docker"}}
	for _, r := range local[:min(trayLocal, len(local))] {
		out = append(out, TrayLine{ID: trayPush + ":" + r.Key, Text: "    " + r.Name})
	}
	return out
}

func recentLines(f TrayFacts) []TrayLine {
	var out []TrayLine
	for _, j := range f.Jobs {
		line := doing(j)
		if j.Total > 0 {
			line += fmt.Sprintf(" — %d%%", Percent(j.Done, j.Total))
		}
		id := trayOpen
		if upkeepJob(j.Kind) {
			id = trayUpkeep
		}
		out = append(out, TrayLine{ID: id, Text: line})
	}
	if f.Snapshot != nil && f.Snapshot.LastPush != nil {
		p := f.Snapshot.LastPush
		out = append(out, TrayLine{ID: trayPull, Text: "Copy pull command of " + p.Repository + ":" + p.Tag})
	}
	return out
}

// freeLines offer to free what nothing needs, unless a clean-up runs.
func freeLines(f TrayFacts) []TrayLine {
	busy := slices.ContainsFunc(f.Jobs, func(j app.Job) bool { return j.Kind == app.JobCleanup })
	if f.Snapshot == nil || f.Lost != nil || f.Snapshot.Usage.Freeable <= 0 || busy {
		return nil
	}
	return []TrayLine{{ID: trayFree, Text: "Free " + Size(f.Snapshot.Usage.Freeable)}}
}

// Click does what a line says.
func (t *Tray) Click(id string) {
	verb, arg, _ := strings.Cut(id, ":")
	switch verb {
	case trayOpen:
		t.Raise()
	case trayDocker:
		t.shell.Go(PageDocker)
		t.Raise()
	case trayUpkeep:
		t.shell.Go(PageCleanup)
		t.Raise()
	case trayFree:
		t.cleanup.FreeNow()
	case trayPush:
		t.docker.Push(arg)
	case trayCopy:
		t.copied(arg)
	case trayPull:
		if s, _ := t.feed.current(); s != nil && s.LastPush != nil {
			t.copied(s.LastPush.PullCommand)
		}
	case trayQuit:
		t.Quit()
	}
}

// copied puts text on the clipboard and says so on the desktop: the window may
// be hidden. The clipboard may be another program, so it gets a goroutine.
func (t *Tray) copied(text string) {
	t.tasks.run("", func(context.Context) {
		if err := t.env.Copy(text); err != nil {
			t.Notify(Notification{Title: "Nothing was copied", Text: err.Error(), Failed: true})
			return
		}
		t.Notify(Notification{Title: "Copied", Text: text})
	})
}
