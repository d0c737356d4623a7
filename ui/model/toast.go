package model

import (
	"context"
	"slices"
	"strings"
	"time"

	"berth/app"
)

// How long a toast stays, and how many there are at most.
const (
	toastShort = 3 * time.Second
	toastLong  = 8 * time.Second
	toastMax   = 3
)

// Toast shows a line in the snackbar and gives its id. One with an action or a
// problem stays longer; one that shows a job stays until the job ends. The same
// words are shown once, anew.
func (s *Shell) Toast(t Toast) int {
	t.ID = int(s.ids.Add(1))
	if t.job == "" {
		t.Progress = -1
	}
	s.mu.Lock()
	s.toasts = slices.DeleteFunc(s.toasts, func(o Toast) bool { return o.job == "" && o.Text() == t.Text() })
	s.toasts = append(s.toasts, t)
	for len(s.toasts) > toastMax {
		s.toasts = s.toasts[1:]
	}
	s.mu.Unlock()
	s.refresh()
	if t.job == "" {
		s.expire(t)
	}
	return t.ID
}

func (s *Shell) expire(t Toast) {
	stay := toastShort
	if t.Action != "" || t.Tone == ToneDanger || t.Tone == ToneWarning {
		stay = toastLong
	}
	if s.Spawn != nil {
		return // whoever runs tasks in place keeps toasts until Dismiss
	}
	s.tasks.run("", func(ctx context.Context) {
		if rest(ctx, stay) {
			s.Dismiss(t.ID)
		}
	})
}

// Dismiss takes a toast away. The job of one that shows a job goes on.
func (s *Shell) Dismiss(id int) {
	s.drop(func(t Toast) bool {
		if t.ID == id && t.job != "" {
			s.gone[t.job] = true
		}
		return t.ID == id
	})
}

// Act does what the button of a toast says, and takes the toast away.
func (s *Shell) Act(id int) {
	s.mu.Lock()
	i := slices.IndexFunc(s.toasts, func(t Toast) bool { return t.ID == id })
	if i < 0 {
		s.mu.Unlock()
		return
	}
	act := s.toasts[i].act
	s.mu.Unlock()
	s.Dismiss(id)
	if act != nil {
		act()
	}
}

// drop removes toasts; gone is called with the lock held.
func (s *Shell) drop(gone func(Toast) bool) {
	s.mu.Lock()
	s.toasts = slices.DeleteFunc(s.toasts, gone)
	s.mu.Unlock()
	s.refresh()
}

// failed shows a problem in the snackbar; nil shows nothing.
func (s *Shell) failed(p *app.Problem) {
	if p == nil {
		return
	}
	t := Toast{Tone: ToneDanger, Strong: p.Title, Command: p.Command}
	if p.Text != "" {
		t.Rest = ": " + p.Text
	}
	if p.Fix != "" {
		t.Rest = strings.TrimSuffix(t.Rest, ".") + ". " + p.Fix
	}
	if p.Command != "" {
		t.Action = "Copy command"
		t.act = func() { s.Copy(p.Command, "Copied the command") }
	}
	s.Toast(t)
}

// jobs shows what runs and what ended. A push shows in its row, upkeep on the
// page Clean up; a pull and an import, which have no place, show as a toast with
// progress.
func (s *Shell) jobs() {
	var ended []app.Job
	s.mu.Lock()
	for _, j := range s.feed.allJobs() {
		if j.State == app.JobRunning {
			s.seen[j.ID] = true
			s.progressLocked(j)
			continue
		}
		if s.seen[j.ID] {
			delete(s.seen, j.ID)
			delete(s.gone, j.ID)
			s.toasts = slices.DeleteFunc(s.toasts, func(t Toast) bool { return t.job == j.ID })
			ended = append(ended, j)
		}
	}
	s.mu.Unlock()
	for _, j := range ended {
		s.ended(j)
	}
	s.refresh()
}

// expect notes a job that this face started, so that its end is told even when
// it ends before anybody looked.
func (s *Shell) expect(id string) {
	s.mu.Lock()
	s.seen[id] = true
	s.mu.Unlock()
}

func (s *Shell) progressLocked(j app.Job) {
	if j.Kind == app.JobPush || upkeepJob(j.Kind) || s.gone[j.ID] {
		return
	}
	t := Toast{
		ID: int(s.ids.Add(1)), Tone: ToneBusy, Lead: verb(j.Kind) + " ", Strong: jobName(j), Rest: " — " + jobText(j),
		Action: "Cancel", Progress: Part(j.Done, j.Total), job: j.ID, act: func() { s.Cancel(j.ID) },
	}
	i := slices.IndexFunc(s.toasts, func(o Toast) bool { return o.job == j.ID })
	if i < 0 {
		s.toasts = append(s.toasts, t)
		return
	}
	t.ID = s.toasts[i].ID
	s.toasts[i] = t
}

// Cancel asks a job to stop.
func (s *Shell) Cancel(job string) {
	s.tasks.run("cancel "+job, func(ctx context.Context) {
		_, err := s.Service.Cancel(ctx, app.CancelRequest{ID: job})
		s.failed(s.problemOf(err, "Cancelling"))
		s.feed.refresh()
	})
}

// ended tells how a job ended, in the window and on the desktop.
func (s *Shell) ended(j app.Job) {
	if upkeepJob(j.Kind) && j.State != app.JobFailed {
		s.endedUpkeep(j)
		return
	}
	switch j.State {
	case app.JobDone:
		t := Toast{Tone: ToneOK, Lead: done(j.Kind) + " ", Strong: jobName(j)}
		n := Notification{Title: done(j.Kind) + " " + jobName(j), Text: j.PullCommand}
		if j.PullCommand != "" && j.Kind == app.JobPush {
			t.Action = "Copy pull command"
			t.act = func() { s.Copy(j.PullCommand, "Copied "+j.PullCommand) }
		}
		s.Toast(t)
		s.Notify(n)
	case app.JobFailed:
		p := j.Problem
		if p == nil {
			p = &app.Problem{Title: doing(j) + " failed"}
		}
		s.failed(p)
		s.Notify(Notification{Title: p.Title, Text: p.Text, Failed: true})
	case app.JobCancelled:
		s.Toast(Toast{Tone: ToneInfo, Lead: "Cancelled ", Strong: jobName(j)})
	}
}

func jobName(j app.Job) string {
	if j.Title != "" {
		return j.Title
	}
	return j.Source
}

// doing is what a job does, in words: "Pushing acme/app:v1", "Cleaning up".
func doing(j app.Job) string {
	if upkeepJob(j.Kind) {
		return verb(j.Kind)
	}
	return verb(j.Kind) + " " + jobName(j)
}

func verb(k app.JobKind) string {
	switch k {
	case app.JobCleanup:
		return "Cleaning up"
	case app.JobRules:
		return "Applying the rules"
	case app.JobVerify:
		return "Verifying"
	case app.JobRepair:
		return "Repairing"
	case app.JobPush:
		return "Pushing"
	case app.JobPull:
		return "Pulling"
	}
	return "Importing"
}

func done(k app.JobKind) string {
	switch k {
	case app.JobPush:
		return "Pushed"
	case app.JobPull:
		return "Pulled"
	}
	return "Imported"
}
