package model

import (
	"context"
	"sync"
	"sync/atomic"

	"berth/app"
)

// Cleanup is the model of the head of the page Clean up: the figures, the plan,
// the clean-up that runs, its receipt, and the history.
type Cleanup struct {
	Signal
	*env
	feed   *feed
	shell  *Shell
	cached atomic.Pointer[CleanupState]
	look   look

	mu       sync.Mutex // guards what follows
	known    bool
	usage    app.UsageReply
	problem  *app.Problem
	stage    Stage
	serial   int // of the plan that is wanted; an older answer is dropped
	plan     app.CleanupPlan
	job      app.Job
	stopping bool
	trouble  *app.Problem
	history  *history
}

// history is the sheet of past clean-ups while it is open.
type history struct {
	known   bool
	reply   app.CleanupsReply
	problem *app.Problem
}

func newCleanup(e *env, f *feed, s *Shell) *Cleanup {
	m := &Cleanup{env: e, feed: f, shell: s}
	m.cached.Store(&CleanupState{Phase: PhaseLoading})
	return m
}

// State gives what to draw. It returns at once.
func (m *Cleanup) State() CleanupState { return *m.cached.Load() }

// Refresh asks for the figures again.
func (m *Cleanup) Refresh() {
	m.look.at(m.tasks, func(ctx context.Context) {
		r, err := m.Service.Usage(ctx, app.UsageRequest{})
		if ctx.Err() != nil {
			return
		}
		m.change(func() {
			m.problem = m.problemOf(err, "Asking where space goes")
			if err == nil {
				m.known, m.usage = true, r
			}
		})
		m.mu.Lock()
		open := m.history != nil
		m.mu.Unlock()
		if open {
			m.fetchHistory(ctx)
		}
	})
}

// Plan looks at the disk for what a clean-up would free, and shows it. Nothing
// is changed.
func (m *Cleanup) Plan() {
	m.mu.Lock()
	if m.stage == StageLooking || m.stage == StageRunning {
		m.mu.Unlock()
		return
	}
	m.serial++
	mine := m.serial
	m.stage, m.trouble = StageLooking, nil
	m.mu.Unlock()
	m.refresh()
	m.tasks.run("plan", func(ctx context.Context) {
		p, err := m.Service.PlanCleanup(ctx, app.PlanCleanupRequest{})
		m.change(func() {
			if m.serial != mine || m.stage != StageLooking {
				return
			}
			m.plan, m.stage = p, StagePlanned
			if err != nil {
				m.stage, m.trouble = StageFailed, m.problemOf(err, "Looking for what can go")
			}
			if err != nil && m.trouble == nil {
				m.stage = StageIdle // given up
			}
		})
	})
}

// Dismiss takes away the plan, the receipt or the problem that is shown.
func (m *Cleanup) Dismiss() {
	m.change(func() {
		if m.stage != StageRunning {
			m.serial++
			m.stage, m.trouble = StageIdle, nil
		}
	})
}

// Run does what the shown plan says.
func (m *Cleanup) Run() {
	m.mu.Lock()
	if m.stage != StagePlanned {
		m.mu.Unlock()
		return
	}
	id := m.plan.ID
	m.beginLocked()
	m.mu.Unlock()
	m.refresh()
	m.tasks.run("", func(ctx context.Context) { m.run(ctx, id) })
}

func (m *Cleanup) beginLocked() {
	m.serial++
	m.stage, m.stopping, m.trouble = StageRunning, false, nil
	m.job = app.Job{Kind: app.JobCleanup, State: app.JobRunning}
}

func (m *Cleanup) run(ctx context.Context, plan string) {
	r, err := m.Service.RunCleanup(ctx, app.RunCleanupRequest{Plan: plan})
	if err != nil {
		m.change(func() {
			m.stage, m.trouble = StageFailed, m.problemOf(err, "Freeing space")
			if m.trouble == nil {
				m.stage = StageIdle
			}
		})
		return
	}
	m.shell.expect(r.ID)
	m.change(func() {
		if m.stage == StageRunning && m.job.ID == "" {
			m.job.ID = r.ID
		}
	})
	m.feed.fetchJobs(ctx)
}

