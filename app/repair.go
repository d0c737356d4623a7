package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"berth/app/job"
	"berth/registry"
	"berth/registry/verify"
)

// Repair starts to mend what was found; see [Service]. One runs at a time.
//
// Nothing is deleted but what is asked for: a dangling tag, which goes to the
// trash where its bytes are on disk, or what lies in the quarantine. Content is taken from a source only if
// it is what its digest says.
func (c *Core) Repair(ctx context.Context, r RepairRequest) (JobReply, error) {
	if c.readOnly.Load() {
		return JobReply{}, c.whyReadOnly()
	}
	where, err := c.repairSource(r.From)
	if err != nil {
		return JobReply{}, err
	}
	if fixes := []Fix{"", FixRefetch, FixRelink, FixRemoveTag}; !slices.Contains(fixes, r.Fix) {
		return JobReply{}, BadRequest(fmt.Errorf("%q is none of: %s, %s, %s", r.Fix, FixRefetch, FixRelink, FixRemoveTag))
	}
	v := &c.verifier
	v.mu.Lock()
	defer v.mu.Unlock()
	c.loadVerification()
	if v.repairing != "" {
		return JobReply{}, &Problem{
			Code: "repair_running", Severity: severityError, Title: "A repair is under way", Text: "One runs at a time.",
			Fix: "Wait for it, or stop it:", Command: "berth jobs cancel " + v.repairing, Exit: exitConflict,
		}
	}
	work := func(ctx context.Context, report func(job.Progress)) (job.Result, error) {
		return c.dropQuarantined(ctx, report)
	}
	spec := job.Spec{Kind: string(JobRepair), Title: "the quarantine"}
	if !r.DropQuarantined {
		plan, err := v.planRepair(r)
		if err != nil {
			return JobReply{}, err
		}
		spec.Title, spec.Source = count(int64(len(plan)), "finding", "findings"), where.name()
		work = func(ctx context.Context, report func(job.Progress)) (job.Result, error) {
			return c.repairing(ctx, plan, where, report)
		}
	}
	reply, err := c.start(c.as(ctx, "repair"), spec, func(ctx context.Context, report func(job.Progress)) (job.Result, error) {
		defer func() {
			v.mu.Lock()
			v.repairing = ""
			v.mu.Unlock()
			c.notify(Notice{Kind: NoticeUpkeep})
			c.notify(Notice{Kind: NoticeImages})
		}()
		return work(ctx, report)
	})
	v.repairing = reply.ID
	return reply, err
}

// mend is a finding and what is done about it.
type mend struct {
	kept
	fix     Fix
	done    bool
	entry   string // of the trash, which brings back what was removed
	problem *Problem
}

// planRepair decides what is done about which findings; it needs verifier.mu.
func (v *verifier) planRepair(r RepairRequest) ([]*mend, error) {
	var plan []*mend
	for _, k := range v.findings {
		m := &mend{kept: k, fix: r.Fix}
		named := slices.Contains(r.Findings, k.ID)
		helps := slices.Contains(k.Fixes, verify.Fix(r.Fix))
		switch {
		case !named && len(r.Findings) > 0:
			continue
		case r.Fix == "":
			m.fix = firstFix(k)
			if !named && m.fix == "" && len(k.Fixes) == 0 {
				continue
			}
		case !helps && !named:
			continue
		case !helps:
			m.problem = noSuchFix(k, r.Fix)
		}
		if m.fix == "" {
			m.problem = noFix(k)
		}
		plan = append(plan, m)
	}
	for _, id := range r.Findings {
		if !slices.ContainsFunc(v.findings, func(k kept) bool { return k.ID == id }) {
			return nil, &Problem{
				Code: "not_found", Severity: severityError, Title: "There is no finding " + id, Text: "It may have been mended meanwhile.",
				Fix: "To see what was found:", Command: "berth verify --status", Exit: exitNotFound,
			}
		}
	}
	return plan, nil
}

// firstFix is what is done when nothing is said: never to remove a tag, nor to
// bring back what somebody may have deleted.
func firstFix(k kept) Fix {
	if len(k.Fixes) == 0 || k.Kind == verify.TagDangling {
		return ""
	}
	return Fix(k.Fixes[0])
}

func noSuchFix(k kept, fix Fix) *Problem {
	return &Problem{
		Code: "fix_useless", Severity: severityError, Title: fmt.Sprintf("“%s” does not help here", fix), Text: k.sentence(),
		Fix: "To let Berth choose:", Command: "berth repair " + k.ID, Exit: exitUsage,
	}
}

// noFix says what a person can do where Berth does nothing by itself.
func noFix(k kept) *Problem {
	p := &Problem{Code: "no_fix", Severity: severityWarning, Title: "That does not mend itself", Text: k.sentence(), Exit: exitError}
	switch {
	case slices.Contains(k.Fixes, verify.Relink):
		p.Code, p.Title = "fix_needed", "A tag that names nothing is for you to decide"
		p.Fix = "Bring back what it names, which is still on disk; or, with --fix 'remove tag', move it to the trash:"
		p.Command = "berth repair " + k.ID + " --fix relink"
	case slices.Contains(k.Fixes, verify.RemoveTag):
		p.Code, p.Title = "fix_needed", "A tag that names nothing is for you to decide"
		p.Fix, p.Command = "Push it again, or remove it:", "berth repair "+k.ID+" --fix 'remove tag'"
	case k.Kind == verify.ManifestUnknown:
		p.Fix = "If nobody needs it, leave it: it harms nothing."
	case k.Kind == verify.Unlisted:
		p.Fix = "Look at the rights of the data folder, and at the health of its disk, then verify again:"
		p.Command = "berth verify --restart"
	default:
		p.Fix = "Push the image again, or leave it: its content is whole."
	}
	return p
}

