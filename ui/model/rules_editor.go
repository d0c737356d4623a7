package model

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"berth/app"
)

// typing is how long after the last key a draft is counted.
const typing = 200 * time.Millisecond

// editing is a rule, or a pattern of immutable tags, that is being written.
type editing struct {
	row       int // -1 for a new one
	immutable bool
	was       app.Rule
	values    map[RuleField]string
	counted   bool
	would     app.RulePreview
	indexing  bool
	measuring bool // figures of would are not exact yet
	problem   *app.Problem
	saving    bool
}

// draft is what is written, and what is wrong with it.
func (e *editing) draft() (app.Rule, map[RuleField]string) { return ruleOf(e.was, e.values) }

// Add opens the editor for a new rule.
func (m *Rules) Add() {
	m.open(&editing{row: -1, values: valuesOf(app.Rule{Newest: 5, Younger: "7d"})})
}

// Edit opens the editor for a rule.
func (m *Rules) Edit(i int) {
	m.mu.Lock()
	ok := i >= 0 && i < len(m.reply.Rules) && m.reply.Locked == ""
	var was app.Rule
	if ok {
		was = m.reply.Rules[i]
	}
	m.mu.Unlock()
	if ok {
		m.open(&editing{row: i, was: was, values: valuesOf(was)})
	}
}

// AddImmutable opens the editor for a new pattern of immutable tags.
func (m *Rules) AddImmutable() {
	m.open(&editing{row: -1, immutable: true, values: map[RuleField]string{}})
}

// EditImmutable opens the editor for a pattern of immutable tags.
func (m *Rules) EditImmutable(i int) {
	m.mu.Lock()
	ok := i >= 0 && i < len(m.reply.Immutable) && m.reply.ImmutableLocked == ""
	var was app.Rule
	if ok {
		r := m.reply.Immutable[i]
		was = app.Rule{Name: r.Name, Repositories: r.Repositories, Tags: r.Tags, Except: r.Except}
	}
	m.mu.Unlock()
	if ok {
		m.open(&editing{row: i, immutable: true, was: was, values: valuesOf(was)})
	}
}

func (m *Rules) open(e *editing) {
	m.change(func() { m.edit = e })
	m.count(e)
}

// SetField changes a field of the editor; what the draft would do is counted
// anew.
func (m *Rules) SetField(f RuleField, text string) {
	m.mu.Lock()
	e := m.edit
	if e == nil || e.values[f] == text {
		m.mu.Unlock()
		return
	}
	e.values = maps.Clone(e.values)
	e.values[f] = text
	e.counted, e.problem = false, nil
	m.mu.Unlock()
	m.refresh()
	m.count(e)
}

// count asks what the draft would do.
func (m *Rules) count(e *editing) {
	if e.immutable {
		return
	}
	m.tasks.run("draft", func(ctx context.Context) {
		if m.Spawn == nil && !rest(ctx, typing) {
			return
		}
		m.mu.Lock()
		r, wrong := e.draft()
		list, at := m.withLocked(e, r)
		m.mu.Unlock()
		if len(wrong) > 0 {
			return
		}
		if m.countOnce(ctx, e, at, app.PreviewRulesRequest{Rules: &list}) {
			m.countOnce(ctx, e, at, app.PreviewRulesRequest{Rules: &list, Measured: true})
		}
	})
}

// countOnce takes one answer in, and says whether a figure of it is not exact
// yet.
func (m *Rules) countOnce(ctx context.Context, e *editing, at int, r app.PreviewRulesRequest) (unsure bool) {
	p, err := m.Service.PreviewRules(ctx, r)
	m.change(func() {
		if m.edit != e || ctx.Err() != nil {
			return
		}
		e.problem = m.problemOf(err, "Counting what the rule would delete")
		if err == nil && at < len(p.Rules) {
			e.counted, e.would, e.indexing, e.measuring = true, p.Rules[at], p.Indexing, p.Measuring
			unsure = p.Measuring
		}
	})
	return unsure
}

