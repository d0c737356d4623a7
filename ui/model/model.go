package model

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"berth/app"
)

// Options say what the models stand on. Service is required; the rest may be
// zero.
type Options struct {
	Service app.Service
	// Now is the clock, in the zone of the user; nil means time.Now.
	Now func() time.Time
	// Spawn runs a function on a goroutine; nil means go. Tests may run it in
	// place: every intent is then done when it returns.
	Spawn func(func())
	// Copy puts text on the clipboard.
	Copy func(text string) error
	// Notify shows a desktop notification; nil shows none.
	Notify func(Notification)
	// ChooseFile lets a person choose a tar or a folder to import; an empty path
	// means none was chosen. Nil where there is no dialog.
	ChooseFile func(ctx context.Context) (path string, err error)
	// User is the one who looks: what is done by that name was done by «you».
	User string
	// Window announces a window to the instance: Raise is called when somebody
	// asks for it.
	Window bool
	// Attached says that Service is another process, which may be gone.
	Attached bool
	// Raise shows the window, or opens one; Quit ends this face; Ended is called
	// when the instance itself is ending, or when an attached face lost it.
	Raise, Quit, Ended func()
	Logger             *slog.Logger
}

// Notification is one desktop notification.
type Notification struct {
	Title, Text string
	Failed      bool
}

// Models are the models of one process, over one service.
type Models struct {
	Shell  *Shell
	Images *Images
	Docker *Docker
	Tray   *Tray

	// The cards of the page Clean up.
	Cleanup *Cleanup
	Trash   *Trash
	Rules   *Rules
	Verify  *Verify

	feed  *feed
	tasks *tasks
}

// New makes the models; they fetch nothing before Run or Refresh.
func New(o Options) *Models {
	e := newEnv(o)
	m := &Models{feed: newFeed(e), tasks: e.tasks}
	m.Shell = newShell(e, m.feed)
	m.Images = newImages(e, m.feed, m.Shell)
	m.Docker = newDocker(e, m.feed, m.Shell)
	m.Cleanup, m.Trash = newCleanup(e, m.feed, m.Shell), newTrash(e, m.feed, m.Shell)
	m.Rules, m.Verify = newRules(e, m.feed, m.Shell, m.Trash), newVerify(e, m.feed, m.Shell)
	m.Tray = newTray(e, m.feed, m.Shell, m.Docker, m.Cleanup)
	m.Images.docker, m.Shell.images, m.Shell.docker, m.Shell.rules = m.Docker, m.Images, m.Docker, m.Rules
	m.Shell.onUpkeep = m.upkeep
	m.feed.onSnapshot = func() {
		m.Images.snapshot()
		m.Shell.refresh()
		m.Docker.refresh()
		m.Tray.refresh()
	}
	m.feed.onJobs = func() {
		m.Docker.jobs()
		m.Cleanup.jobs()
		m.Rules.jobs()
		m.Verify.jobs()
		m.Shell.jobs()
		m.Tray.refresh()
	}
	m.feed.onUpkeep = func() {
		if m.Shell.State().Page == PageCleanup {
			m.upkeep()
		}
	}
	m.feed.onImages = m.Images.changed
	m.feed.onLocal = m.Docker.Refresh
	m.feed.onTick = func() {
		m.Images.refresh()
		m.Docker.tick()
		m.Cleanup.refresh()
		m.Trash.refresh()
		m.Rules.refresh()
		m.Verify.refresh()
		m.Shell.refresh()
		m.Tray.refresh()
	}
	m.Docker.onChange = func() {
		m.Images.refresh()
		m.Shell.refresh()
		m.Tray.refresh()
	}
	return m
}

// Run follows the service until ctx ends: it looks again at every notice, and
// opens the stream again when it breaks.
func (m *Models) Run(ctx context.Context) {
	m.feed.run(ctx)
}

// Refresh fetches everything again, as F5 does, and forgets no selection.
func (m *Models) Refresh() {
	m.feed.refresh()
	m.Docker.Refresh()
	m.Images.changed("")
	m.feed.onUpkeep()
}

// upkeep fetches what the page Clean up shows.
func (m *Models) upkeep() {
	m.Cleanup.Refresh()
	m.Trash.Refresh()
	m.Rules.Refresh()
	m.Verify.Refresh()
}

// Close cancels what runs and waits for it. Call it after Run has returned.
func (m *Models) Close() { m.tasks.close() }

// env is what every model needs of Options, with the zero values filled in.
type env struct {
	Options
	tasks *tasks
	ids   atomic.Int64
}

func newEnv(o Options) *env {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Copy == nil {
		o.Copy = func(string) error { return nil }
	}
	if o.Notify == nil {
		o.Notify = func(Notification) {}
	}
	for _, f := range []*func(){&o.Raise, &o.Quit, &o.Ended} {
		if *f == nil {
			*f = func() {}
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &env{Options: o, tasks: newTasks(o.Spawn)}
}
