package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"sync"
	"sync/atomic"
	"time"

	"berth/app/config"
	"berth/app/job"
	"berth/app/single"
	"berth/registry"
	"berth/registry/driver"
	"berth/registry/event"
	"berth/registry/httpd"
	"berth/registry/index"
	"berth/registry/metrics"
	"berth/registry/pin"
	"berth/registry/store"
	"berth/registry/trash"
	"berth/registry/verify"
)

// Options of [Open].
type Options struct {
	// Config is required.
	Config *config.Config
	// Logger gets what happens in the background; nil discards.
	Logger *slog.Logger
	// Version is what Status says.
	Version string
	// Control opens the control socket of a data folder; nil means none.
	// Package control has it.
	Control func(data string) (Socket, error)
	// Engines finds container engines; nil means Docker's.
	Engines Engines
	// AccessLog gets a line for each request, unless the configuration is
	// against it; nil means none.
	AccessLog io.Writer
	// Window raises a window that lives in this process; nil means none. It
	// must not block.
	Window func() (raised bool)
	// Alone says that the folder is opened for one command: nobody was promised
	// anything that a clean-up would have to wait for, and nothing is done by
	// itself.
	Alone bool
}

// Core is the product without a face: it implements [Service] over the rooms
// that compose.go puts together. [Open] makes one that answers every method;
// while Run runs, it serves the registry and the control socket as well.
type Core struct {
	opt     Options
	cfg     *config.Config
	live    atomic.Pointer[config.Config] // what holds now; see conf
	log     *slog.Logger
	started time.Time
	tuning  tuning
	pinning sync.RWMutex  // shared by what deletes manifests, alone for a pin that comes
	silence time.Duration // how long the end waits for clients that send nothing
	user    string

	lock     *single.Lock
	reg      registry.Registry // what faces on this machine use
	ix       index.Index
	disk     verify.Store      // the store below everything: what upkeep works on
	roots    []registry.Rooter // what lives although no tag names it
	trash    *trash.Registry   // below the filters: brings back what was deleted
	bin      *trash.Bin
	pins     *pin.Pins
	judge    judge
	reach    reach         // how much the trash's entries reach
	space    driver.Spacer // nil when the storage cannot tell
	uploads  func() int
	beside   func(olderThan time.Time) store.Beside // what lies on the storage beside blobs
	bus      *event.Bus
	marks    marks // on the bus, that are waited for
	verifier verifier
	cleaner  cleaner
	jobs     *job.Runner
	hub      *hub
	engines  Engines
	archive  importer
	handler  func() http.Handler // of /v2
	closers  []func() error      // in the order of opening

	life       context.Context // ends with Close
	end        context.CancelFunc
	background sync.WaitGroup

	compared  <-chan struct{} // closed when the index was compared with the disk; set by Open
	ready     chan struct{}
	quit      chan struct{} // closed, under mu, by the first Stop
	hurry     chan struct{} // closed by the second
	hurryOnce sync.Once
	readOnly  atomic.Bool
	deletes   atomic.Bool
	indexing  atomic.Bool
	engine    chosen // the docker context that was asked for last

	metrics *metrics.Metrics // nil: nobody asked for them
	checks  httpd.Checks
	looks   []httpd.Check

	mu         sync.Mutex // guards what follows
	debugAt    string     // "" while there is no debug server
	address    string     // "" while nothing listens
	listening  []string
	portNotice *Problem
	onceClosed bool
	restless   bool            // somebody awaits the end of what is under way
	lent       map[string]bool // names that running pushes have in engines for now
}

var _ Service = (*Core)(nil)

// importer reads the images of an archive into the registry; an empty repo
// means the names that the archive has.
type importer func(ctx context.Context, path, repo, tag string, report func(job.Progress)) (job.Result, error)

func newCore(o Options) *Core {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Core{
		opt: o, cfg: o.Config, log: o.Logger, started: time.Now(), silence: silence, user: userName(),
		bus: event.NewBus(), hub: newHub(), engines: o.Engines, uploads: func() int { return 0 },
		lent: map[string]bool{}, ready: make(chan struct{}), quit: make(chan struct{}), hurry: make(chan struct{}),
	}
	c.live.Store(o.Config)
	c.life, c.end = context.WithCancel(context.Background())
	c.jobs = job.NewRunner(job.Options{Changed: c.jobChanged})
	c.act(o.Config)
	c.checks.Log, c.checks.Changed = c.log, func() { c.notify(Notice{Kind: NoticeStatus}) }
	return c
}

// conf gives the configuration that holds now: that of the start, with the
// settings that were changed since.
func (c *Core) conf() *config.Config { return c.live.Load() }

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}

// as gives ctx a caller: the user of this machine, unless there is one already.
func (c *Core) as(ctx context.Context, reason string) context.Context {
	caller := registry.CallerFrom(ctx)
	if caller.User == "" && caller.RemoteAddr == "" {
		caller.User, caller.UserAgent = c.user, "berth"
	}
	caller.Reason = reason
	return registry.WithCaller(ctx, caller)
}

// inBackground does something beside the caller, for Close to wait for; false
// when that has begun. It must not be called under Core.mu.
func (c *Core) inBackground(do func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.onceClosed {
		return false
	}
	c.background.Go(do)
	return true
}

// Close ends what runs and lets go of the data folder. Run must have returned.
// A second call does nothing.
func (c *Core) Close() error {
	c.mu.Lock()
	closed := c.onceClosed
	c.onceClosed = true
	c.mu.Unlock()
	if closed {
		return nil
	}
	c.hub.close()
	c.jobs.Close()
	c.end()
	c.background.Wait()
	var errs []error
	for i := len(c.closers) - 1; i >= 0; i-- {
		errs = append(errs, c.closers[i]())
	}
	return errors.Join(errs...)
}

// follow turns events of the registry into notices, and counts pulls, until
// the Core closes.
func (c *Core) follow() {
	events, seen := c.bus.Subscribe(c.life, 1<<14), pulls{}
	c.background.Go(func() {
		for e := range events {
			c.happened(e, seen)
		}
	})
}

func (c *Core) happened(e event.Event, seen pulls) {
	switch {
	case e.Kind == event.Lagged:
		if e.Manifest {
			c.missedPulls()
		}
		c.marks.meet("")
		c.notify(Notice{Kind: NoticeImages})
	case e.Kind == mark:
		c.marks.meet(e.Tag)
	case seen.counts(e):
		err := c.ix.Apply(c.life, index.Pulled{Repository: e.Repository, Tag: e.Tag, Digest: e.Target.Digest, At: e.Time})
		if err != nil && c.life.Err() == nil {
			c.log.Warn("pull was not counted", "repository", e.Repository, "error", err)
		}
		c.notify(Notice{Kind: NoticeImages, Repository: e.Repository})
	case e.Manifest && (e.Kind == event.Push || e.Kind == event.Delete), e.Kind == event.Delete && e.Tag != "":
		c.notify(Notice{Kind: NoticeImages, Repository: e.Repository})
	}
}
