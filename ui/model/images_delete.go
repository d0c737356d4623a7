package model

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"berth/app"
)

// undoMax is how many deletes Ctrl+Z can take back, one after the other.
const undoMax = 50

// undoStep is one delete that can be taken back.
type undoStep struct {
	repo    string
	tags    []string
	entries []string // ids in the trash
	toast   int
}

// Delete moves the checked tags, else the focused one, to the trash. Their rows
// dim at once; the snackbar then offers Undo.
func (m *Images) Delete() {
	m.mu.Lock()
	repo, tags := m.selected, m.targetsLocked()
	m.mu.Unlock()
	m.remove(repo, tags)
}

// DeleteTag moves one tag to the trash, whatever is checked.
func (m *Images) DeleteTag(tag string) {
	m.mu.Lock()
	repo := m.selected
	known := m.table.index(tag) >= 0 && !m.dimmed[repo+":"+tag]
	m.mu.Unlock()
	if known {
		m.remove(repo, []string{tag})
	}
}

func (m *Images) remove(repo string, tags []string) {
	if repo == "" || len(tags) == 0 {
		return
	}
	m.dim(repo, tags, true)
	m.tasks.run("", func(ctx context.Context) { m.removeNow(ctx, repo, tags) })
}

// dim marks rows as on their way out, or lights them again. Without tags it is
// the repository.
func (m *Images) dim(repo string, tags []string, on bool) {
	m.change(func() {
		keys := []string{repo}
		if tags != nil {
			keys = nil
			for _, t := range tags {
				keys = append(keys, repo+":"+t)
			}
		}
		for _, k := range keys {
			if on {
				m.dimmed[k] = true
			} else {
				delete(m.dimmed, k)
			}
		}
	})
}

func (m *Images) removeNow(ctx context.Context, repo string, tags []string) {
	r, err := m.Service.Delete(ctx, app.DeleteRequest{Repository: repo, Tags: tags})
	if err == nil {
		m.deleted(repo, tags, r)
		// The lists must be without the rows before these light up again.
		m.feed.fetchSnapshot(ctx)
		m.reload(ctx, repo)
	} else {
		m.shell.failed(m.problemOf(err, "Deleting "+strings.Join(tags, ", ")))
	}
	m.dim(repo, tags, false)
	m.dim(repo, nil, false)
}

// reload fetches the tags of repo in place, if it is still shown.
func (m *Images) reload(ctx context.Context, repo string) {
	m.mu.Lock()
	mine := m.selected == repo
	m.mu.Unlock()
	if !mine {
		return
	}
	r, err := m.Service.Tags(ctx, app.TagsRequest{Repository: repo})
	m.mu.Lock()
	if err == nil && m.selected == repo {
		m.table.fill(r)
	}
	m.mu.Unlock()
	m.refresh()
	m.inspect()
}

// deleted notes the step for Undo and says what happened.
func (m *Images) deleted(repo string, tags []string, r app.DeleteReply) {
	step := undoStep{repo: repo, tags: tags}
	for _, e := range r.Deleted {
		step.entries = append(step.entries, e.ID)
	}
	t := deletedToast(repo, tags, r)
	first := ""
	if len(step.entries) > 0 {
		first = step.entries[0]
		t.Action, t.Hint = "Undo", "Ctrl Z"
		t.act = func() { m.undoStep(first) }
	}
	id := m.shell.Toast(t)
	m.change(func() {
		for _, tag := range tags {
			delete(m.table.checked, tag)
		}
		if first == "" {
			return
		}
		step.toast = id
		m.undo = append(m.undo, step)
		if len(m.undo) > undoMax {
			m.undo = m.undo[1:]
		}
	})
}

