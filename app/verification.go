package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dustin/go-humanize"

	"berth/app/config"
	"berth/app/job"
	"berth/registry"
	"berth/registry/httpd"
	"berth/registry/verify"
)

const (
	// shownFindings is how many findings one reply lists.
	shownFindings = 1000
	// savePace is how often a verification under way is kept.
	savePace = 3 * time.Second
	// resumeAfter is how long after the start a verification goes on that the
	// end of the program cut off: not into the start itself.
	resumeAfter = 5 * time.Second
)

// verifier keeps what the last verification found, and how far the one is that
// is under way.
//
// A verification that a person paused waits for a person. One that the end of
// the program cut off goes on by itself when an instance serves the folder
// again.
type verifier struct {
	resumeAfter time.Duration // 0: the constant; see Core.resumeVerification

	rate    atomic.Int64 // what was asked for; 0: berth.verify.rate
	api     atomic.Pointer[httpd.Server]
	saving  sync.Mutex // one writes the files at a time; taken before mu
	checked atomic.Int64

	mu        sync.Mutex // guards what follows; the disk is never asked under it, but by load
	loaded    bool
	state     VerificationState
	at        verify.Checkpoint
	lookOnly  bool
	ended     time.Time
	complete  bool
	findings  []kept
	most      int // how many are kept; 0: maxFindings
	more      more
	aside     map[registry.Digest]time.Time // when damaged blobs were moved aside
	changed   bool                          // findings or aside, since they were saved
	saved     time.Time
	job       string // of the verification under way; "" for none
	repairing string // of the repair under way
	stop      context.CancelFunc
	closing   bool // the end has begun: what stops now was cut off
	// interrupted: the verification that is paused was cut off by the end of a
	// program; resumes is when it goes on by itself, zero while nobody sees to it.
	interrupted bool
	resumes     time.Time
}

// kept is a finding that stands.
type kept struct {
	ID string `json:"id"`
	verify.Finding
	// Run is the beginning of the verification that saw it last.
	Run time.Time `json:"run"`
}

// Verify starts, or goes on, to look at every byte and every link; see
// [Service]. While one runs it answers with that one, at the rate that is asked
// for now. Errors: verify_running for a Restart while one runs.
func (c *Core) Verify(ctx context.Context, r VerifyRequest) (JobReply, error) {
	if r.Rate > 0 && r.Rate < config.MinRate {
		return JobReply{}, BadRequest(fmt.Errorf("%d bytes a second are too slow to come to an end: at least %d, or -1 for as fast as it goes", r.Rate, config.MinRate))
	}
	reply, began, err := c.beginVerification(ctx, r)
	if began {
		// At once: after a crash nobody must be told of the one before it.
		c.saveVerification()
	}
	return reply, err
}

func (c *Core) beginVerification(ctx context.Context, r VerifyRequest) (_ JobReply, began bool, _ error) {
	v := &c.verifier
	v.mu.Lock()
	defer v.mu.Unlock()
	c.loadVerification()
	if v.job != "" {
		if r.Restart {
			return JobReply{}, false, verifyRunning(v.job)
		}
		if r.Rate != 0 {
			v.rate.Store(r.Rate)
		}
		return JobReply{ID: v.job}, false, nil
	}
	from := v.at
	if r.Restart || v.state != VerifyPaused {
		from = verify.Checkpoint{}
	}
	lookOnly := r.LookOnly || c.readOnly.Load()
	spec := job.Spec{Kind: string(JobVerify), Title: "all blobs and links"}
	reply, err := c.start(c.as(ctx, "verify"), spec, func(ctx context.Context, report func(job.Progress)) (job.Result, error) {
		return job.Result{}, c.verifying(ctx, from, lookOnly, report)
	})
	if err != nil {
		return reply, false, err
	}
	v.rate.Store(r.Rate)
	if from.Started.IsZero() {
		v.more = more{}
	}
	v.job, v.state, v.at, v.lookOnly, v.ended, v.interrupted, v.changed = reply.ID, VerifyRunning, from, lookOnly, time.Time{}, false, true
	if from.Started.IsZero() {
		v.at.Started = time.Now()
	}
	return reply, true, nil
}

