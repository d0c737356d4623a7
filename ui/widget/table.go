package widget

import (
	"time"

	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Column is a column of a Table.
type Column struct {
	// Key names it to OnSort; Title stands in the header.
	Key, Title string
	// Width is fixed, or the least of a column that grows.
	Width float32
	Grow  bool
	// Want is the width at which nothing in the column is cut; nil means Width. It
	// gets up to half of the spare width for it, before those that grow.
	Want func() float32
	// Right aligns the title to the right, over numbers.
	Right bool
	Sorts bool
	// Drop orders what is left out when the table is narrow: the highest goes
	// first, 0 never.
	Drop int
	// New makes a cell, Update shows row i in it.
	New    func() fyne.CanvasObject
	Update func(i int, cell fyne.CanvasObject)
}

// RowState is how a row of a Table looks.
type RowState struct{ Checked, Focused, Dimmed bool }

// TableEvents are what a person does to a Table. The model decides what it
// means; nil means nothing happens.
type TableEvents struct {
	Check    func(i int)              // its box
	CheckAll func()                   // the box of the header
	Focus    func(i int)              // click
	Toggle   func(i int)              // Ctrl+click
	Range    func(i int)              // Shift+click
	Move     func(by int, shift bool) // arrows, Home, End, Page Up, Page Down
	Open     func(i int)              // double click
	Menu     func(i int, at fyne.Position)
	Sort     func(key string)
	Key      func(name fyne.KeyName) bool // other keys
	Rune     func(r rune)
}

// Table shows rows of one height in columns, with a header, check boxes, hover,
// focus, a context menu and the keyboard. It holds neither rows nor selection.
type Table struct {
	widget.BaseWidget
	On TableEvents
	// Count is how many rows there are, State how row i looks.
	Count func() int
	State func(i int) RowState
	// NewDetail makes what a row shows below itself, for rows to which
	// DetailHeight gives a height; nil means no row does.
	NewDetail    func() fyne.CanvasObject
	UpdateDetail func(i int, detail fyne.CanvasObject)
	DetailHeight func(i int) float32
	// Now is the clock that tells a double click; nil means time.Now.
	Now func() time.Time
	// Plain leaves the check boxes out: there is nothing to select.
	Plain bool

	columns []Column
	list    *Virtual
	head    *tableHead
	sorted  string
	reverse bool
	all     bool
	focused bool
	hidden  map[int]bool
	widths  []float32
	tapped  struct {
		row int
		at  time.Time
	}
}

const (
	checkWidth float32 = 32
	headHeight float32 = 30
	cellGap    float32 = 12
	edge       float32 = 8
)

// NewTable makes a table of columns.
func NewTable(columns ...Column) *Table {
	t := &Table{columns: columns, hidden: map[int]bool{}}
	t.tapped.row = -1
	t.head = newTableHead(t)
	t.list = NewVirtual(theme.RowHeight, func() int { return t.Count() },
		func() fyne.CanvasObject { return newTableRow(t) },
		func(i int, o fyne.CanvasObject) { o.(*tableRow).update(i) })
	t.list.Extra = t.extra
	t.ExtendBaseWidget(t)
	return t
}

func (t *Table) extra(i int) float32 {
	if t.DetailHeight == nil {
		return 0
	}
	return t.DetailHeight(i)
}

// SetSort marks the column that is sorted by, and all whether every row is
// checked. Refresh shows both.
func (t *Table) SetSort(key string, reverse, all bool) {
	t.sorted, t.reverse, t.all = key, reverse, all
}

// RefreshRow shows row i anew; all others stay as they are.
func (t *Table) RefreshRow(i int) { t.list.RefreshRow(i) }

// ScrollTo brings row i into sight.
func (t *Table) ScrollTo(i int) { t.list.ScrollTo(i) }

// Height is that of header and all rows.
func (t *Table) Height() float32 {
	t.list.measure()
	return headHeight + t.list.Height()
}

// LeavesOut says whether a column is left out for lack of width.
func (t *Table) LeavesOut(key string) bool {
	for i, c := range t.columns {
		if c.Key == key {
			return t.hidden[i]
		}
	}
	return false
}

// FocusGained is called by Fyne.
func (t *Table) FocusGained() { t.focused = true; t.list.Refresh() }

// FocusLost is called by Fyne.
func (t *Table) FocusLost() { t.focused = false; t.list.Refresh() }

// TypedRune passes on what is typed.
func (t *Table) TypedRune(r rune) {
	if t.On.Rune != nil && r != ' ' {
		t.On.Rune(r)
	}
}

// TypedKey moves the focus, and passes other keys on.
func (t *Table) TypedKey(e *fyne.KeyEvent) {
	if by, ok := moves(e.Name, t.list.Page()); ok && t.On.Move != nil {
		t.On.Move(by, shifted())
		return
	}
	if t.On.Key != nil {
		t.On.Key(e.Name)
	}
}

const far = 1 << 30

// moves says by how many rows a key moves.
func moves(key fyne.KeyName, page int) (int, bool) {
	switch key {
	case fyne.KeyUp:
		return -1, true
	case fyne.KeyDown:
		return 1, true
	case fyne.KeyPageUp:
		return -page, true
	case fyne.KeyPageDown:
		return page, true
	case fyne.KeyHome:
		return -far, true
	case fyne.KeyEnd:
		return far, true
	}
	return 0, false
}

// shifted says whether Shift is down.
func shifted() bool {
	d, ok := fyne.CurrentApp().Driver().(desktop.Driver)
	return ok && d.CurrentKeyModifiers()&fyne.KeyModifierShift != 0
}

// arrange decides which columns there is room for, and how wide they are.
func (t *Table) arrange(width float32) {
	clear(t.hidden)
	room := func() float32 {
		left := width - t.left() - 2*edge
		for i, c := range t.columns {
			if !t.hidden[i] {
				left -= c.Width + cellGap
			}
		}
		return left + cellGap
	}
	for room() < 0 && t.drop() {
		continue
	}
	left := max(0, room())
	t.widths = make([]float32, len(t.columns))
	for i, c := range t.columns {
		t.widths[i] = c.Width
		if c.Want != nil && !t.hidden[i] {
			more := round(min(left/2, max(0, c.Want()-c.Width)))
			t.widths[i] += more
			left -= more
		}
	}
	grow := 0
	for i, c := range t.columns {
		if c.Grow && !t.hidden[i] {
			grow++
		}
	}
	for i, c := range t.columns {
		if c.Grow && grow > 0 {
			t.widths[i] += left / float32(grow)
		}
	}
}

// drop leaves one more column out, and says whether it could.
func (t *Table) drop() bool {
	best := -1
	for i, c := range t.columns {
		if c.Drop > 0 && !t.hidden[i] && (best < 0 || c.Drop > t.columns[best].Drop) {
			best = i
		}
	}
	if best >= 0 {
		t.hidden[best] = true
	}
	return best >= 0
}

// left is the room of the check boxes.
func (t *Table) left() float32 {
	if t.Plain {
		return 0
	}
	return checkWidth
}

// place lays cells out in a strip of some height.
func (t *Table) place(cells []fyne.CanvasObject, height float32) {
	x := t.left() + edge
	for i, c := range cells {
		if t.hidden[i] {
			c.Hide()
			continue
		}
		c.Show()
		h := min(height, c.MinSize().Height)
		c.Move(fyne.NewPos(round(x), round((height-h)/2)))
		c.Resize(fyne.NewSize(round(t.widths[i]), h))
		x += t.widths[i] + cellGap
	}
}

// CreateRenderer is called by Fyne.
func (t *Table) CreateRenderer() fyne.WidgetRenderer { return &tableRenderer{t} }

type tableRenderer struct{ t *Table }

func (r *tableRenderer) Layout(size fyne.Size) {
	r.t.arrange(size.Width)
	r.t.head.Resize(fyne.NewSize(size.Width, headHeight))
	r.t.head.Refresh()
	r.t.list.Move(fyne.NewPos(0, headHeight))
	r.t.list.Resize(fyne.NewSize(size.Width, max(0, size.Height-headHeight)))
	r.t.list.Refresh()
}

func (r *tableRenderer) MinSize() fyne.Size {
	return fyne.NewSize(200, headHeight+theme.RowHeight)
}

func (r *tableRenderer) Refresh() {
	r.t.arrange(r.t.Size().Width)
	r.t.head.Refresh()
	r.t.list.Refresh()
}

func (r *tableRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.t.head, r.t.list}
}
func (r *tableRenderer) Destroy() {}
