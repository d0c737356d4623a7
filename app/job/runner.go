package job

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Errors of the runner.
var (
	ErrUnknown = errors.New("no such job")
	ErrClosed  = errors.New("no more jobs are started")
)

// pace is the least time between two notifications of one job's progress.
const pace = 100 * time.Millisecond

// Work does a job. It reports progress as it likes, and stops when ctx ends.
type Work func(ctx context.Context, report func(Progress)) (Result, error)

// Options of a runner; the zero value is right.
type Options struct {
	// History is how many ended jobs are remembered; 0 means 100.
	History int
	// Changed is called when a job started, moved (at most ten times a second
	// each) or ended. It must not block, nor call the runner's Close.
	Changed func(id string, ended bool)
}

// Runner runs jobs, each in its own goroutine. It is safe for concurrent use.
type Runner struct {
	o      Options
	prefix string
	wg     sync.WaitGroup

	mu     sync.Mutex // guards what follows, and the jobs
	jobs   []*running // oldest first
	serial int
	closed bool
}

type running struct {
	job    Job
	meter  meter
	cancel context.CancelCauseFunc
	asked  bool // somebody asked it to stop
	ended  chan struct{}
	told   time.Time
	timer  *time.Timer // a notification that waits for its time
}

// NewRunner makes a runner without jobs.
func NewRunner(o Options) *Runner {
	if o.History == 0 {
		o.History = 100
	}
	if o.Changed == nil {
		o.Changed = func(string, bool) {}
	}
	return &Runner{o: o, prefix: strconv.FormatInt(time.Now().UnixMilli(), 36)}
}

// Start begins a job and gives its id at once. The job lives until it is done,
// cancelled, or the runner closed; it keeps the values of ctx, not its end.
// Errors: ErrClosed.
func (r *Runner) Start(ctx context.Context, spec Spec, work Work) (string, error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return "", ErrClosed
	}
	r.serial++
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	j := &running{
		job:    Job{ID: fmt.Sprintf("%s-%d", r.prefix, r.serial), Spec: spec, State: Running, Started: time.Now()},
		cancel: cancel, ended: make(chan struct{}), told: time.Now(),
	}
	r.jobs = append(r.jobs, j)
	r.wg.Add(1)
	r.mu.Unlock()
	r.o.Changed(j.job.ID, false)
	go r.run(ctx, j, work)
	return j.job.ID, nil
}

func (r *Runner) run(ctx context.Context, j *running, work Work) {
	defer r.wg.Done()
	defer j.cancel(nil)
	result, err := safely(ctx, work, func(p Progress) { r.report(j, p) })
	r.mu.Lock()
	j.job.Ended, j.job.Result, j.job.Note = time.Now(), result, ""
	switch {
	case err == nil:
		j.job.State = Done
	case j.asked:
		j.job.State = Cancelled
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		j.job.State, j.job.Err = Failed, context.Cause(ctx)
	default:
		j.job.State, j.job.Err = Failed, err
	}
	if j.timer != nil && j.timer.Stop() {
		r.wg.Done()
	}
	j.timer = nil
	r.forget()
	r.mu.Unlock()
	close(j.ended)
	r.o.Changed(j.job.ID, true)
}

// PanicError is how a job failed whose work panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error says what broke, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("the job broke: %v", e.Value) }

// safely turns a panic of work into an error: a job must not end the registry.
func safely(ctx context.Context, work Work, report func(Progress)) (result Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	return work(ctx, report)
}

func (r *Runner) report(j *running, p Progress) {
	now := time.Now()
	r.mu.Lock()
	if j.job.State != Running {
		r.mu.Unlock()
		return
	}
	p.Layers = slices.Clone(p.Layers)
	j.job.Progress = p
	j.meter.add(now, p.Done)
	wait := pace - now.Sub(j.told)
	tell := wait <= 0 && j.timer == nil
	switch {
	case tell:
		j.told = now
	case j.timer == nil:
		r.wg.Add(1)
		j.timer = time.AfterFunc(wait, func() { r.tell(j) })
	}
	r.mu.Unlock()
	if tell {
		r.o.Changed(j.job.ID, false)
	}
}

// tell sends the notification that waited.
func (r *Runner) tell(j *running) {
	defer r.wg.Done()
	r.mu.Lock()
	j.timer, j.told = nil, time.Now()
	still := j.job.State == Running
	r.mu.Unlock()
	if still {
		r.o.Changed(j.job.ID, false)
	}
}

// forget needs r.mu.
func (r *Runner) forget() {
	ended := 0
	for _, j := range slices.Backward(r.jobs) {
		if j.job.State != Running {
			ended++
		}
	}
	r.jobs = slices.DeleteFunc(r.jobs, func(j *running) bool {
		if j.job.State == Running || ended <= r.o.History {
			return false
		}
		ended--
		return true
	})
}

// List gives the jobs, newest first.
func (r *Runner) List() []Job {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]Job, 0, len(r.jobs))
	for _, j := range slices.Backward(r.jobs) {
		out = append(out, j.look())
	}
	return out
}

// Get gives one job. Errors: ErrUnknown.
func (r *Runner) Get(id string) (Job, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if j := r.find(id); j != nil {
		return j.look(), nil
	}
	return Job{}, ErrUnknown
}

// find needs Runner.mu.
func (r *Runner) find(id string) *running {
	for _, j := range r.jobs {
		if j.job.ID == id {
			return j
		}
	}
	return nil
}

// look needs Runner.mu.
func (j *running) look() Job {
	job := j.job
	job.Layers = slices.Clone(job.Layers)
	if job.State == Running {
		job.Rate = j.meter.rate(time.Now())
	}
	return job
}

// Cancel asks a job to stop, and gives it as it ended. An ended job is given
// as it is. Errors: ErrUnknown; ctx.Err() when it did not stop in time.
func (r *Runner) Cancel(ctx context.Context, id string) (Job, error) {
	r.mu.Lock()
	j := r.find(id)
	if j == nil {
		r.mu.Unlock()
		return Job{}, ErrUnknown
	}
	j.asked = true
	r.mu.Unlock()
	j.cancel(nil)
	select {
	case <-j.ended:
	case <-ctx.Done():
		return Job{}, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return j.look(), nil
}

// Busy reports whether a job runs.
func (r *Runner) Busy() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.jobs, func(j *running) bool { return j.job.State == Running })
}

// Drain starts no more jobs, and waits for those that run until ctx ends.
func (r *Runner) Drain(ctx context.Context) {
	r.mu.Lock()
	r.closed = true
	jobs := slices.Clone(r.jobs)
	r.mu.Unlock()
	for _, j := range jobs {
		select {
		case <-j.ended:
		case <-ctx.Done():
			return
		}
	}
}

// Halt starts no more jobs, and ends those of some kinds, which then failed
// because of a cause. It does not wait.
func (r *Runner) Halt(cause error, kinds ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, j := range r.jobs {
		if j.job.State == Running && slices.Contains(kinds, j.job.Kind) {
			j.cancel(cause)
		}
	}
}

// Close cancels what runs, and returns when every goroutine has ended.
func (r *Runner) Close() {
	r.mu.Lock()
	r.closed = true
	for _, j := range r.jobs {
		j.asked = true
		j.cancel(nil)
	}
	r.mu.Unlock()
	r.wg.Wait()
}