// repairing is the work of the job. Its error is about the source, and only
// when nothing was mended at all.
func (c *Core) repairing(ctx context.Context, plan []*mend, where source, report func(job.Progress)) (job.Result, error) {
	t := &fetching{report: report, source: where.name()}
	var fetch []*mend
	for _, m := range plan {
		switch {
		case m.problem != nil:
		case c.mendedAlready(ctx, m):
			m.done = true
		case m.fix == FixRefetch:
			t.total += m.Size
			fetch = append(fetch, m)
		default:
			t.tell("mending links")
			m.done, m.problem = c.mendLink(ctx, m)
		}
		if ctx.Err() != nil {
			break
		}
	}
	var err error
	if len(fetch) > 0 && ctx.Err() == nil {
		err = where.fetch(ctx, c, fetch, t)
	}
	t.tell("checking what was mended")
	c.checkMended(ctx, plan)
	result := job.Result{Value: repairsOf(plan)}
	if ctx.Err() != nil {
		return result, ctx.Err()
	}
	if slices.ContainsFunc(plan, func(m *mend) bool { return m.done }) {
		err = nil
	}
	return result, err
}

func repairsOf(plan []*mend) []Repair {
	out := []Repair{}
	for _, m := range plan {
		p := m.problem
		if p == nil && !m.done {
			p = &Problem{Code: "not_tried", Severity: severityError, Title: "It was not tried", Text: "The repair ended before it came to this.", Fix: "Repair again:", Command: "berth repair " + m.ID, Exit: exitError}
		}
		out = append(out, Repair{Finding: m.row(), Problem: p, Entry: m.entry})
	}
	return out
}

// mendedAlready reports whether a finding does not stand any more.
func (c *Core) mendedAlready(ctx context.Context, m *mend) bool {
	still, err := verify.Check(ctx, c.disk, c.checkOptions(), []verify.Finding{m.Finding}, false)
	return err == nil && len(still) == 0
}

func (c *Core) checkOptions() verify.Options {
	return verify.Options{Rate: -1, Optional: optionalChildren(c.cfg.Validation)}
}

// mendLink does what needs no content.
func (c *Core) mendLink(ctx context.Context, m *mend) (done bool, p *Problem) {
	if m.fix == FixRemoveTag {
		return c.removeTag(ctx, m)
	}
	if err := verify.Mend(ctx, c.mendable(), c.reg, m.Finding); err != nil {
		return false, asRepairProblem(m, err)
	}
	return true, nil
}

func asRepairProblem(m *mend, err error) *Problem {
	p := *AsProblem(err)
	if errors.Is(err, registry.ErrManifestUnknown) || errors.Is(err, registry.ErrBlobUnknown) {
		p.Title, p.Fix, p.Command = "What it leads to is not on disk any more", "Fetch it from Docker or another registry:", "berth repair "+m.ID+" --fix refetch"
	}
	return &p
}

// checkMended reads again what was mended, and looks at all other findings:
// what came back for one may be what another missed.
func (c *Core) checkMended(ctx context.Context, plan []*mend) {
	ctx = context.WithoutCancel(ctx) // what was mended must not be told of as broken
	for _, m := range plan {
		if !m.done {
			continue
		}
		still, err := verify.Check(ctx, c.disk, c.checkOptions(), []verify.Finding{m.Finding}, true)
		if err == nil && len(still) == 0 {
			continue
		}
		m.done, m.problem = false, &Problem{
			Code: "still_damaged", Severity: severityError, Title: "It was written, but is still not right", Text: m.sentence(),
			Fix: "The disk may be failing: look at its health, then verify again:", Command: "berth verify --restart", Exit: exitError,
		}
	}
	gone := map[string]bool{}
	for _, m := range plan {
		gone[m.ID] = m.done
	}
	c.forgetFindings(only(gone))
	v := &c.verifier
	v.mu.Lock()
	rest := slices.Clone(v.findings)
	v.mu.Unlock()
	c.reconsider(ctx, rest, false)
}

func only(set map[string]bool) map[string]bool {
	for id, in := range set {
		if !in {
			delete(set, id)
		}
	}
	return set
}

// dropQuarantined frees what lies aside.
func (c *Core) dropQuarantined(ctx context.Context, report func(job.Progress)) (job.Result, error) {
	var total, done int64
	var all []registry.Digest
	for st, err := range c.disk.Quarantined(ctx) {
		if err != nil {
			return job.Result{}, fmt.Errorf("list the quarantine: %w", err)
		}
		total += st.Size
		if !slices.Contains(all, st.Digest) {
			all = append(all, st.Digest)
		}
	}
	for _, d := range all {
		report(job.Progress{Done: done, Total: total, Note: "freeing the quarantine"})
		freed, err := c.mendable().DropQuarantined(ctx, d)
		done += freed
		if err != nil {
			return job.Result{}, fmt.Errorf("drop %s from the quarantine: %w", d, err)
		}
	}
	report(job.Progress{Done: done, Total: total})
	v := &c.verifier
	v.mu.Lock()
	for _, d := range all {
		delete(v.aside, d)
	}
	v.changed = true
	v.mu.Unlock()
	c.saveVerification()
	c.log.Info("the quarantine was emptied", "blobs", len(all), "bytes", done)
	return job.Result{}, nil
}
