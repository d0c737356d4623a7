package model

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"berth/app"
)

// Rules is the model of the card of rules, immutable tags and the schedule, and
// of the sheets that open over it.
type Rules struct {
	Signal
	*env
	feed   *feed
	shell  *Shell
	trash  *Trash
	cached atomic.Pointer[RulesState]
	look   look

	mu       sync.Mutex // guards what follows
	known    bool
	reply    app.RulesReply
	problem  *app.Problem
	counted  bool // preview is of these rules
	preview  app.PreviewRulesReply
	settings map[string]app.Setting
	runs     app.CleanupsReply
	pending  map[int]bool // switches on their way, by row
	job      *app.Job     // of an application that runs
	stopping bool
	edit     *editing
	verdicts *verdicts
}

func newRules(e *env, f *feed, s *Shell, t *Trash) *Rules {
	m := &Rules{env: e, feed: f, shell: s, trash: t, settings: map[string]app.Setting{}, pending: map[int]bool{}}
	m.cached.Store(&RulesState{Phase: PhaseLoading})
	return m
}

// State gives what to draw. It returns at once.
func (m *Rules) State() RulesState { return *m.cached.Load() }

// Refresh asks for the rules, what they would do, and the schedule.
func (m *Rules) Refresh() {
	m.look.at(m.tasks, m.fetch)
}

func (m *Rules) fetch(ctx context.Context) {
	r, err := m.Service.Rules(ctx, app.RulesRequest{})
	if ctx.Err() != nil {
		return
	}
	m.change(func() {
		m.problem = m.problemOf(err, "Reading the rules")
		if err == nil {
			m.known, m.reply = true, r
		}
	})
	if s, err := m.Service.Settings(ctx, app.SettingsRequest{}); err == nil {
		m.change(func() { m.settledLocked(s) })
	}
	if c, err := m.Service.Cleanups(ctx, app.CleanupsRequest{}); err == nil {
		m.change(func() { m.runs = c })
	}
	if p, err := m.Service.PreviewRules(ctx, app.PreviewRulesRequest{}); err == nil {
		m.change(func() { m.counted, m.preview = true, p })
	}
	m.mu.Lock()
	open := m.verdicts != nil
	m.mu.Unlock()
	if open {
		m.fetchVerdicts()
	}
}

func (m *Rules) settledLocked(r app.SettingsReply) {
	clear(m.settings)
	for _, s := range r.Settings {
		if strings.HasPrefix(s.Key, scheduleKeys) {
			m.settings[s.Key] = s
		}
	}
}

// Switch turns a rule on or off; it acts at once.
func (m *Rules) Switch(i int) {
	m.mu.Lock()
	if i < 0 || i >= len(m.reply.Rules) || m.reply.Locked != "" || m.pending[i] {
		m.mu.Unlock()
		return
	}
	list := slices.Clone(m.reply.Rules)
	list[i].Off = !list[i].Off
	m.reply.Rules, m.pending[i] = list, true
	m.mu.Unlock()
	m.refresh()
	m.tasks.run("", func(ctx context.Context) {
		m.set(ctx, list, "Switching the rule")
		m.change(func() { delete(m.pending, i) })
	})
}

// set replaces the rules, and says whether that went well.
func (m *Rules) set(ctx context.Context, list []app.Rule, doing string) bool {
	r, err := m.Service.SetRules(ctx, app.SetRulesRequest{Rules: &list})
	if err != nil {
		m.shell.failed(m.problemOf(err, doing))
		m.Refresh()
		return false
	}
	m.change(func() { m.reply = r })
	m.Refresh()
	return true
}

// Delete removes a rule; the snackbar offers to undo it.
func (m *Rules) Delete(i int) {
	m.mu.Lock()
	if i < 0 || i >= len(m.reply.Rules) || m.reply.Locked != "" {
		m.mu.Unlock()
		return
	}
	gone := m.reply.Rules[i]
	list := slices.Delete(slices.Clone(m.reply.Rules), i, i+1)
	m.mu.Unlock()
	m.tasks.run("", func(ctx context.Context) {
		if !m.set(ctx, list, "Deleting the rule") {
			return
		}
		m.shell.Toast(Toast{
			Tone: ToneInfo, Lead: "Deleted the rule ", Strong: ruleApplies(gone.Repositories, gone.Tags, gone.Except),
			Action: "Undo", Hint: "Ctrl Z", act: func() { m.insert(i, gone) },
		})
	})
}

