package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"berth/app/config"
	"berth/app/job"
)

// By whom a clean-up was asked for that no person asked for.
const (
	bySchedule = "schedule"
	byLow      = "disk low"
)

// ask is for a clean-up that no person asked for.
type ask struct {
	by      string
	rules   bool // are applied first
	emptied int  // entries that left the trash for it
}

// schedulePace is how often the clock and the disk are looked at; scheduleQuiet
// is how long after the start nothing begins by itself at the least.
const (
	schedulePace  = time.Minute
	scheduleQuiet = 2 * time.Minute
)

// scheduler starts clean-ups by itself. It goes by the clock on the wall, since
// a machine sleeps, and looks at it once a minute at least. One goroutine.
type scheduler struct {
	conf func() config.Cleanup
	// quiet says that nothing can be freed yet, so soon after the start; blind,
	// that the figures are not known yet.
	quiet func() bool
	blind func() bool
	state func(ctx context.Context) (past, error)
	keep  func(ctx context.Context, do func(*past)) error
	// clean runs a clean-up to its end.
	clean func(ctx context.Context, a ask) (CleanupReceipt, error)
	// space gives the free and the total bytes of the disk; nil: not known.
	space func(ctx context.Context) (free, total int64, err error)
	// freeable is what a clean-up would free now, as the index has it.
	freeable func(ctx context.Context) (int64, error)
	// empty lets go of the oldest of the trash; nil: it cannot.
	empty  func(ctx context.Context, enough func() bool) (int, error)
	failed func(*Problem)
	// changed has a value when the settings changed.
	changed <-chan struct{}
	log     *slog.Logger

	low lowWater
}

// run works until ctx ends.
func (s *scheduler) run(ctx context.Context) {
	began := time.Now()
	timer := time.NewTimer(schedulePace)
	defer timer.Stop()
	for {
		if err := s.look(ctx, wall(), time.Since(began) >= scheduleQuiet && !s.quiet() && !s.blind()); err != nil && ctx.Err() == nil {
			s.log.Warn("schedule of clean-ups", "error", err)
		}
		timer.Reset(s.pause(wall()))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.changed:
		}
	}
}

// pause is until the next look: a minute, or less when something is due before.
func (s *scheduler) pause(now time.Time) time.Duration {
	if next := nextDue(s.conf(), now); !next.IsZero() {
		return min(next.Sub(now), schedulePace)
	}
	return schedulePace
}

// wall is the time of the clock on the wall, which a suspended machine does not
// stop.
func wall() time.Time { return time.Now().Round(0) }

// look does what is due.
func (s *scheduler) look(ctx context.Context, now time.Time, awake bool) error {
	due, err := s.due(ctx, now)
	if !awake {
		return err
	}
	if due {
		// On a full disk nothing can be noted, and there room is wanted most.
		err = s.keep(ctx, func(p *past) { p.Ran = now })
		s.told(s.clean(ctx, ask{by: bySchedule, rules: true}))
	}
	return errors.Join(err, s.lookAtDisk(ctx, now))
}

// due reports whether a moment of the schedule has passed since it ran last or
// was set. A clock that was set back must not stop it for years.
func (s *scheduler) due(ctx context.Context, now time.Time) (bool, error) {
	conf := s.conf()
	is, err := s.state(ctx)
	if err != nil {
		return false, err
	}
	words := inWords(conf)
	if is.Schedule != words || is.Since.After(now) || is.Ran.After(now) {
		return false, s.keep(ctx, func(p *past) {
			if p.Schedule != words || p.Since.After(now) {
				p.Schedule, p.Since = words, now
			}
			if p.Ran.After(now) {
				p.Ran = now
			}
		})
	}
	last := lastDue(conf, now)
	return last.After(is.Since) && last.After(is.Ran), nil
}

// told keeps why a clean-up failed that nobody waited for, until one does not.
func (s *scheduler) told(r CleanupReceipt, err error) {
	switch {
	case err != nil && r.Cancelled:
	case err != nil:
		p := AsProblem(err)
		if p.Code == "cleanup_running" {
			return
		}
		s.failed(&Problem{
			Code: "cleanup_failed", Severity: severityWarning, Title: "The last clean-up that ran by itself failed",
			Text: strings.TrimSuffix(p.Title, ".") + ". " + p.Text, Fix: "Look at the plan, and free the space by hand:", Command: "berth cleanup",
		})
	default:
		s.failed(nil)
	}
}

