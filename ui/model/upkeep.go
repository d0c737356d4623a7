package model

import (
	"cmp"
	"context"
	"strings"
	"sync"

	"berth/app"
)

// look fetches one thing at a time. Asked while it is under way it fetches once
// more after, so that a burst of notices is two looks, and the last is new.
type look struct {
	mu          sync.Mutex // guards what follows
	busy, again bool
}

func (l *look) at(t *tasks, fetch func(context.Context)) {
	l.mu.Lock()
	if l.busy {
		l.again = true
		l.mu.Unlock()
		return
	}
	l.busy = true
	l.mu.Unlock()
	t.run("", func(ctx context.Context) {
		for {
			fetch(ctx)
			l.mu.Lock()
			if !l.again || ctx.Err() != nil {
				l.busy = false
				l.mu.Unlock()
				return
			}
			l.again = false
			l.mu.Unlock()
		}
	})
}

// RunView is a job of upkeep under way, shown where it was started.
type RunView struct {
	Job string
	// Title is "Freeing space", Text how far it is: "612 MB of 1.1 GB · 52 MB/s".
	Title, Text string
	// Progress is between 0 and 1; negative while the whole is not known.
	Progress float32
	// Stopping is true once a person asked it to stop.
	Stopping bool
}

func runView(j app.Job, title string, stopping bool) *RunView {
	v := &RunView{Job: j.ID, Title: title, Text: jobText(j), Progress: -1, Stopping: stopping}
	if j.Total > 0 {
		v.Progress = Part(j.Done, j.Total)
	}
	switch {
	case stopping:
		v.Text = "stopping…"
	case j.Kind == app.JobRules || j.Kind == app.JobRepair:
		v.Text = cmp.Or(j.Note, "preparing")
	case j.Note != "" && j.Note != v.Text:
		v.Text += " · " + j.Note
	}
	return v
}

// newestJob is the newest job of a kind, running or not.
func newestJob(jobs []app.Job, kind app.JobKind) (app.Job, bool) {
	var out app.Job
	found := false
	for _, j := range jobs {
		if j.Kind == kind && (!found || j.State == app.JobRunning && out.State != app.JobRunning) {
			out, found = j, true
		}
	}
	return out, found
}

// ReasonRow is a reason with what it concerns.
type ReasonRow struct{ Text, Count, Size string }

func reasonRows(list []app.CleanupReason) []ReasonRow {
	var out []ReasonRow
	for _, r := range list {
		row := ReasonRow{Text: capital(r.Text), Size: Size(r.Bytes)}
		if r.Count > 0 {
			row.Count = Number(r.Count)
		}
		if r.Bytes == 0 {
			row.Size = ""
		}
		out = append(out, row)
	}
	return out
}

// capital begins a text with a capital letter.
func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// user names who did something: "you" for the one who looks.
func (e *env) user(by string) string {
	if by != "" && by == e.User {
		return "you"
	}
	return by
}

// upkeepJob says whether a job is shown on the page Clean up, in place.
func upkeepJob(k app.JobKind) bool {
	return k == app.JobCleanup || k == app.JobRules || k == app.JobVerify || k == app.JobRepair
}
