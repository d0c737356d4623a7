package model

import (
	"strings"

	"berth/app"
)

// refresh builds the state again and says so.
func (m *Trash) refresh() {
	m.mu.Lock()
	m.cached.Store(m.buildLocked())
	m.mu.Unlock()
	m.emit()
}

func (m *Trash) buildLocked() *TrashState {
	st := &TrashState{Phase: PhaseReady, Focus: -1, Confirm: m.confirm}
	switch {
	case !m.known && m.problem != nil:
		st.Phase, st.Problem = PhaseFailed, m.problem
		return st
	case !m.known:
		st.Phase = PhaseLoading
		return st
	case len(m.reply.Entries) == 0:
		st.Phase = PhaseEmpty
	}
	if m.reply.Keep > 0 {
		st.Keep = "kept " + For(m.reply.Keep)
	}
	st.Rows = make([]TrashRow, 0, len(m.reply.Entries))
	for i, e := range m.reply.Entries {
		st.Rows = append(st.Rows, m.rowLocked(e))
		if e.ID == m.focus {
			st.Focus = i
		}
		if m.checked[e.ID] {
			st.Checked++
		}
	}
	if st.Checked > 0 {
		st.CheckedText = Number(st.Checked) + " selected"
	}
	return st
}

func (m *Trash) rowLocked(e app.TrashEntry) TrashRow {
	now := m.Now()
	who := m.user(e.By)
	detail := []string{}
	if e.Kind == app.TrashRepository {
		detail = append(detail, Count(e.Tags, "tag"))
	}
	switch {
	case e.Overwritten:
		detail = append(detail, "overwritten")
	case e.Why != "" && e.Why != "deleted":
		why, _, _ := strings.Cut(e.Why, ": ") // the rule; the tooltip says why
		detail = append(detail, why)
	case who != "":
		detail = append(detail, who)
	default:
		detail = append(detail, "deleted")
	}
	detail = append(detail, Ago(e.At, now))
	tip := entryName(e) + "\n" + capital(e.Why)
	switch {
	case strings.HasPrefix(who, "from "):
		tip += " " + who
	case who != "":
		tip += " by " + who
	}
	tip += ", " + Absolute(e.At, now) + "\n" + DigestLabel(e.Digest)
	if !e.Until.IsZero() {
		tip += "\nCan be restored until " + Absolute(e.Until, now)
	}
	as, taken := m.taken[e.ID]
	row := TrashRow{
		ID: e.ID, Name: entryName(e), Short: shortName(e), Detail: strings.Join(detail, " · "), Tip: strings.TrimSpace(tip), Size: Size(e.Size),
		Repository: e.Kind == app.TrashRepository, Tag: e.Kind != app.TrashRepository && e.Tag != "", Taken: taken, As: as,
		Checked: m.checked[e.ID], Focused: e.ID == m.focus, Dimmed: m.dimmed[e.ID],
	}
	if taken {
		row.Detail = "the name is taken by now"
		if as != "" {
			row.Detail = "the name is taken: back as " + as
		}
	}
	return row
}

// shortName is the end of a name, which tells it from others, where the whole has
// no room; empty when there is nothing to leave out.
func shortName(e app.TrashEntry) string {
	name := entryName(e)
	if i := strings.LastIndexByte(e.Repository, '/'); i >= 0 {
		return "…" + name[i:]
	}
	return ""
}

// entryName is what an entry brings back.
func entryName(e app.TrashEntry) string {
	switch {
	case e.Kind == app.TrashRepository:
		return e.Repository
	case e.Tag == "":
		return e.Repository + "@" + ShortDigest(e.Digest)
	}
	return e.Repository + ":" + e.Tag
}
