package model

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"berth/app"
)

// How the feed paces itself: bursts of notices become one look in pace, a
// broken stream is opened again after a wait that doubles up to retryMax, and
// relative dates are written again every tick.
const (
	pace     = 100 * time.Millisecond
	retryMin = 250 * time.Millisecond
	retryMax = 5 * time.Second
	tick     = 30 * time.Second
	// An attached face gives an instance that does not answer so long to come
	// back, and asks so often.
	patience     = 2 * time.Second
	retryPatient = time.Second
)

// feed follows the service and holds the last snapshot: notices are hints, the
// snapshot is the truth.
type feed struct {
	*env

	// Set before run, then only called.
	onSnapshot func()
	onJobs     func()
	onImages   func(repository string)
	onLocal    func()
	onUpkeep   func()
	onTick     func()

	wake chan struct{} // holds one token while something is dirty

	mu    sync.Mutex // guards what follows
	dirty dirty
	snap  *app.Snapshot
	lost  *app.Problem // why the last fetch failed
	jobs  []app.Job
	// Answers may overtake each other: serial counts questions, and an answer
	// older than the newest one taken in is dropped.
	serial, snapAt, jobsAt int
}

// dirty is what must be looked at again.
type dirty struct {
	snapshot, jobs, local bool
	upkeep                bool
	repositories          map[string]bool
}

func newFeed(e *env) *feed {
	return &feed{env: e, wake: make(chan struct{}, 1)}
}

// current gives the last snapshot, nil before the first, and why the service
// could not be asked since.
func (f *feed) current() (*app.Snapshot, *app.Problem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.snap, f.lost
}

// address is where the registry answers, or empty.
func (f *feed) address() string {
	if s, _ := f.current(); s != nil {
		return s.Status.Address
	}
	return ""
}

// refresh fetches the snapshot and the jobs now, on a goroutine.
func (f *feed) refresh() {
	f.tasks.run("feed", func(ctx context.Context) {
		f.fetchSnapshot(ctx)
		f.fetchJobs(ctx)
	})
}

// run follows the stream until ctx ends.
func (f *feed) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { f.watch(ctx) })
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	f.mark(app.Notice{Kind: app.NoticeHello})
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			f.onTick()
		case <-f.wake:
			f.look(ctx)
			if !rest(ctx, pace) {
				return
			}
		}
	}
}

// watch keeps one stream open.
func (f *feed) watch(ctx context.Context) {
	wait, most := retryMin, retryMax
	if f.Attached {
		most = retryPatient
	}
	var gone time.Time // since when the instance does not answer
	for ctx.Err() == nil {
		var broke error
		for n, err := range f.Service.Watch(ctx, app.WatchRequest{Window: f.Window}) {
			if err != nil {
				f.Logger.Debug("watch broke", "error", err)
				broke = err
				break
			}
			wait, gone = retryMin, time.Time{}
			f.notice(n)
		}
		switch _, alive := errors.AsType[*app.Problem](broke); {
		case broke == nil || alive || !f.Attached:
			gone = time.Time{}
		case gone.IsZero():
			gone = time.Now()
		case time.Since(gone) >= patience:
			f.Ended()
			return
		}
		// The stream said nothing since it broke: whoever looks now sees why.
		f.mark(app.Notice{Kind: app.NoticeStatus})
		if !rest(ctx, wait) {
			return
		}
		wait = min(2*wait, most)
	}
}

func (f *feed) notice(n app.Notice) {
	switch n.Kind {
	case app.NoticeRaise:
		f.Raise()
	case app.NoticeQuit:
		f.Ended()
	default:
		f.mark(n)
	}
}

// mark notes what a notice makes stale, and wakes run.
func (f *feed) mark(n app.Notice) {
	f.mu.Lock()
	d := &f.dirty
	switch n.Kind {
	case app.NoticeHello:
		d.snapshot, d.jobs, d.local, d.upkeep = true, true, true, true
		d.repository("")
	case app.NoticeImages:
		d.snapshot, d.upkeep = true, true
		d.repository(n.Repository)
	case app.NoticeJobs:
		d.jobs = true
	case app.NoticeJobEnd:
		d.snapshot, d.jobs, d.local, d.upkeep = true, true, true, true
	case app.NoticeLocal:
		d.local = true
	case app.NoticeUpkeep:
		d.snapshot, d.upkeep = true, true
		d.repository("") // pins and immutable tags have signs
	default:
		d.snapshot, d.upkeep = true, true
	}
	f.mu.Unlock()
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (d *dirty) repository(name string) {
	if d.repositories == nil {
		d.repositories = map[string]bool{}
	}
	d.repositories[name] = true
}

// look fetches what is stale.
func (f *feed) look(ctx context.Context) {
	f.mu.Lock()
	d := f.dirty
	f.dirty = dirty{}
	f.mu.Unlock()
	if d.snapshot {
		f.fetchSnapshot(ctx)
	}
	if d.jobs {
		f.fetchJobs(ctx)
	}
	if d.local {
		f.onLocal()
	}
	if d.upkeep {
		f.onUpkeep()
	}
	for name := range d.repositories {
		f.onImages(name)
	}
}

// ask numbers a question.
func (f *feed) ask() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serial++
	return f.serial
}

func (f *feed) fetchSnapshot(ctx context.Context) {
	at := f.ask()
	s, err := f.Service.Snapshot(ctx, app.SnapshotRequest{})
	f.mu.Lock()
	if ctx.Err() != nil || at < f.snapAt {
		f.mu.Unlock()
		return
	}
	f.snapAt, f.lost = at, f.problemOf(err, "Asking the registry")
	if err == nil {
		f.snap = &s
	}
	f.mu.Unlock()
	f.onSnapshot()
}

func (f *feed) fetchJobs(ctx context.Context) {
	at := f.ask()
	r, err := f.Service.Jobs(ctx, app.JobsRequest{})
	f.mu.Lock()
	if err != nil || ctx.Err() != nil || at < f.jobsAt {
		f.mu.Unlock()
		return
	}
	f.jobsAt, f.jobs = at, r.Jobs
	f.mu.Unlock()
	f.onJobs()
}

// allJobs are the running jobs, and the ended ones that are still remembered.
func (f *feed) allJobs() []app.Job {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.jobs
}

func (f *feed) runningJobs() []app.Job {
	return slices.DeleteFunc(slices.Clone(f.allJobs()), func(j app.Job) bool { return j.State != app.JobRunning })
}

// rest waits for d, and says whether ctx is still alive after it.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
