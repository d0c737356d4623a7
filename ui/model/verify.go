package model

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"berth/app"
)

// Verify is the model of the card that looks at every byte, and mends.
type Verify struct {
	Signal
	*env
	feed   *feed
	shell  *Shell
	cached atomic.Pointer[VerifyState]
	look   look

	mu       sync.Mutex // guards what follows
	known    bool
	reply    app.Verification
	problem  *app.Problem
	job      *app.Job // of a verification that runs
	pausing  bool
	repair   *app.Job // of a repair that runs
	stopping bool
	mine     map[string]bool   // repairs that this face started and that still run
	trouble  map[string]string // why the last repair failed, by finding
	confirm  *Confirm          // before what is kept aside goes
}

func newVerify(e *env, f *feed, s *Shell) *Verify {
	m := &Verify{env: e, feed: f, shell: s, mine: map[string]bool{}, trouble: map[string]string{}}
	m.cached.Store(&VerifyState{Phase: PhaseLoading, Progress: -1})
	return m
}

// State gives what to draw. It returns at once.
func (m *Verify) State() VerifyState { return *m.cached.Load() }

// Refresh asks what the last verification found.
func (m *Verify) Refresh() { m.look.at(m.tasks, m.fetch) }

func (m *Verify) fetch(ctx context.Context) {
	r, err := m.Service.Verification(ctx, app.VerificationRequest{})
	if ctx.Err() != nil {
		return
	}
	m.change(func() {
		m.problem = m.problemOf(err, "Asking what the last verification found")
		if err == nil {
			m.known, m.reply = true, r
		}
	})
}

// Act does what the button says: verify, pause, resume, or verify again.
func (m *Verify) Act() {
	m.mu.Lock()
	state := m.stateLocked()
	m.mu.Unlock()
	switch state {
	case app.VerifyRunning:
		m.pause()
	case app.VerifyPaused:
		m.start(false)
	default:
		m.start(true)
	}
}

// Restart begins anew, and forgets where it was paused.
func (m *Verify) Restart() { m.start(true) }

func (m *Verify) start(anew bool) {
	m.begin("Verifying", func(ctx context.Context) (app.JobReply, error) {
		return m.Service.Verify(ctx, app.VerifyRequest{Restart: anew})
	})
}

func (m *Verify) pause() {
	m.mu.Lock()
	id := m.reply.Job
	if m.job != nil {
		id = m.job.ID
	}
	m.pausing = id != ""
	m.mu.Unlock()
	m.refresh()
	if id != "" {
		m.shell.Cancel(id)
	}
}

// begin starts a job, and tells when it could not begin.
func (m *Verify) begin(doing string, start func(context.Context) (app.JobReply, error)) {
	m.tasks.run("", func(ctx context.Context) {
		r, err := start(ctx)
		if err != nil {
			m.shell.failed(m.problemOf(err, doing))
			return
		}
		m.shell.expect(r.ID)
		m.change(func() { m.mine[r.ID] = true })
		m.feed.fetchJobs(ctx)
		m.fetch(ctx)
	})
}

// Repair tries a fix on findings; without findings, the best fix on all. From is
// the address of a registry, or empty for the engine on this machine.
func (m *Verify) Repair(ids []string, fix app.Fix, from string) {
	m.begin("Repairing", func(ctx context.Context) (app.JobReply, error) {
		return m.Service.Repair(ctx, app.RepairRequest{Findings: ids, Fix: fix, From: from})
	})
}

// CheckAddress says what is wrong with the address of a registry as it is typed;
// empty means nothing.
func (m *Verify) CheckAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "An address begins with https:// and a host"
	}
	return ""
}

// StopRepair asks the repair that runs to stop.
func (m *Verify) StopRepair() {
	m.mu.Lock()
	id := ""
	if m.repair != nil {
		id, m.stopping = m.repair.ID, true
	}
	m.mu.Unlock()
	m.refresh()
	if id != "" {
		m.shell.Cancel(id)
	}
}

// jobs takes in how far verifying and repairing are.
func (m *Verify) jobs() {
	jobs, again := m.feed.allJobs(), false
	running := func(kind app.JobKind) *app.Job {
		if j, ok := newestJob(jobs, kind); ok && j.State == app.JobRunning {
			return &j
		}
		return nil
	}
	m.change(func() {
		verify, repair := running(app.JobVerify), running(app.JobRepair)
		again = (verify == nil) != (m.job == nil) || m.repair != nil && repair == nil
		m.job, m.repair = verify, repair
		m.pausing = m.pausing && verify != nil
		m.stopping = m.stopping && repair != nil
		for _, j := range jobs {
			if j.State != app.JobRunning && m.mine[j.ID] {
				delete(m.mine, j.ID)
				m.endedLocked(j)
				again = true
			}
		}
	})
	if again {
		m.Refresh()
	}
}

// endedLocked notes which findings a repair could not mend.
func (m *Verify) endedLocked(j app.Job) {
	for _, r := range j.Repairs {
		delete(m.trouble, r.Finding.ID)
		if r.Problem != nil {
			m.trouble[r.Finding.ID] = troubleText(r.Problem)
		}
	}
}

// troubleText is a problem in one paragraph; a command that its fix announces is
// part of it.
func troubleText(p *app.Problem) string {
	text := strings.TrimRight(p.Error(), ". ")
	switch fix := strings.TrimSpace(p.Fix); {
	case fix == "":
		return text
	case strings.HasSuffix(fix, ":"):
		return text + ". " + fix + " " + p.Command
	default:
		return text + ". " + fix
	}
}