func (m *Rules) insert(i int, r app.Rule) {
	m.mu.Lock()
	list := slices.Insert(slices.Clone(m.reply.Rules), min(i, len(m.reply.Rules)), r)
	m.mu.Unlock()
	m.tasks.run("", func(ctx context.Context) { m.set(ctx, list, "Adding the rule") })
}

// DeleteImmutable removes a pattern; the snackbar offers to undo it.
func (m *Rules) DeleteImmutable(i int) {
	m.mu.Lock()
	if i < 0 || i >= len(m.reply.Immutable) || m.reply.ImmutableLocked != "" {
		m.mu.Unlock()
		return
	}
	was := slices.Clone(m.reply.Immutable)
	m.mu.Unlock()
	gone := was[i]
	list := slices.Delete(slices.Clone(was), i, i+1)
	m.tasks.run("", func(ctx context.Context) {
		if m.setImmutable(ctx, list) {
			m.shell.Toast(Toast{
				Tone: ToneInfo, Strong: ruleApplies(gone.Repositories, gone.Tags, gone.Except), Rest: " can be moved and deleted again",
				Action: "Undo", Hint: "Ctrl Z", act: func() {
					m.tasks.run("", func(ctx context.Context) { m.setImmutable(ctx, was) })
				},
			})
		}
	})
}

func (m *Rules) setImmutable(ctx context.Context, list []app.ImmutableRule) bool {
	r, err := m.Service.SetRules(ctx, app.SetRulesRequest{Immutable: &list})
	if err != nil {
		m.shell.failed(m.problemOf(err, "Changing immutable tags"))
		return false
	}
	m.change(func() { m.reply = r })
	m.feed.onImages("") // their signs
	return true
}

// Apply drops what the rules say, into the trash. When a repository would keep
// no tag, it opens the preview, which warns of that, and asks again.
func (m *Rules) Apply() {
	m.mu.Lock()
	asks := m.counted && m.preview.All.Emptied > 0
	m.mu.Unlock()
	if asks {
		m.ShowVerdicts()
		return
	}
	m.applyNow()
}

func (m *Rules) applyNow() {
	m.mu.Lock()
	busy := m.job != nil
	m.mu.Unlock()
	if busy {
		return
	}
	m.tasks.run("apply", func(ctx context.Context) {
		r, err := m.Service.ApplyRules(ctx, app.ApplyRulesRequest{})
		if err != nil {
			m.shell.failed(m.problemOf(err, "Applying the rules"))
			return
		}
		m.shell.expect(r.ID)
		m.feed.fetchJobs(ctx)
	})
}

// Cancel asks the application that runs to stop.
func (m *Rules) Cancel() {
	m.mu.Lock()
	id := ""
	if m.job != nil {
		id, m.stopping = m.job.ID, true
	}
	m.mu.Unlock()
	m.refresh()
	if id != "" {
		m.shell.Cancel(id)
	}
}

// undoApplied brings back what an application of the rules sent to the trash.
func (m *Rules) undoApplied(j app.Job) {
	m.tasks.run("", func(ctx context.Context) {
		t, err := m.Service.Trash(ctx, app.TrashRequest{})
		if err != nil {
			m.shell.failed(m.problemOf(err, "Listing the trash"))
			return
		}
		var ids []string
		for _, e := range t.Entries {
			if strings.HasPrefix(e.Why, "rule") && !e.At.Before(j.Started) && !e.At.After(j.Ended) {
				ids = append(ids, e.ID)
			}
		}
		if len(ids) == 0 {
			m.shell.Toast(Toast{Tone: ToneInfo, Lead: "Nothing of it is in the trash any more"})
			return
		}
		m.trash.restore(app.RestoreRequest{Entries: ids}, ids)
	})
}