// withLocked is the list of rules with the draft in its place, and that place.
func (m *Rules) withLocked(e *editing, r app.Rule) ([]app.Rule, int) {
	list := slices.Clone(m.reply.Rules)
	if e.row < 0 || e.row >= len(list) {
		return append(list, r), len(list)
	}
	list[e.row] = r
	return list, e.row
}

// CloseEditor forgets the draft.
func (m *Rules) CloseEditor() { m.change(func() { m.edit = nil }) }

// Save puts the draft into effect, and closes the editor when that went well.
func (m *Rules) Save() {
	m.mu.Lock()
	e := m.edit
	if e == nil || e.saving {
		m.mu.Unlock()
		return
	}
	r, wrong := e.draft()
	if len(wrong) > 0 || e.immutable && len(r.Repositories)+len(r.Tags) == 0 {
		m.mu.Unlock()
		return
	}
	request := app.SetRulesRequest{}
	if e.immutable {
		list := slices.Clone(m.reply.Immutable)
		i := app.ImmutableRule{Name: r.Name, Repositories: r.Repositories, Tags: r.Tags, Except: r.Except}
		if e.row < 0 || e.row >= len(list) {
			list = append(list, i)
		} else {
			list[e.row] = i
		}
		request.Immutable = &list
	} else {
		list, _ := m.withLocked(e, r)
		request.Rules = &list
	}
	e.saving = true
	m.mu.Unlock()
	m.refresh()
	m.tasks.run("", func(ctx context.Context) {
		reply, err := m.Service.SetRules(ctx, request)
		m.change(func() {
			e.saving = false
			if err != nil {
				e.problem = m.problemOf(err, "Saving the rule")
				return
			}
			m.reply = reply
			if m.edit == e {
				m.edit = nil
			}
		})
		m.Refresh()
		m.feed.onImages("")
	})
}

// DeleteEdited deletes what the editor shows, and closes it.
func (m *Rules) DeleteEdited() {
	m.mu.Lock()
	e := m.edit
	m.edit = nil
	m.mu.Unlock()
	m.refresh()
	switch {
	case e == nil || e.row < 0:
	case e.immutable:
		m.DeleteImmutable(e.row)
	default:
		m.Delete(e.row)
	}
}

func (m *Rules) editorLocked() *RuleEditor {
	e := m.edit
	if e == nil {
		return nil
	}
	r, wrong := e.draft()
	v := &RuleEditor{
		Immutable: e.immutable, New: e.row < 0, Values: e.values, Wrong: wrong, Problem: e.problem,
		CanSave: len(wrong) == 0 && e.problem == nil && !e.saving,
	}
	if e.immutable {
		v.Title = map[bool]string{true: "Immutable tags", false: "Edit immutable tags"}[v.New]
		v.Words = "Nobody can move or delete " + spokenTags(r) + "; the same image can be pushed again"
		v.CanSave = v.CanSave && len(r.Repositories)+len(r.Tags) > 0
		if len(r.Repositories)+len(r.Tags) == 0 {
			v.Words = "Say which repositories or tags"
		}
		return v
	}
	v.Title = map[bool]string{true: "Add a rule", false: "Edit the rule"}[v.New]
	v.Words = ruleSentence(r)
	switch {
	case len(wrong) > 0 || e.problem != nil:
		v.Would = ""
	case e.indexing:
		v.Would = "figures are still being collected"
	case !e.counted:
		v.Would = "counting…"
	default:
		v.Would, v.Warning = wouldText(e.would, e.measuring), emptiedText(e.would)
	}
	v.Harmless = !e.counted || e.would.Tags+e.would.Manifests == 0
	return v
}

// wouldText is «would delete 31 tags, 284 MB».
func wouldText(p app.RulePreview, unsure bool) string {
	tags, frees, none := wouldDelete(p, unsure)
	if none {
		return "would delete nothing now"
	}
	if p.Tags > 0 && p.Manifests > 0 {
		tags = fmt.Sprintf("%s and %s without a tag", tags, cmp.Or(Number(p.Manifests), "0"))
	}
	return "would delete " + tags + ", " + frees
}
