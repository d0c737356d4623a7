package apptest

import (
	"context"
	"slices"
	"sync"
	"time"

	"berth/app"
)

// Now is when the sample data is looked at: the time of a fake without a clock.
var Now = time.Date(2026, time.November, 20, 14, 30, 0, 0, time.UTC)

// Fake implements [app.Service] in memory. It is safe for concurrent use.
type Fake struct {
	now func() time.Time

	mu       sync.Mutex // guards what follows
	data     Data
	calls    []Call
	failing  map[string]error
	holding  map[string]chan struct{}
	watchers map[*watcher]struct{}
	serial   int
	aside    map[string][]app.Tag // of deleted repositories, by the id in the trash
	quit     chan struct{}
}

var _ app.Service = (*Fake)(nil)

// Data is what a fake knows. Change it through [Fake.Change].
type Data struct {
	Status   app.Status
	Disk     app.Usage // Repositories, Tags and Used are counted instead when 0
	Problems []app.Problem
	LastPush *app.Pushed
	Indexing bool
	// Repositories in any order; one without tags is not shown.
	Repositories []Repository
	// Details by manifest digest; Inspect makes one up for a tag without.
	Details map[string]app.InspectReply
	Trash   []app.TrashEntry
	// Waits is what EmptyTrash says that a clean-up waits for.
	Waits string
	Local app.LocalImagesReply
	// Jobs, newest first.
	Jobs []app.Job
	// What the methods of upkeep and settings answer.
	Space        app.UsageReply
	Plan         app.CleanupPlan
	Kept         []app.CleanupReason // of the receipt of the next clean-up
	Cleanups     app.CleanupsReply
	Rules        app.RulesReply
	Preview      app.PreviewRulesReply
	Pins         []app.Pin
	Verification app.Verification
	Settings     app.SettingsReply
	// RaiseWindow is what OpenWindow answers when nobody watches as a window.
	RaiseWindow bool
}

// Repository is a repository and its tags, newest push first.
type Repository struct {
	app.Repository
	Rows []app.Tag
}

// Call is one call that was made.
type Call struct {
	Method  string
	Request any
}

// New gives a fake with the sample data, at [Now].
func New() *Fake { return NewAt(func() time.Time { return Now }) }

// NewAt gives a fake with the sample data, dated back from now().
func NewAt(now func() time.Time) *Fake {
	f := Empty(now)
	f.data = sample(now())
	return f
}

// Empty gives a fake of a first run: nothing pushed, nothing deleted, no local
// images, no problem.
func Empty(now func() time.Time) *Fake {
	return &Fake{
		now:      now,
		data:     Data{Status: sampleStatus(now()), Disk: app.Usage{Free: 182e9, Total: 256e9}, Local: emptyLocal()},
		failing:  map[string]error{},
		holding:  map[string]chan struct{}{},
		watchers: map[*watcher]struct{}{},
		quit:     make(chan struct{}),
	}
}

// Change lets a test change the data; it sends no notice, see [Fake.Notify].
func (f *Fake) Change(change func(d *Data)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.data)
}

// Fail makes a method, named as in [app.Service], fail from now on; nil heals it.
func (f *Fake) Fail(method string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failing[method] = err
}

// Hold makes calls of a method hang until release is called or their context
// ends.
func (f *Fake) Hold(method string) (release func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	gate := make(chan struct{})
	f.holding[method] = gate
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		close(gate)
		if f.holding[method] == gate {
			delete(f.holding, method)
		}
	})
}

// Calls gives the calls so far; with methods given, only theirs.
func (f *Fake) Calls(methods ...string) []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Call
	for _, c := range f.calls {
		if len(methods) == 0 || slices.Contains(methods, c.Method) {
			out = append(out, c)
		}
	}
	return out
}

// Quitted is closed by the first call of Quit.
func (f *Fake) Quitted() <-chan struct{} { return f.quit }

// enter records a call, then waits or fails as the test asked.
func (f *Fake) enter(ctx context.Context, method string, request any) error {
	f.mu.Lock()
	f.calls = append(f.calls, Call{method, request})
	gate := f.holding[method]
	f.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.failing[method]; err != nil {
		return err
	}
	return ctx.Err()
}

// Health lists Data.Problems.
func (f *Fake) Health(ctx context.Context, r app.HealthRequest) (app.HealthReply, error) {
	if err := f.enter(ctx, "Health", r); err != nil {
		return app.HealthReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return app.HealthReply{Problems: slices.Clone(f.data.Problems)}, nil
}

// Status gives Data.Status, with the window and the jobs of this moment.
func (f *Fake) Status(ctx context.Context, r app.StatusRequest) (app.Status, error) {
	if err := f.enter(ctx, "Status", r); err != nil {
		return app.Status{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status(), nil
}

// status needs f.mu.
func (f *Fake) status() app.Status {
	s := f.data.Status
	s.Listening = slices.Clone(s.Listening)
	for w := range f.watchers {
		s.Window = s.Window || w.window
	}
	running := slices.ContainsFunc(f.data.Jobs, func(j app.Job) bool { return j.State == app.JobRunning })
	if s.State == app.StateRunning && running {
		s.State = app.StateBusy
	}
	return s
}

// OpenWindow raises the watching window, if there is one.
func (f *Fake) OpenWindow(ctx context.Context, r app.OpenWindowRequest) (app.OpenWindowReply, error) {
	if err := f.enter(ctx, "OpenWindow", r); err != nil {
		return app.OpenWindowReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	raised := f.data.RaiseWindow
	for w := range f.watchers {
		if w.window {
			w.push(app.Notice{Kind: app.NoticeRaise})
			raised = true
		}
	}
	return app.OpenWindowReply{Raised: raised}, nil
}

// Quit sends NoticeQuit and closes [Fake.Quitted].
func (f *Fake) Quit(ctx context.Context, r app.QuitRequest) (app.QuitReply, error) {
	if err := f.enter(ctx, "Quit", r); err != nil {
		return app.QuitReply{}, err
	}
	f.Notify(app.Notice{Kind: app.NoticeQuit})
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.quit:
	default:
		close(f.quit)
	}
	return app.QuitReply{}, nil
}
