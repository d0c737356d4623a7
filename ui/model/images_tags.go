package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"berth/app"
)

// table is the tags of the selected repository with what a person did to the
// rows. It is guarded by the lock of Images.
type table struct {
	loaded  bool
	problem *app.Problem
	repo    app.Repository
	tags    []app.Tag // in the order shown
	sort    Column
	reverse bool
	checked map[string]bool
	focus   string
	anchor  string // where a Shift range starts
}

func newTable() table {
	return table{sort: ColumnPushed, checked: map[string]bool{}}
}

// reset empties it for another repository; the order of columns stays.
func (t *table) reset() {
	*t = table{sort: t.sort, reverse: t.reverse, checked: map[string]bool{}}
}

// fill takes in what the registry says, and keeps checks and focus by name. The
// focus of a tag that went moves to the row that took its place.
func (t *table) fill(r app.TagsReply) {
	at := t.index(t.focus)
	t.loaded, t.problem, t.repo = true, nil, r.Repository
	t.tags = slices.Clone(r.Tags)
	t.order()
	for name := range t.checked {
		if t.index(name) < 0 {
			delete(t.checked, name)
		}
	}
	if t.index(t.anchor) < 0 {
		t.anchor = ""
	}
	if t.index(t.focus) < 0 {
		t.focus = ""
		if len(t.tags) > 0 {
			t.focus = t.tags[min(max(at, 0), len(t.tags)-1)].Name
		}
	}
}

func (t *table) index(tag string) int {
	if tag == "" {
		return -1
	}
	return slices.IndexFunc(t.tags, func(g app.Tag) bool { return g.Name == tag })
}

// order sorts newest, largest and most freeing first, and names from the start;
// reverse turns it round. Equal rows stand as versions do, newest first.
func (t *table) order() {
	slices.SortFunc(t.tags, func(a, b app.Tag) int {
		c := 0
		switch t.sort {
		case ColumnPushed:
			c = b.Pushed.Compare(a.Pushed)
		case ColumnSize:
			c = cmp.Compare(b.Size, a.Size)
		case ColumnFrees:
			c = cmp.Compare(b.Frees, a.Frees)
		case ColumnTag:
			c = CompareNatural(a.Name, b.Name)
		}
		if t.reverse {
			c = -c
		}
		return cmp.Or(c, CompareNatural(b.Name, a.Name))
	})
}

// sameAs names the other tag with the same digest that says most: «latest» says
// which version it is.
func (t *table) sameAs(g app.Tag) (short, full string) {
	if len(g.Same) == 0 {
		return "", ""
	}
	full = "same as " + strings.Join(g.Same, ", ")
	best := slices.MaxFunc(g.Same, func(a, b string) int {
		return cmp.Or(cmp.Compare(telling(a), telling(b)), CompareNatural(a, b))
	})
	short = "same as " + best
	if n := len(g.Same) - 1; n > 0 && len(short) < 16 {
		short += fmt.Sprintf(" +%d", n)
	}
	return short, full
}

// telling is higher for a tag that says more: digits, then length.
func telling(tag string) int {
	digits := 0
	for i := range len(tag) {
		if isDigit(tag[i]) {
			digits++
		}
	}
	return min(digits, 3)*2 + min(strings.Count(tag, "."), 2)
}

// SortBy orders the tags by a column; again turns the order round.
func (m *Images) SortBy(c Column) {
	m.change(func() {
		t := &m.table
		t.reverse = t.sort == c && !t.reverse
		t.sort = c
		t.order()
	})
}

// Focus puts the focus on a tag: the inspector and the pull command follow.
func (m *Images) Focus(tag string) {
	m.change(func() {
		if m.table.index(tag) >= 0 {
			m.table.focus, m.table.anchor = tag, tag
		}
	})
	m.inspect()
}

// MoveFocus puts the focus by rows further down; far moves stop at the ends.
// With extend, as with Shift, the rows between are checked.
func (m *Images) MoveFocus(by int, extend bool) {
	m.mu.Lock()
	t := &m.table
	if len(t.tags) == 0 {
		m.mu.Unlock()
		return
	}
	at := min(max(t.index(t.focus)+by, 0), len(t.tags)-1)
	if t.index(t.focus) < 0 {
		at = 0
	}
	name := t.tags[at].Name
	m.mu.Unlock()
	if extend {
		m.Range(name)
		return
	}
	m.Focus(name)
}

// Toggle checks or unchecks one row, as its box, Ctrl+click and Space do.
func (m *Images) Toggle(tag string) {
	m.change(func() {
		t := &m.table
		if t.index(tag) < 0 || m.dimmed[m.selected+":"+tag] {
			return
		}
		if t.checked[tag] {
			delete(t.checked, tag)
		} else {
			t.checked[tag] = true
		}
		t.anchor, t.focus = tag, tag
	})
	m.inspect()
}

// Range checks the rows from the last touched one to tag, as Shift+click does,
// and unchecks the rest.
func (m *Images) Range(tag string) {
	m.change(func() {
		t := &m.table
		to := t.index(tag)
		if to < 0 {
			return
		}
		from := t.index(cmp.Or(t.anchor, t.focus))
		if from < 0 {
			from = to
		}
		t.anchor, t.focus = t.tags[from].Name, tag
		clear(t.checked)
		for _, g := range t.tags[min(from, to) : max(from, to)+1] {
			if !m.dimmed[m.selected+":"+g.Name] {
				t.checked[g.Name] = true
			}
		}
	})
	m.inspect()
}

// SelectAll checks every row; when every row is checked it unchecks them.
func (m *Images) SelectAll() {
	m.change(func() {
		t := &m.table
		if len(t.checked) > 0 && len(t.checked) == len(t.tags) {
			clear(t.checked)
			return
		}
		for _, g := range t.tags {
			t.checked[g.Name] = true
		}
	})
}

// ClearSelection unchecks every row, as Esc does, and says whether any was
// checked.
func (m *Images) ClearSelection() bool {
	had := false
	m.change(func() {
		had = len(m.table.checked) > 0
		clear(m.table.checked)
	})
	return had
}

// targetsLocked are the checked rows in the order shown, else the focused one.
func (m *Images) targetsLocked() []string {
	t := &m.table
	var out []string
	for _, g := range t.tags {
		if t.checked[g.Name] {
			out = append(out, g.Name)
		}
	}
	if len(out) == 0 && t.index(t.focus) >= 0 {
		out = append(out, t.focus)
	}
	return slices.DeleteFunc(out, func(tag string) bool { return m.dimmed[m.selected+":"+tag] })
}
