package model

import (
	"context"

	"berth/app"
)

// verdicts is the sheet of the preview while it is open.
type verdicts struct {
	known   bool
	reply   app.PreviewRulesReply
	problem *app.Problem
	filter  string
	rule    string
	kept    bool // also what stays
}

// ShowVerdicts opens the sheet that says what would go, and why.
func (m *Rules) ShowVerdicts() {
	m.change(func() { m.verdicts = &verdicts{} })
	m.fetchVerdicts()
}

// ApplyVerdicts closes the sheet, and drops what it said.
func (m *Rules) ApplyVerdicts() {
	m.CloseVerdicts()
	m.applyNow()
}

// CloseVerdicts closes the sheet.
func (m *Rules) CloseVerdicts() { m.change(func() { m.verdicts = nil }) }

// FilterVerdicts keeps tags whose name contains text.
func (m *Rules) FilterVerdicts(text string) {
	m.changeVerdicts(func(v *verdicts) { v.filter = text })
}

// ChooseRule keeps what one rule decided; empty means all.
func (m *Rules) ChooseRule(name string) { m.changeVerdicts(func(v *verdicts) { v.rule = name }) }

// ShowKept shows what stays too, or leaves it out.
func (m *Rules) ShowKept(on bool) { m.changeVerdicts(func(v *verdicts) { v.kept = on }) }

func (m *Rules) changeVerdicts(f func(*verdicts)) {
	m.mu.Lock()
	v := m.verdicts
	if v != nil {
		f(v)
	}
	m.mu.Unlock()
	m.refresh()
	if v != nil {
		m.fetchVerdicts()
	}
}

func (m *Rules) fetchVerdicts() {
	m.tasks.run("verdicts", func(ctx context.Context) {
		m.mu.Lock()
		v := m.verdicts
		if v == nil {
			m.mu.Unlock()
			return
		}
		r := app.PreviewRulesRequest{Verdicts: true, Search: v.filter, Dropped: !v.kept}
		m.mu.Unlock()
		reply, err := m.Service.PreviewRules(ctx, r)
		m.change(func() {
			if ctx.Err() != nil {
				return
			}
			v.problem = m.problemOf(err, "Asking what the rules would do")
			if err == nil {
				v.known, v.reply = true, reply
			}
		})
	})
}

func (m *Rules) verdictsLocked() *VerdictsView {
	s := m.verdicts
	if s == nil {
		return nil
	}
	v := &VerdictsView{Phase: PhaseReady, Filter: s.filter, Rule: s.rule, Dropped: !s.kept}
	switch {
	case s.problem != nil:
		v.Phase, v.Problem = PhaseFailed, s.problem
		return v
	case !s.known:
		v.Phase = PhaseLoading
		return v
	}
	for i, r := range m.reply.Rules {
		v.Rules = append(v.Rules, ruleName(r, i))
	}
	now := m.Now()
	for _, d := range s.reply.Verdicts {
		if s.rule != "" && d.Rule != s.rule {
			continue
		}
		row := VerdictRow{
			Name: d.Repository + ":" + d.Tag, Verdict: "goes", Because: d.Because, Rule: d.Rule, Size: Size(d.Size), Keep: d.Keep,
		}
		if d.Tag == "" {
			row.Name = d.Repository + "@" + ShortDigest(d.Digest)
		}
		row.Tip = row.Name
		if !d.Pushed.IsZero() {
			row.Tip += "\nPushed " + Ago(d.Pushed, now) + ", " + Absolute(d.Pushed, now)
		}
		if !d.Pulled.IsZero() {
			row.Tip += "\nPulled " + Ago(d.Pulled, now) + ", " + Absolute(d.Pulled, now)
		}
		if d.Keep {
			row.Verdict = "stays"
		}
		v.Rows = append(v.Rows, row)
	}
	v.Title = verdictsTitle(s.reply)
	if !s.reply.Indexing {
		v.Warning = emptiedText(s.reply.All)
	}
	v.CanApply = !s.reply.Indexing && m.job == nil && s.reply.All.Tags+s.reply.All.Manifests > 0
	if s.reply.Cut > 0 {
		v.Cut = "and " + Number(s.reply.Cut) + " more: filter to see them"
	}
	switch {
	case len(v.Rows) > 0:
	case s.filter != "" || s.rule != "":
		v.Phase = PhaseNoMatch
	default:
		v.Phase = PhaseEmpty
	}
	return v
}

// emptiedText warns of repositories that would keep no tag: "Every tag of
// acme/old would go, and of 2 more repositories". Empty when there is none.
func emptiedText(p app.RulePreview) string {
	more := p.Emptied - 1
	switch {
	case more < 0:
		return ""
	case more == 0:
		return "Every tag of " + p.Emptying + " would go"
	case more == 1:
		return "Every tag of " + p.Emptying + " would go, and of 1 more repository"
	}
	return "Every tag of " + p.Emptying + " would go, and of " + Number(more) + " more repositories"
}

// verdictsTitle sums a preview up.
func verdictsTitle(r app.PreviewRulesReply) string {
	if r.Indexing {
		return "Figures are still being collected; nothing goes meanwhile"
	}
	if r.All.Tags+r.All.Manifests == 0 {
		return "Nothing would go"
	}
	tags, frees, _ := wouldDelete(r.All, r.Measuring)
	if frees == measuring {
		return tags + " would go to the trash; what that frees is being measured"
	}
	return tags + " would go to the trash, and free " + frees + " once it lets go"
}
