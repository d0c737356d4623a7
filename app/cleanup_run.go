package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"berth/app/job"
	"berth/registry"
	"berth/registry/gc"
)

// RunCleanup frees space; see [Service].
func (c *Core) RunCleanup(ctx context.Context, r RunCleanupRequest) (JobReply, error) {
	ctx = c.as(ctx, "clean-up")
	w := &cleanup{c: c, r: r, by: registry.CallerFrom(ctx).User}
	if r.Plan != "" {
		if err := c.mayClean(r.ReadOnly); err != nil {
			return JobReply{}, err
		}
		p, err := c.cleaner.take(r.Plan)
		if err != nil {
			return JobReply{}, err
		}
		w.plan = p
	} else if _, err := c.gcOptions(w.request()); err != nil {
		return JobReply{}, AsProblem(err)
	}
	return w.start(ctx)
}

// mayClean says why no clean-up can start now. Errors: a [*Problem].
func (c *Core) mayClean(readOnly bool) error {
	if c.lock.ReadOnly() || c.readOnly.Load() && !readOnly {
		p := c.whyReadOnly()
		p.Severity, p.Text = severityError, "Images can be pulled, and nothing can be pushed, deleted or freed."
		return p
	}
	c.cleaner.mu.Lock()
	defer c.cleaner.mu.Unlock()
	if id := c.cleaner.job; id != "" {
		return cleaningProblem(id)
	}
	return nil
}

func cleaningProblem(id string) *Problem {
	return &Problem{
		Code: "cleanup_running", Severity: severityError, Title: "A clean-up is running already",
		Text: "It is job " + id + "; there is one at a time.", Fix: "Wait for its end, or look at it:", Command: "berth jobs", Exit: exitConflict,
	}
}

// cleanup is one clean-up.
type cleanup struct {
	c  *Core
	r  RunCleanupRequest
	by string
	// emptied entries left the trash for it.
	emptied int
	plan    *heldPlan // that was shown; nil: a new one is made
	ends    func(*CleanupReceipt, error)

	receipt CleanupReceipt
}

func (w *cleanup) request() PlanCleanupRequest {
	return PlanCleanupRequest{Grace: w.r.Grace, KeepUntagged: w.r.KeepUntagged, Untagged: w.r.Untagged}
}

// start begins the job, unless there is one. A plan is let go when there is.
func (w *cleanup) start(ctx context.Context) (reply JobReply, err error) {
	cl := &w.c.cleaner
	err = w.c.mayClean(w.r.ReadOnly)
	if err == nil {
		cl.mu.Lock()
		defer cl.mu.Unlock()
		if cl.job != "" {
			err = cleaningProblem(cl.job)
		} else if reply, err = w.c.start(ctx, job.Spec{Kind: string(JobCleanup), Title: "unused data"}, w.run); err == nil {
			cl.job = reply.ID
		}
	}
	if err != nil && w.plan != nil {
		err = errors.Join(err, w.plan.close())
	}
	return reply, err
}

// run is the job. Its receipt is kept however it ends.
func (w *cleanup) run(ctx context.Context, report func(job.Progress)) (job.Result, error) {
	cl := &w.c.cleaner
	ctx, halt := context.WithCancelCause(ctx)
	defer halt(nil)
	cl.mu.Lock()
	w.receipt = CleanupReceipt{Job: cl.job, By: w.by, Emptied: w.emptied, Began: time.Now()}
	if !w.r.ReadOnly {
		cl.halt = halt
	}
	cl.mu.Unlock()
	told := false
	defer func() {
		if told {
			return
		}
		// It panics, and so may what keeps the receipt.
		defer cl.over()
		r := w.receipt.cut()
		r.Problems = append(r.Problems, "the clean-up broke; the log says why")
		w.keep(ctx, r)
	}()
	// On a full disk nothing can be noted, and there room is wanted most.
	if err := cl.past.begin(context.WithoutCancel(ctx), w.receipt); err != nil {
		w.c.log.Warn("that a clean-up begins was not noted", "error", err)
	}
	w.c.haltCleanup() // it may be read-only since it was asked for
	err := w.clean(ctx, report)
	if p, ok := errors.AsType[*Problem](context.Cause(ctx)); ok && err != nil {
		err = p
	}
	r := &w.receipt
	r.Ended, r.Cancelled = time.Now(), ctx.Err() != nil
	if text := ended(err); text != "" {
		r.Problems = append(r.Problems, text)
	}
	w.keep(ctx, *r)
	told = true
	cl.over() // before anybody is told of the end, who may begin the next
	w.c.log.Info("clean-up", "by", r.By, "freed", r.Freed, "blobs", r.Blobs, "manifests", r.Manifests, "uploads", r.Uploads,
		"took", r.Ended.Sub(r.Began).Round(time.Millisecond).String(), "problems", len(r.Problems), "cancelled", r.Cancelled)
	if w.ends != nil {
		w.ends(r, err)
	}
	for _, kind := range []NoticeKind{NoticeUpkeep, NoticeStatus, NoticeImages} {
		w.c.notify(Notice{Kind: kind})
	}
	return job.Result{Value: r}, err
}