// FreeNow plans and frees in one go, as the tray does; the receipt is told on the
// desktop. It only frees what nothing needs.
func (m *Cleanup) FreeNow() {
	m.tasks.run("free", func(ctx context.Context) {
		m.mu.Lock()
		busy := m.stage == StageRunning
		m.mu.Unlock()
		if busy {
			return
		}
		p, err := m.Service.PlanCleanup(ctx, app.PlanCleanupRequest{})
		if err != nil {
			if w := m.problemOf(err, "Looking for what can go"); w != nil {
				m.shell.failed(w)
				m.Notify(Notification{Title: w.Title, Text: w.Text, Failed: true})
			}
			return
		}
		if empty(p) {
			m.shell.Toast(Toast{Tone: ToneInfo, Lead: "Nothing can be freed now"})
			m.Notify(Notification{Title: "Nothing can be freed now", Text: "Everything on disk is needed, restorable, or too new."})
			return
		}
		m.mu.Lock()
		m.plan = p
		m.beginLocked()
		m.mu.Unlock()
		m.refresh()
		m.run(ctx, p.ID)
		m.mu.Lock()
		w := m.trouble
		m.mu.Unlock()
		if w != nil {
			m.Notify(Notification{Title: w.Title, Text: w.Text, Failed: true})
		}
	})
}

// Cancel asks the clean-up that runs to stop. What it freed stays freed.
func (m *Cleanup) Cancel() {
	m.mu.Lock()
	id := m.job.ID
	running := m.stage == StageRunning && id != ""
	m.stopping = m.stopping || running
	m.mu.Unlock()
	if running {
		m.refresh()
		m.shell.Cancel(id)
	}
}

// jobs takes in how far the clean-up is, also one that somebody else started.
func (m *Cleanup) jobs() {
	ended := false
	m.change(func() {
		j, ok := newestJob(m.feed.allJobs(), app.JobCleanup)
		switch {
		case !ok:
			return
		case j.State == app.JobRunning:
			if m.job.ID != j.ID {
				m.stopping = false
			}
			m.serial++
			m.stage, m.job = StageRunning, j
		case m.stage == StageRunning && (m.job.ID == j.ID || m.job.ID == "" && m.plan.ID != "" && !j.Started.Before(m.plan.Began)):
			ended = true
			m.job, m.stage = j, StageDone
			if j.State == app.JobFailed || j.Receipt == nil && j.Problem != nil {
				m.stage, m.trouble = StageFailed, j.Problem
			}
			if j.State == app.JobCancelled && j.Receipt == nil {
				m.stage = StageIdle
			}
		}
	})
	if ended {
		m.Refresh()
	}
}

// ShowHistory opens the sheet of past clean-ups.
func (m *Cleanup) ShowHistory() {
	m.change(func() { m.history = &history{} })
	m.tasks.run("history", m.fetchHistory)
}

func (m *Cleanup) fetchHistory(ctx context.Context) {
	r, err := m.Service.Cleanups(ctx, app.CleanupsRequest{})
	m.change(func() {
		if m.history == nil || ctx.Err() != nil {
			return
		}
		m.history.problem = m.problemOf(err, "Listing past clean-ups")
		if err == nil {
			m.history.known, m.history.reply = true, r
		}
	})
}

// CloseHistory closes the sheet.
func (m *Cleanup) CloseHistory() { m.change(func() { m.history = nil }) }

// Escape closes what is open, and says whether anything was.
func (m *Cleanup) Escape() bool {
	st := m.State()
	switch {
	case st.History != nil:
		m.CloseHistory()
	case st.Stage != StageIdle && st.Stage != StageRunning:
		m.Dismiss()
	default:
		return false
	}
	return true
}

// CopyFix copies the command that helps with the problem that is shown.
func (m *Cleanup) CopyFix(command string) { m.shell.Copy(command, "Copied the command") }

// change runs f under the lock and builds the state again.
func (m *Cleanup) change(f func()) {
	m.mu.Lock()
	f()
	m.mu.Unlock()
	m.refresh()
}