// change runs f under the lock and builds the state again.
func (m *Verify) change(f func()) {
	m.mu.Lock()
	f()
	m.mu.Unlock()
	m.refresh()
}

// refresh builds the state again and says so.
func (m *Verify) refresh() {
	m.mu.Lock()
	m.cached.Store(m.buildLocked())
	m.mu.Unlock()
	m.emit()
}

// stateLocked is how far it is: the job is newer than the last answer.
func (m *Verify) stateLocked() app.VerificationState {
	switch {
	case m.job != nil:
		return app.VerifyRunning
	case m.reply.State == "":
		return app.VerifyNever
	}
	return m.reply.State
}

func (m *Verify) buildLocked() *VerifyState {
	st := &VerifyState{Phase: PhaseReady, Progress: -1, Tone: ToneFaint}
	switch {
	case !m.known && m.problem != nil:
		st.Phase, st.Problem = PhaseFailed, m.problem
		return st
	case !m.known:
		st.Phase = PhaseLoading
		return st
	}
	v := m.reply
	bytes, total := v.Bytes, v.TotalBytes
	switch m.stateLocked() {
	case app.VerifyNever:
		st.Title, st.Text, st.Verb = "Never verified", "Reads every byte again and compares it with its digest, at a polite rate, while everything goes on", "Verify"
	case app.VerifyRunning:
		rate := ""
		if m.job != nil {
			bytes, total, rate = m.job.Done, max(m.job.Total, v.TotalBytes), Rate(m.job.Rate)
		}
		st.Title, st.Verb, st.Tone, st.Progress = "Verifying", "Pause", ToneBusy, Part(bytes, total)
		st.Text = joinDots(Of(bytes, total), rate)
		if m.pausing {
			st.Text = "pausing…"
		}
	case app.VerifyPaused:
		st.Title, st.Verb, st.Again, st.Progress = fmt.Sprintf("Paused at %d%%", Percent(bytes, total)), "Resume", true, Part(bytes, total)
		st.Text = Of(bytes, total) + " read; it goes on where it was"
	default:
		st.Verb = "Verify again"
		st.Title, st.Text, st.Tone, st.Sound = m.doneLocked()
	}
	m.findingsLocked(st)
	return st
}

// doneLocked says what a finished verification found.
func (m *Verify) doneLocked() (title, text string, tone Tone, sound bool) {
	v := m.reply
	when := Ago(v.Ended, m.Now())
	switch n := len(v.Findings) + v.Cut; {
	case n == 1:
		return "1 problem was found", "Looked at " + Numbered(int(v.Blobs), "blob") + " " + when + "; everything else is sound", ToneDanger, false
	case n > 1:
		return Number(n) + " problems were found", "Looked at " + Numbered(int(v.Blobs), "blob") + " " + when + "; everything else is sound", ToneDanger, false
	case !v.Complete:
		return "Not everything could be verified", Numbered(int(v.Blobs), "blob") + " of " + Number(int(v.TotalBlobs)) + " were read " + when + ", and those are sound", ToneWarning, false
	case v.Blobs == 0:
		return "Nothing to verify", "There was nothing on disk " + when, ToneOK, true
	case v.Blobs == 1:
		return "The only blob is verified", "Every byte re-hashed " + when + "; nothing missing, nothing damaged", ToneOK, true
	}
	return "All " + Number(int(v.Blobs)) + " blobs verified", "Every byte re-hashed " + when + "; nothing missing, nothing damaged", ToneOK, true
}

func (m *Verify) findingsLocked(st *VerifyState) {
	v := m.reply
	mendable := 0
	for _, f := range v.Findings {
		row := FindingRow{ID: f.ID, Title: capital(f.Kind), Text: f.Text, Tip: DigestLabel(f.Digest), Fixes: fixItems(f), Trouble: m.trouble[f.ID]}
		if f.Repository != "" {
			row.Image = f.Repository
			if f.Tag != "" {
				row.Image += ":" + f.Tag
			}
		}
		if f.Size > 0 {
			row.Size = Size(f.Size)
		}
		if len(f.Fixes) > 0 && !slices.Contains(f.Fixes, app.FixRemoveTag) { // what names nothing is for a person to decide
			mendable++
		}
		st.Findings = append(st.Findings, row)
	}
	if v.Cut > 0 {
		st.Cut = "and " + Number(v.Cut) + " more"
	}
	if mendable > 1 && m.repair == nil {
		st.RepairAll = "Repair all"
	}
	if n := len(v.Quarantined); n > 0 {
		var size int64
		var names []string
		for _, q := range v.Quarantined {
			size += q.Size
			names = append(names, DigestLabel(q.Digest)+", "+Size(q.Size))
		}
		st.Aside = Numbered(n, "damaged blob") + " kept aside, " + Size(size)
		st.AsideTip = strings.Join(names[:min(n, 12)], "\n")
	}
	st.Confirm = m.confirm
	if m.repair != nil {
		st.Repair = runView(*m.repair, "Repairing", m.stopping)
	}
}

// fixItems are the ways to mend a finding, in words.
func fixItems(f app.Finding) []FixItem {
	var out []FixItem
	for _, x := range f.Fixes {
		switch x {
		case app.FixRelink:
			out = append(out, FixItem{Label: "Repair", Fix: x})
		case app.FixRefetch:
			out = append(out, FixItem{Label: "Repair from Docker", Fix: x}, FixItem{Label: "Repair from a registry…", Fix: x, Ask: true})
		case app.FixRemoveTag:
			out = append(out, FixItem{Label: "Remove tag", Fix: x})
		}
	}
	return slices.Clip(out)
}
