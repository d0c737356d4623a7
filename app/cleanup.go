package app

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"berth/app/config"
	"berth/registry/driver"
	"berth/registry/gc"
	"berth/registry/store"
)

// planLife is for how long a plan that was shown can be run. It holds a census,
// which costs pushes a little.
const planLife = 10 * time.Minute

// uploadKeeper is what a clean-up needs of the store beside its contract.
type uploadKeeper interface {
	StaleUploads(ctx context.Context, olderThan time.Time) iter.Seq2[store.Stale, error]
	SetGrace(grace time.Duration)
	Settled() time.Time
	PurgeUpload(ctx context.Context, u store.Stale, olderThan time.Time) (bool, error)
}

// cleaner is what Core remembers of clean-ups.
type cleaner struct {
	uploads uploadKeeper
	past    *history
	// marking has a value while somebody looks for garbage: that takes memory,
	// and the disk, by the size of the registry. Never taken under mu.
	marking chan struct{}

	mu     sync.Mutex // guards what follows
	plan   *heldPlan  // the last one that was shown, or nil
	closed bool
	job    string // of the clean-up under way
	// halt ends it when the registry becomes read-only; nil: it may go on.
	halt   context.CancelCauseFunc
	failed *Problem // why the last one failed that nobody waited for
}

// openCleaner comes after the store in c.closers, since a plan holds on to it.
func (c *Core) openCleaner(uploads uploadKeeper, drv driver.Driver) {
	c.cleaner.uploads, c.cleaner.past = uploads, &history{drv: drv, log: c.log}
	c.cleaner.marking = make(chan struct{}, 1)
	c.onSettings(func(_, is *config.Config) {
		uploads.SetGrace(storeGrace(c.opt, is))
		c.haltCleanup()
	})
	c.closers = append(c.closers, func() error {
		c.cleaner.mu.Lock()
		c.cleaner.closed = true
		c.cleaner.mu.Unlock()
		return c.cleaner.hold(nil)
	})
}

// haltCleanup ends the clean-up under way if the registry is read-only by now.
func (c *Core) haltCleanup() {
	c.cleaner.mu.Lock()
	defer c.cleaner.mu.Unlock()
	if c.cleaner.halt != nil && c.readOnly.Load() {
		c.cleaner.halt(readOnlyProblem())
	}
}

// storeGrace is what store.Options wants: a folder that was opened for one
// command has nobody who was promised anything.
func storeGrace(o Options, cfg *config.Config) time.Duration {
	switch {
	case o.Alone:
		return -1
	case cfg.Berth.Cleanup.Grace <= 0:
		return store.InFlight
	}
	return cfg.Berth.Cleanup.Grace
}

// waitsUntil is from when on something can be freed; zero when that is now.
func (c *Core) waitsUntil() time.Time { return c.cleaner.uploads.Settled() }

// hold keeps a plan instead of the one before, which is closed.
func (cl *cleaner) hold(p *heldPlan) error {
	cl.mu.Lock()
	before := cl.plan
	if cl.plan = p; cl.closed {
		cl.plan = nil
	}
	closed := cl.closed
	cl.mu.Unlock()
	var errs []error
	if before != nil {
		errs = append(errs, before.close())
	}
	if closed && p != nil {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// take gives the plan of an id to whoever carries it out. Errors: a [*Problem].
func (cl *cleaner) take(id string) (*heldPlan, error) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.plan == nil || cl.plan.shown.ID != id {
		return nil, &Problem{
			Code: "plan_gone", Severity: severityError, Title: "That plan is not there any more",
			Text: "A plan can be carried out once, within ten minutes, and only until the next one is made.",
			Fix:  "Look again at what can be freed:", Command: "berth cleanup", Exit: exitConflict,
		}
	}
	p := cl.plan
	cl.plan = nil
	p.timer.Stop()
	return p, nil
}

// expire lets go of a plan that nobody carried out.
func (cl *cleaner) expire(id string) error {
	if p, err := cl.take(id); err == nil {
		return p.close()
	}
	return nil
}

// PlanCleanup finds out what can be freed; see [Service].
func (c *Core) PlanCleanup(ctx context.Context, r PlanCleanupRequest) (CleanupPlan, error) {
	p, err := c.planInTurn(ctx, r, nil)
	if err != nil {
		return CleanupPlan{}, AsProblem(err)
	}
	if err := c.show(p); err != nil {
		return CleanupPlan{}, AsProblem(err)
	}
	return p.shown, nil
}

// planInTurn makes a plan once no other is being made; who waits can leave.
func (c *Core) planInTurn(ctx context.Context, r PlanCleanupRequest, report func(gc.Progress)) (*heldPlan, error) {
	select {
	case c.cleaner.marking <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.cleaner.marking }()
	return c.planCleanup(ctx, r, report)
}

// show keeps a plan for as long as it can be carried out.
func (c *Core) show(p *heldPlan) error {
	id, cl := p.shown.ID, &c.cleaner
	p.timer = time.AfterFunc(planLife, func() {
		if err := cl.expire(id); err != nil {
			c.log.Warn("plan of a clean-up was not let go", "error", err)
		}
	})
	return cl.hold(p)
}

// Cleanups lists past ones; see [Service].
func (c *Core) Cleanups(ctx context.Context, _ CleanupsRequest) (CleanupsReply, error) {
	past, err := c.cleaner.past.list(ctx)
	if err != nil {
		return CleanupsReply{}, AsProblem(err)
	}
	conf := c.conf().Berth.Cleanup
	reply := CleanupsReply{Receipts: past, Schedule: conf.Schedule, Next: c.nextCleanup()}
	if reply.Receipts == nil {
		reply.Receipts = []CleanupReceipt{}
	}
	return reply, nil
}

// cleanupState gives the last clean-up of which it is known what it did, or nil,
// and when the next is due, or the zero time.
func (c *Core) cleanupState() (*CleanupReceipt, time.Time) {
	past, err := c.cleaner.past.list(c.life)
	if err != nil {
		return nil, c.nextCleanup()
	}
	for i := range past {
		if !past[i].Interrupted {
			return &past[i], c.nextCleanup()
		}
	}
	return nil, c.nextCleanup()
}

// nextCleanup is when the schedule is due next.
func (c *Core) nextCleanup() time.Time {
	if c.lock == nil || c.lock.ReadOnly() {
		return time.Time{}
	}
	return nextDue(c.conf().Berth.Cleanup, time.Now())
}

// gcOptions is what a request means.
func (c *Core) gcOptions(r PlanCleanupRequest) (gc.Options, error) {
	conf := c.conf()
	grace := conf.Berth.Cleanup.Grace
	if r.Grace != nil {
		grace = *r.Grace
	}
	if grace < 0 {
		return gc.Options{}, BadRequest(errors.New("the grace is negative"))
	}
	o := gc.Options{
		Grace: grace, Untagged: (conf.Berth.Cleanup.Untagged || r.Untagged) && !r.KeepUntagged,
		Sparse: optionalChildren(c.cfg.Validation),
	}
	if grace == 0 {
		o.Grace = -1
	}
	for _, rule := range conf.Berth.Cleanup.Rules {
		if !rule.Off {
			o.UntaggedAfter = max(o.UntaggedAfter, time.Duration(rule.Untagged))
		}
	}
	o.Uses = c.uses(o.UntaggedAfter > 0)
	return o, nil
}

// largestFirst cuts as well.
func largestFirst[T any](rows []T, compare func(a, b T) int, most int) (kept []T, cut int) {
	slices.SortStableFunc(rows, compare)
	if len(rows) <= most {
		return rows, 0
	}
	return rows[:most:most], len(rows) - most
}