func verifyRunning(id string) *Problem {
	return &Problem{
		Code: "verify_running", Severity: severityError, Title: "A verification is under way",
		Text: "It cannot begin anew while it runs.", Fix: "Pause it first, then begin anew:", Command: "berth jobs cancel " + id, Exit: exitConflict,
	}
}

// verifying is the work of the job.
func (c *Core) verifying(ctx context.Context, from verify.Checkpoint, lookOnly bool, report func(job.Progress)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &c.verifier
	v.mu.Lock()
	v.stop = cancel
	if v.closing {
		cancel()
	}
	v.mu.Unlock()
	ended := false
	defer func() {
		if !ended { // it broke: another can begin
			v.mu.Lock()
			v.job, v.stop, v.state = "", nil, VerifyPaused
			v.mu.Unlock()
			c.saveVerification()
		}
	}()
	c.log.Info("verification runs", "from_blob", from.Blob, "look_only", lookOnly)
	o := verify.Options{
		From: from, LookOnly: lookOnly, Optional: optionalChildren(c.cfg.Validation), Busy: c.manners(), Limit: c.verifyRate,
	}
	summary, err := verify.Run(ctx, c.mendable(), o, func(r verify.Report) { c.verified(r, report) })
	ended = true
	return c.verifyEnded(summary, err)
}

// verifyRate is how much is read: it follows the settings.
func (c *Core) verifyRate() int64 {
	for _, rate := range []int64{c.verifier.rate.Load(), int64(c.conf().Berth.Verify.Rate)} {
		if rate != 0 {
			return rate
		}
	}
	return verify.DefaultRate
}

// manners says whether clients need the disk more: requests are being answered
// and bytes move. It looks at most twenty times a second.
func (c *Core) manners() func() bool {
	const pace, still = 50 * time.Millisecond, time.Second
	var looked time.Time
	var busy bool
	return func() bool {
		if time.Since(looked) < pace {
			return busy
		}
		looked, busy = time.Now(), false
		if api := c.verifier.api.Load(); api != nil {
			busy = api.Running() > 0 && api.Quiet() < still
		}
		return busy
	}
}

// verified takes a report of the verification under way.
func (c *Core) verified(r verify.Report, report func(job.Progress)) {
	v := &c.verifier
	v.mu.Lock()
	v.at = r.Checkpoint
	told := r.Found != nil && v.add(*r.Found)
	due := time.Since(v.saved) >= savePace
	v.mu.Unlock()
	if due {
		c.saveVerification()
	}
	if told { // what is only counted is not written down, nor told one by one
		c.log.Warn("verification found something", "kind", r.Found.Kind, "repository", r.Found.Repository, "digest", r.Found.Digest)
		c.notify(Notice{Kind: NoticeUpkeep})
		c.notify(Notice{Kind: NoticeStatus})
	}
	report(job.Progress{Done: min(r.Bytes+r.Now, max(r.TotalBytes, r.Bytes)), Total: r.TotalBytes, Note: verifyNote(r)})
}

// verifyNote says what a verification is at.
func verifyNote(r verify.Report) string {
	switch {
	case r.Phase == verify.Links:
		if r.Repositories == 0 {
			return "looking at links: " + count(r.Links, "link", "links")
		}
		return fmt.Sprintf("looking at links: %s in %s", count(r.Links, "link", "links"), count(r.Repositories, "repository", "repositories"))
	case r.Blobs == 0 && r.Now == 0 && r.Bytes == 0:
		return "counting blobs"
	}
	return fmt.Sprintf("reading blob %s of %s", humanize.Comma(min(r.Blobs+1, max(r.TotalBlobs, 1))), humanize.Comma(r.TotalBlobs))
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(n) + " " + many
}