func inWords(c config.Cleanup) string {
	switch c.Schedule {
	case config.ScheduleDaily:
		return c.Schedule + " " + c.At
	case config.ScheduleWeekly:
		return c.Schedule + " " + c.Weekday + " " + c.At
	}
	return config.ScheduleOff
}

// lastDue is the last moment of the schedule until now; zero when it is off.
func lastDue(c config.Cleanup, now time.Time) time.Time {
	for day := 0; c.Schedule != config.ScheduleOff && day >= -8; day-- {
		if t, ok := dueOn(c, now, day); ok && !t.After(now) {
			return t
		}
	}
	return time.Time{}
}

// nextDue is the first moment of the schedule after now; zero when it is off.
func nextDue(c config.Cleanup, now time.Time) time.Time {
	for day := 0; c.Schedule != config.ScheduleOff && day <= 8; day++ {
		if t, ok := dueOn(c, now, day); ok && t.After(now) {
			return t
		}
	}
	return time.Time{}
}

// dueOn gives the moment on a day. One that the clock leaps over is moved by
// the leap, and of one that comes twice one is taken: once a day either way.
func dueOn(c config.Cleanup, now time.Time, day int) (time.Time, bool) {
	hour, minute := c.Clock()
	t := time.Date(now.Year(), now.Month(), now.Day()+day, hour, minute, 0, 0, now.Location())
	// Of a moment that the clock leaps over at midnight the day is another.
	noon := time.Date(now.Year(), now.Month(), now.Day()+day, 12, 0, 0, 0, now.Location())
	return t, c.Schedule == config.ScheduleDaily || noon.Weekday() == c.Day()
}

// startSchedule runs the scheduler of this Core.
func (c *Core) startSchedule() {
	s := &scheduler{
		conf:  func() config.Cleanup { return c.conf().Berth.Cleanup },
		quiet: func() bool { return !c.waitsUntil().IsZero() }, blind: c.blind,
		state: c.cleaner.past.state, keep: c.cleaner.past.change,
		clean: c.cleanNow, failed: c.cleanupFailed, empty: c.emptyOldest, log: c.log,
		freeable: func(ctx context.Context) (int64, error) {
			reply, err := c.Usage(ctx, UsageRequest{})
			return reply.Usage.Freeable, err
		},
	}
	if c.space != nil {
		s.space = c.space.Space
	}
	s.changed = c.settingsChanged()
	c.background.Go(func() { s.run(c.life) })
}

// settingsChanged gives a channel that has a value after settings changed.
func (c *Core) settingsChanged() <-chan struct{} {
	changed := make(chan struct{}, 1)
	c.onSettings(func(_, _ *config.Config) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	return changed
}

// cleanNow runs a clean-up as a job, so that it is seen and can be cancelled,
// and waits for its end.
func (c *Core) cleanNow(ctx context.Context, a ask) (CleanupReceipt, error) {
	type end struct {
		r   CleanupReceipt
		err error
	}
	ended := make(chan end, 1)
	w := &cleanup{c: c, r: RunCleanupRequest{Rules: a.rules}, by: a.by, emptied: a.emptied, ends: func(r *CleanupReceipt, err error) { ended <- end{*r, err} }}
	reply, err := w.start(c.as(ctx, a.by))
	if err != nil {
		return CleanupReceipt{}, err
	}
	for {
		select {
		case e := <-ended:
			return e.r, e.err
		case <-time.After(schedulePace):
			// A job that broke tells nothing.
			if j, err := c.jobs.Get(reply.ID); err != nil || j.State == job.Failed {
				return CleanupReceipt{}, j.Err
			}
		case <-ctx.Done():
			return CleanupReceipt{Cancelled: true}, ctx.Err()
		}
	}
}

func (c *Core) cleanupFailed(p *Problem) {
	c.cleaner.mu.Lock()
	changed := (c.cleaner.failed == nil) != (p == nil)
	c.cleaner.failed = p
	c.cleaner.mu.Unlock()
	if changed {
		c.notify(Notice{Kind: NoticeStatus})
	}
}

// cleanupProblem says that a clean-up failed that nobody waited for, or is nil.
func (c *Core) cleanupProblem() *Problem {
	c.cleaner.mu.Lock()
	defer c.cleaner.mu.Unlock()
	return c.cleaner.failed
}