// deletedToast says what went, which tags stay although they name the same
// manifest, and what that frees.
func deletedToast(repo string, tags []string, r app.DeleteReply) Toast {
	t := Toast{Tone: ToneInfo, Lead: "Deleted ", Strong: repo + ":" + tags[0]}
	if r.Gone {
		t.Strong, t.Rest = repo, " with "+Count(len(tags), "tag")
	} else if n := len(tags) - 1; n > 0 {
		t.Strong = tags[0]
		t.Rest = " and " + Count(n, "more")
		if n > 1 {
			t.Rest = strings.TrimSuffix(t.Rest, "s")
		}
	}
	if r.Frees > 0 {
		t.Rest += " — frees " + Size(r.Frees) + " once the trash lets go"
	}
	if len(r.Stay) > 0 {
		names := strings.Join(r.Stay[:min(3, len(r.Stay))], ", ")
		if more := len(r.Stay) - 3; more > 0 {
			names += ", …"
		}
		verb := " stays, with the same digest"
		if len(r.Stay) > 1 {
			verb = " stay, with the same digest"
		}
		t.Rest += ". " + names + verb
	}
	return t
}

// Undo takes the last delete back, as Ctrl+Z does. Without one it says so.
func (m *Images) Undo() {
	m.mu.Lock()
	first := ""
	if n := len(m.undo); n > 0 {
		first = m.undo[n-1].entries[0]
	}
	m.mu.Unlock()
	if first == "" {
		m.shell.Toast(Toast{Tone: ToneInfo, Lead: "Nothing to undo"})
		return
	}
	m.undoStep(first)
}

// undoStep takes back the delete whose first trash entry is first.
func (m *Images) undoStep(first string) {
	m.mu.Lock()
	i := slices.IndexFunc(m.undo, func(s undoStep) bool { return s.entries[0] == first })
	if i < 0 {
		m.mu.Unlock()
		return
	}
	step := m.undo[i]
	m.undo = slices.Delete(m.undo, i, i+1)
	m.mu.Unlock()
	m.shell.Dismiss(step.toast)
	m.tasks.run("", func(ctx context.Context) { m.restore(ctx, step, "") })
}

// restore brings the entries of a step back, under the name as when it is set.
func (m *Images) restore(ctx context.Context, step undoStep, as string) {
	r, err := m.Service.Restore(ctx, app.RestoreRequest{Entries: step.entries, As: as})
	if err != nil {
		m.change(func() { m.undo = append(m.undo, step) })
		m.shell.failed(m.problemOf(err, "Restoring "+cmp.Or(strings.Join(step.tags, ", "), step.repo)))
		return
	}
	if n := len(r.Restored); n > 0 {
		t := Toast{Tone: ToneOK, Lead: "Restored ", Strong: step.repo + ":" + r.Restored[0].Tag}
		if as != "" {
			t.Strong = step.repo + ":" + as
		}
		if e := r.Restored[0]; e.Kind == app.TrashRepository {
			t.Strong, t.Rest = step.repo, " with "+Count(e.Tags, "tag")
		}
		if n > 1 {
			t.Strong, t.Rest = Count(n, "tag"), " of "+step.repo
		}
		m.shell.Toast(t)
	}
	for _, c := range r.Conflicts {
		m.conflict(step, c)
	}
	m.feed.fetchSnapshot(ctx)
	m.SelectRepository(step.repo)
	m.reload(ctx, step.repo)
	if tag := restoredTag(r.Restored); tag != "" && as == "" {
		m.Focus(tag)
	}
}

// conflict offers another name for a tag that names something else meanwhile.
func (m *Images) conflict(step undoStep, c app.Conflict) {
	t := Toast{Tone: ToneWarning, Strong: c.Entry.Tag, Rest: " names another image by now"}
	if c.Suggest != "" {
		t.Action = "Restore as " + c.Suggest
		one := undoStep{repo: step.repo, tags: []string{c.Entry.Tag}, entries: []string{c.Entry.ID}}
		t.act = func() {
			m.tasks.run("", func(ctx context.Context) { m.restore(ctx, one, c.Suggest) })
		}
	}
	m.shell.Toast(t)
}