// verifyEnded notes how a verification ended; err is why it did not come to its
// end.
func (c *Core) verifyEnded(s verify.Summary, err error) error {
	c.mu.Lock()
	closed := c.onceClosed
	c.mu.Unlock()
	v := &c.verifier
	v.mu.Lock()
	v.at, v.job, v.stop = s.Checkpoint, "", nil
	cut := v.closing || closed
	v.state, v.interrupted = VerifyPaused, err != nil && cut
	if err == nil {
		v.state, v.ended, v.complete = VerifyDone, time.Now(), s.Complete
		v.settle()
	}
	n := len(v.findings) + v.more.count()
	v.mu.Unlock()
	c.saveVerification()
	c.log.Info("verification ended", "done", err == nil, "cut_off", err != nil && cut, "blobs", s.Blobs, "bytes", s.Bytes, "findings", n)
	c.notify(Notice{Kind: NoticeUpkeep})
	if err != nil && cut {
		return &Problem{
			Code: "verify_cut", Severity: severityWarning, Title: "The verification was cut off", Text: "Berth ended meanwhile.",
			Fix: "It goes on when Berth runs again.", Exit: exitError,
		}
	}
	return err
}

// pauseVerification stops a verification since the program ends: it is not
// worth waiting for, and goes on at the next start.
func (c *Core) pauseVerification() {
	v := &c.verifier
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closing = true
	if v.stop != nil {
		v.stop()
	}
}

// resumeVerification goes on with what the end of another process cut off.
func (c *Core) resumeVerification(ctx context.Context, api *httpd.Server) {
	v := &c.verifier
	v.api.Store(api)
	wait := v.resumeAfter
	if wait == 0 {
		wait = resumeAfter
	}
	v.mu.Lock()
	if !c.lock.ReadOnly() {
		v.resumes = time.Now().Add(wait)
	}
	v.mu.Unlock()
	c.notify(Notice{Kind: NoticeUpkeep})
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return
	case <-timer.C:
	}
	v.mu.Lock()
	v.resumes = time.Time{}
	c.loadVerification()
	again := v.job == "" && v.interrupted
	request := VerifyRequest{LookOnly: v.lookOnly, Rate: v.rate.Load()}
	v.mu.Unlock()
	if !again || c.lock.ReadOnly() {
		return
	}
	if _, err := c.Verify(ctx, request); err != nil {
		c.log.Warn("a verification that was cut off does not go on", "error", err)
	}
}

// Verification tells of the last verification; see [Service]. What was found is
// looked at again first, if that is quickly done.
func (c *Core) Verification(ctx context.Context, _ VerificationRequest) (Verification, error) {
	c.recheck(ctx)
	v := &c.verifier
	v.mu.Lock()
	defer v.mu.Unlock()
	c.loadVerification()
	out := Verification{
		State: v.state, Job: v.job, Started: v.at.Started, Ended: v.ended,
		Blobs: v.at.Blobs, TotalBlobs: v.at.TotalBlobs, Bytes: v.at.Bytes, TotalBytes: v.at.TotalBytes,
		Links: v.at.Links, Repositories: v.at.Repositories, Complete: v.state == VerifyDone && v.complete,
		Interrupted: v.interrupted, Findings: []Finding{},
	}
	if v.interrupted {
		out.Resumes = v.resumes
	}
	for _, k := range v.findings[:min(len(v.findings), shownFindings)] {
		out.Findings = append(out.Findings, k.row())
	}
	out.Cut = len(v.findings) - len(out.Findings) + v.more.count()
	for st, err := range c.disk.Quarantined(ctx) {
		if err != nil {
			return out, AsProblem(fmt.Errorf("list the quarantine: %w", err))
		}
		out.Quarantined = append(out.Quarantined, Quarantined{Digest: st.Digest.String(), Size: st.Size, At: v.aside[st.Digest]})
	}
	return out, nil
}

// sentence is the text as a sentence: what begins with a name or a digest stays
// as that is written.
func (k kept) sentence() string {
	first, _, _ := strings.Cut(k.Text, " ")
	if strings.Contains(first, ":") || first == k.Repository {
		return k.Text + "."
	}
	return sentence(k.Text)
}

func (k kept) row() Finding {
	f := Finding{
		ID: k.ID, Kind: string(k.Kind), Text: k.sentence(), Repository: k.Repository, Tag: k.Tag, Digest: k.Digest.String(),
		Size: k.Size, Quarantined: k.Quarantined,
	}
	for _, fix := range k.Fixes {
		f.Fixes = append(f.Fixes, Fix(fix))
	}
	return f
}
