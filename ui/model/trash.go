package model

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"berth/app"
)

// Trash is the model of the card of what can be restored. Marks and focus are
// held by id, so that they survive every refresh.
type Trash struct {
	Signal
	*env
	feed   *feed
	shell  *Shell
	cached atomic.Pointer[TrashState]
	look   look

	mu      sync.Mutex // guards what follows
	known   bool
	reply   app.TrashReply
	problem *app.Problem
	checked map[string]bool
	dimmed  map[string]bool
	taken   map[string]string // the name that is free, by the id of a conflict
	focus   string
	confirm *Confirm
	doomed  []string // what Confirm is about; nil means everything
}

func newTrash(e *env, f *feed, s *Shell) *Trash {
	m := &Trash{env: e, feed: f, shell: s, checked: map[string]bool{}, dimmed: map[string]bool{}, taken: map[string]string{}}
	m.cached.Store(&TrashState{Phase: PhaseLoading, Focus: -1})
	return m
}

// State gives what to draw. It returns at once.
func (m *Trash) State() TrashState { return *m.cached.Load() }

// Refresh lists the trash again.
func (m *Trash) Refresh() { m.look.at(m.tasks, m.fetch) }

func (m *Trash) fetch(ctx context.Context) {
	r, err := m.Service.Trash(ctx, app.TrashRequest{})
	if ctx.Err() != nil {
		return
	}
	m.change(func() {
		m.problem = m.problemOf(err, "Listing the trash")
		if err != nil {
			return
		}
		at := m.indexLocked(m.focus)
		m.known, m.reply = true, r
		gone := func(id string) bool { return m.indexLocked(id) < 0 }
		maps.DeleteFunc(m.checked, func(id string, _ bool) bool { return gone(id) })
		maps.DeleteFunc(m.taken, func(id, _ string) bool { return gone(id) })
		if gone(m.focus) {
			m.focus = ""
			if at >= 0 && len(r.Entries) > 0 {
				m.focus = r.Entries[min(at, len(r.Entries)-1)].ID
			}
		}
	})
}

func (m *Trash) indexLocked(id string) int {
	if id == "" {
		return -1
	}
	return slices.IndexFunc(m.reply.Entries, func(e app.TrashEntry) bool { return e.ID == id })
}

// Focus puts the focus on an entry.
func (m *Trash) Focus(id string) { m.change(func() { m.focus = id }) }

// MoveFocus puts the focus by rows further down; far moves stop at the ends.
func (m *Trash) MoveFocus(by int) {
	m.change(func() {
		if n := len(m.reply.Entries); n > 0 {
			m.focus = m.reply.Entries[min(max(m.indexLocked(m.focus)+by, 0), n-1)].ID
		}
	})
}

// Toggle marks or unmarks an entry.
func (m *Trash) Toggle(id string) {
	m.change(func() {
		switch {
		case m.checked[id]:
			delete(m.checked, id)
		case m.indexLocked(id) >= 0 && !m.dimmed[id]:
			m.checked[id] = true
		}
		m.focus = id
	})
}

// SelectAll marks everything; again unmarks it.
func (m *Trash) SelectAll() {
	m.change(func() {
		if len(m.checked) == len(m.reply.Entries) {
			clear(m.checked)
			return
		}
		for _, e := range m.reply.Entries {
			m.checked[e.ID] = true
		}
	})
}

// ClearSelection unmarks everything, and says whether anything was marked.
func (m *Trash) ClearSelection() bool {
	had := false
	m.change(func() {
		had = len(m.checked) > 0
		clear(m.checked)
	})
	return had
}

// Restore brings one entry back; one whose tag is taken comes back under the
// name that was offered.
func (m *Trash) Restore(id string) {
	m.mu.Lock()
	as := m.taken[id]
	m.mu.Unlock()
	m.restore(app.RestoreRequest{Entries: []string{id}, As: as}, []string{id})
}