// jobs takes in how far the application of the rules is.
func (m *Rules) jobs() {
	ended := false
	m.change(func() {
		j, ok := newestJob(m.feed.allJobs(), app.JobRules)
		ended = m.job != nil && (!ok || j.State != app.JobRunning)
		m.job = nil
		if ok && j.State == app.JobRunning {
			m.job = &j
		}
		m.stopping = m.stopping && m.job != nil
	})
	if ended {
		m.Refresh()
	}
}

// Escape closes the sheet that is open, and says whether one was.
func (m *Rules) Escape() bool {
	st := m.State()
	switch {
	case st.Editor != nil:
		m.CloseEditor()
	case st.Verdicts != nil:
		m.CloseVerdicts()
	default:
		return false
	}
	return true
}

// change runs f under the lock and builds the state again.
func (m *Rules) change(f func()) {
	m.mu.Lock()
	f()
	m.mu.Unlock()
	m.refresh()
}

// refresh builds the state again and says so.
func (m *Rules) refresh() {
	m.mu.Lock()
	m.cached.Store(m.buildLocked())
	m.mu.Unlock()
	m.emit()
}

func (m *Rules) buildLocked() *RulesState {
	st := &RulesState{Phase: PhaseReady, Locked: m.reply.Locked, ImmutableLocked: m.reply.ImmutableLocked}
	st.Editor, st.Verdicts = m.editorLocked(), m.verdictsLocked()
	switch {
	case !m.known && m.problem != nil:
		st.Phase, st.Problem = PhaseFailed, m.problem
		return st
	case !m.known:
		st.Phase = PhaseLoading
		return st
	case len(m.reply.Rules) == 0:
		st.Phase = PhaseEmpty
	}
	counted := m.counted && len(m.preview.Rules) == len(m.reply.Rules)
	for i, r := range m.reply.Rules {
		row := RuleRow{Applies: ruleApplies(r.Repositories, r.Tags, r.Except), Keep: ruleKeep(r), On: !r.Off, Tags: "…", None: true}
		if counted {
			row.Tags, row.Frees, row.None = wouldDelete(m.preview.Rules[i], m.preview.Measuring)
		}
		row.Tip = ruleTitle(r, i) + "\n" + ruleSentence(r)
		st.Rows = append(st.Rows, row)
	}
	st.Preview = "Preview"
	if counted {
		if n := m.preview.All.Tags + m.preview.All.Manifests; n > 0 {
			st.Preview, st.CanApply = "Preview "+Numbered(n, "tag"), true
		}
		if m.preview.Indexing {
			st.Note, st.CanApply = "Figures are still being collected; nothing goes meanwhile", false
		} else {
			st.Warning = emptiedText(m.preview.All)
		}
	}
	for i, r := range m.reply.Immutable {
		name := r.Name
		if name == "" {
			name = "pattern " + Number(i+1)
		}
		st.Immutable = append(st.Immutable, ImmutableRow{Text: ruleApplies(r.Repositories, r.Tags, r.Except), Tip: capital(name) + ": these tags cannot be moved or deleted"})
	}
	if m.job != nil {
		st.Apply, st.CanApply = runView(*m.job, "Applying the rules", m.stopping), false
	}
	st.Next = NextRun(m.runs.Schedule, m.runs.Next, m.Now())
	st.Schedule = m.scheduleLocked()
	return st
}

// measuring stands for a figure that is not known yet.
const measuring = "measuring…"

// wouldDelete are the cells of a rule: what it alone would drop. While figures
// are measured, one of before stays; what is not known at all is said so.
func wouldDelete(p app.RulePreview, unsure bool) (tags, frees string, none bool) {
	if p.Tags+p.Manifests == 0 {
		return "0", "–", true
	}
	tags = Numbered(p.Tags, "tag")
	if p.Tags == 0 {
		tags = Numbered(p.Manifests, "untagged")
		tags = strings.TrimSuffix(tags, "s")
	}
	if unsure && p.Frees == 0 {
		return tags, measuring, false
	}
	return tags, Size(p.Frees), false
}