// over lets the next clean-up begin.
func (cl *cleaner) over() {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.job, cl.halt = "", nil
}

// keep puts a receipt into the history.
func (w *cleanup) keep(ctx context.Context, r CleanupReceipt) {
	if err := w.c.cleaner.past.add(context.WithoutCancel(ctx), r); err != nil {
		w.c.log.Warn("receipt of a clean-up was not kept", "error", err)
	}
}

func (w *cleanup) clean(ctx context.Context, report func(job.Progress)) error {
	p := w.plan
	if w.r.Rules && len(w.c.conf().Berth.Cleanup.Rules) > 0 {
		dropped, problems, err := w.c.applyRules(ctx, func(done, total int) {
			report(job.Progress{Note: fmt.Sprintf("applying rules, %d of %d", done, total)})
		})
		w.receipt.Dropped, w.receipt.Problems = dropped, append(w.receipt.Problems, problems...)
		if err != nil {
			if p != nil {
				return errors.Join(err, p.close())
			}
			return err
		}
	}
	if p == nil {
		var err error
		p, err = w.c.planInTurn(ctx, w.request(), func(g gc.Progress) { report(job.Progress{Note: planNote(g)}) })
		if err != nil {
			return err
		}
	}
	w.receipt.Problems = append(w.receipt.Problems, p.shown.Problems...)
	return w.execute(ctx, p, report)
}

func planNote(g gc.Progress) string {
	if g.Stage == gc.Marking {
		return fmt.Sprintf("reading links, %d repositories", g.Done)
	}
	return fmt.Sprintf("%s, %d blobs", g.Stage, g.Done)
}

// execute carries a plan out, then lets uploads go, and fills the receipt.
func (w *cleanup) execute(ctx context.Context, p *heldPlan, report func(job.Progress)) error {
	r := &w.receipt
	if !p.waits.IsZero() {
		for _, stays := range p.shown.Stays {
			if stays.Text == w.c.untilText(p.waits) {
				r.Kept = append(r.Kept, stays)
			}
		}
		r.Kept = append(r.Kept, p.notYet()...)
		return errors.Join(w.purge(ctx, p, report), p.close())
	}
	// Execute closes the plan.
	did, err := p.plan.Execute(ctx, func(g gc.Progress) {
		report(job.Progress{Done: g.Freed, Total: p.shown.Frees, Note: string(g.Stage)})
	})
	r.Freed, r.Blobs, r.Manifests, r.Links = did.Freed.Bytes, did.Freed.Blobs, did.Manifests, did.Links
	kept := p.keptReasons(w.c, did)
	for i, problem := range did.Problems {
		if i == maxSaid {
			r.Problems = append(r.Problems, fmt.Sprintf("and %d more", len(did.Problems)-maxSaid))
			break
		}
		r.Problems = append(r.Problems, problem.String())
	}
	var problems []string
	r.Attached, problems = w.c.dropAttached(ctx, p.plan)
	r.Problems = append(r.Problems, problems...)
	if err == nil {
		err = w.purge(ctx, p, report)
	}
	if ctx.Err() != nil {
		kept.add(w.notReached(p, did))
	}
	for _, k := range p.notYet() {
		kept.add(k.Text, k.Count, k.Bytes)
	}
	r.Kept = append(r.Kept, kept.sorted()...)
	return err
}

// notReached gives what of a plan neither went nor was kept.
func (w *cleanup) notReached(p *heldPlan, did gc.Receipt) (why string, count int, bytes int64) {
	r := &w.receipt
	count, bytes = p.shown.Blobs-r.Blobs+p.shown.Uploads-r.Uploads, p.shown.Frees-r.Freed
	for _, stayed := range did.Stayed {
		count, bytes = count-stayed.Blobs, bytes-stayed.Bytes
	}
	for _, upload := range r.Kept {
		count, bytes = count-upload.Count, bytes-upload.Bytes
	}
	return whyNotCleaned, max(count, 0), max(bytes, 0)
}

// purge removes the uploads of the plan that nobody went on with.
func (w *cleanup) purge(ctx context.Context, p *heldPlan, report func(job.Progress)) error {
	var kept tally
	defer func() { w.receipt.Kept = append(w.receipt.Kept, kept...) }()
	for _, u := range p.stale {
		if err := ctx.Err(); err != nil {
			return err
		}
		gone, err := w.c.cleaner.uploads.PurgeUpload(ctx, u, p.cutoff)
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil:
			w.receipt.Problems = append(w.receipt.Problems, err.Error())
		case gone:
			w.receipt.Uploads++
			w.receipt.Freed += u.Size
		default:
			kept.add(whyWrittenNow, 1, u.Size)
		}
		report(job.Progress{Done: w.receipt.Freed, Total: p.shown.Frees, Note: "removing unfinished uploads"})
	}
	return nil
}