// RestoreAs brings one entry back under another tag.
func (m *Trash) RestoreAs(id, tag string) {
	m.restore(app.RestoreRequest{Entries: []string{id}, As: tag}, []string{id})
}

// RestoreChecked brings the marked entries back, else the focused one.
func (m *Trash) RestoreChecked() {
	m.mu.Lock()
	ids := m.checkedLocked()
	if len(ids) == 0 && m.indexLocked(m.focus) >= 0 {
		ids = []string{m.focus}
	}
	m.mu.Unlock()
	switch len(ids) {
	case 0:
	case 1:
		m.Restore(ids[0])
	default:
		m.restore(app.RestoreRequest{Entries: ids}, ids)
	}
}

// RestoreAll brings everything back, the newest of each name.
func (m *Trash) RestoreAll() {
	m.mu.Lock()
	ids := m.allLocked()
	m.mu.Unlock()
	if len(ids) > 0 {
		m.restore(app.RestoreRequest{All: true}, ids)
	}
}

func (m *Trash) allLocked() []string {
	var ids []string
	for _, e := range m.reply.Entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func (m *Trash) checkedLocked() []string {
	return slices.DeleteFunc(m.allLocked(), func(id string) bool { return !m.checked[id] || m.dimmed[id] })
}

func (m *Trash) dim(ids []string, on bool) {
	m.change(func() {
		for _, id := range ids {
			delete(m.dimmed, id)
			if on {
				m.dimmed[id] = true
			}
		}
	})
}

func (m *Trash) restore(r app.RestoreRequest, ids []string) {
	m.dim(ids, true)
	m.tasks.run("", func(ctx context.Context) {
		reply, err := m.Service.Restore(ctx, r)
		if err != nil {
			m.shell.failed(m.problemOf(err, "Restoring"))
		}
		if n := len(reply.Restored); n > 0 {
			m.shell.Toast(restoredToast(reply.Restored, r.As))
		}
		m.notRestored(reply)
		m.change(func() {
			for _, e := range reply.Restored {
				delete(m.checked, e.ID)
			}
			for _, c := range reply.Conflicts {
				m.taken[c.Entry.ID] = c.Suggest
			}
		})
		m.conflicts(reply.Conflicts)
		m.fetch(ctx)
		m.dim(ids, false)
		m.feed.fetchSnapshot(ctx)
	})
}

// notRestored says what did not come back, other than conflicts.
func (m *Trash) notRestored(reply app.RestoreReply) {
	if n := len(reply.Failed); n > 0 {
		m.shell.failed(m.problemOf(reply.Failed[0].Problem, "Restoring "+entryName(reply.Failed[0].Entry)))
		if n > 1 {
			m.shell.Toast(Toast{Tone: ToneWarning, Lead: capital(numberedThing(n)) + " could not be restored, and are still in the trash"})
		}
	}
	switch n := len(reply.Gone); {
	case n == 1:
		m.shell.Toast(Toast{Tone: ToneWarning, Strong: entryName(reply.Gone[0]), Rest: " is not in the trash any more"})
	case n > 1:
		m.shell.Toast(Toast{Tone: ToneWarning, Lead: capital(numberedThing(n)) + " are not in the trash any more"})
	}
}

// restoredToast says what is back.
func restoredToast(list []app.TrashEntry, as string) Toast {
	e := list[0]
	t := Toast{Tone: ToneOK, Lead: "Restored ", Strong: entryName(e)}
	switch {
	case len(list) > 1:
		t.Strong, t.Rest = entryName(e), fmt.Sprintf(" and %d more", len(list)-1)
	case e.Kind == app.TrashRepository:
		t.Rest = " with " + Count(e.Tags, "tag")
	case as != "":
		t.Strong = e.Repository + ":" + as
	}
	return t
}

// conflicts offers another name for what is taken.
func (m *Trash) conflicts(list []app.Conflict) {
	switch len(list) {
	case 0:
		return
	case 1:
		c := list[0]
		t := Toast{Tone: ToneWarning, Strong: entryName(c.Entry), Rest: " names another image by now"}
		if c.Suggest != "" {
			t.Action, t.act = "Restore as "+c.Suggest, func() { m.Restore(c.Entry.ID) }
		}
		m.shell.Toast(t)
	default:
		m.shell.Toast(Toast{Tone: ToneWarning, Lead: Count(len(list), "tag") + " name other images by now; each can be restored under another name"})
	}
}

// AskEmpty asks before the marked entries, or without marks all, go for good.
func (m *Trash) AskEmpty() {
	m.mu.Lock()
	ids := m.checkedLocked()
	n := len(m.reply.Entries)
	m.mu.Unlock()
	if n == 0 {
		return
	}
	m.tasks.run("empty", func(ctx context.Context) {
		r, err := m.Service.EmptyTrash(ctx, app.EmptyTrashRequest{Entries: ids, DryRun: true})
		if err != nil {
			m.shell.failed(m.problemOf(err, "Emptying the trash"))
			return
		}
		c := &Confirm{Title: "Empty the trash?", Verb: "Empty trash"}
		what := capital(numberedThing(r.Gone)) + " can then not be restored any more."
		if len(ids) > 0 {
			c.Title, c.Verb = "Delete "+numberedThing(len(ids))+" for good?", "Delete for good"
			what = "They can then not be restored any more."
			if len(ids) == 1 {
				what = "It can then not be restored any more."
			}
		}
		c.Text = "This cannot be undone. " + what + freedLater(r)
		m.change(func() { m.confirm, m.doomed = c, ids })
	})
}

// freedLater says what comes of it on the disk.
func freedLater(r app.EmptyTrashReply) string {
	switch {
	case r.Frees == 0:
		return ""
	case r.Why != "":
		return " A clean-up can then free " + Size(r.Frees) + "; " + r.Why + "."
	}
	return " The next clean-up frees " + Size(r.Frees) + " of it."
}

func numberedThing(n int) string {
	if n == 1 {
		return "one entry"
	}
	return Number(n) + " entries"
}

// CancelEmpty answers no.
func (m *Trash) CancelEmpty() { m.change(func() { m.confirm, m.doomed = nil, nil }) }

// Empty answers yes.
func (m *Trash) Empty() {
	m.mu.Lock()
	asked, ids := m.confirm != nil, m.doomed
	m.confirm, m.doomed = nil, nil
	dim := ids
	if len(dim) == 0 {
		dim = m.allLocked()
	}
	m.mu.Unlock()
	m.refresh()
	if !asked {
		return
	}
	m.dim(dim, true)
	m.tasks.run("", func(ctx context.Context) {
		r, err := m.Service.EmptyTrash(ctx, app.EmptyTrashRequest{Entries: ids})
		if err != nil {
			m.shell.failed(m.problemOf(err, "Emptying the trash"))
		} else {
			t := Toast{Tone: ToneInfo, Lead: "Emptied the trash"}
			if len(ids) > 0 {
				t.Lead = "Deleted " + numberedThing(r.Gone) + " for good"
			}
			if r.Frees > 0 {
				t.Rest = " — a clean-up can free " + Size(r.Frees)
			}
			m.shell.Toast(t)
		}
		m.fetch(ctx)
		m.dim(dim, false)
		m.feed.fetchSnapshot(ctx)
	})
}

// Escape closes the question, else unmarks, and says whether it did anything.
func (m *Trash) Escape() bool {
	if m.State().Confirm != nil {
		m.CancelEmpty()
		return true
	}
	return m.State().Checked > 0 && m.ClearSelection()
}

// change runs f under the lock and builds the state again.
func (m *Trash) change(f func()) {
	m.mu.Lock()
	f()
	m.mu.Unlock()
	m.refresh()
}
