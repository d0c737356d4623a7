package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
)

// RuleItem is a row of a RuleList.
type RuleItem struct {
	Applies, Keep, Tags, Frees string
	// None makes the figures faint: nothing would go.
	None bool
	On   bool
	Tip  string
}

// RuleEvents are what a person does to a RuleList.
type RuleEvents struct {
	Edit   func(i int) // click, Enter
	Switch func(i int) // its switch, Space
	Delete func(i int) // Delete
	Menu   func(i int, at fyne.Position)
}

// RuleList is the table of rules: what a rule speaks of, what it keeps, what it
// would delete, and a switch. A row takes the focus.
type RuleList struct {
	Composed
	On     RuleEvents
	box    *fyne.Container
	head   *fyne.Container
	rows   []*ruleRow
	locked bool
	widths ruleWidths
}

// ruleWidths are the columns of a RuleList, which all of its rows share.
type ruleWidths struct{ applies, tags, frees float32 }

const ruleHeight float32 = 40

// NewRuleList makes an empty list.
func NewRuleList() *RuleList {
	l := &RuleList{box: Down(0, NoGrow)}
	caption := func(s string, st Style) *Text { return NewText(s, st) }
	st := Caption
	l.head = container.New(&ruleLayout{l}, caption("Applies to", st), caption("Keep", st), Down(0, NoGrow, caption("Would", st.Right()), caption("delete", st.Right())), caption("Frees", st.Right()), Gap(switchWidth, 1))
	l.root = Down(0, NoGrow, container.NewStack(Gap(0, 34), l.head), NewLine(), l.box)
	l.ExtendBaseWidget(l)
	return l
}

// Set shows rules; locked ones cannot be changed.
func (l *RuleList) Set(items []RuleItem, locked bool) {
	l.locked = locked
	l.widths = ruleWidths{applies: Caption.Width("Applies to "), tags: Caption.Width("Would "), frees: Caption.Width("Frees")}
	for _, i := range items {
		l.widths.applies = max(l.widths.applies, Code.Width(i.Applies))
		l.widths.tags = max(l.widths.tags, Body.Width(i.Tags))
		l.widths.frees = max(l.widths.frees, Body.Width(i.Frees))
	}
	for len(l.rows) < len(items) {
		r := newRuleRow(l, len(l.rows))
		l.rows = append(l.rows, r)
		l.box.Add(r)
	}
	for i, r := range l.rows {
		r.Hidden = i >= len(items)
		if !r.Hidden {
			r.set(items[i])
		}
	}
	l.root.Refresh()
}

// ruleLayout places the cells of a row, and of the header.
type ruleLayout struct{ l *RuleList }

const (
	ruleEdge float32 = 8
	ruleGap  float32 = 16
)

func (l *ruleLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	w := l.l.widths
	fixed := w.tags + w.frees + switchWidth + 4*ruleGap + 2*ruleEdge
	left := max(80, size.Width-fixed)
	applies := min(w.applies, round(left*0.5))
	x := ruleEdge
	for i, width := range []float32{applies, left - applies, w.tags, w.frees, switchWidth} {
		h := o[i].MinSize().Height
		o[i].Move(fyne.NewPos(round(x), round((size.Height-h)/2)))
		o[i].Resize(fyne.NewSize(round(width), h))
		x += width + ruleGap
	}
}

func (l *ruleLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(320, 20) }

// ruleRow is a row of a RuleList.
type ruleRow struct {
	hinted
	l                          *RuleList
	index                      int
	item                       RuleItem
	hovered, focused           bool
	applies, keep, tags, frees *Text
	toggle                     *Switch
	cells                      *fyne.Container
}

func newRuleRow(l *RuleList, i int) *ruleRow {
	r := &ruleRow{l: l, index: i, applies: NewText("", Code), keep: NewText("", Quiet), tags: NewText("", Body.Right()), frees: NewText("", Body.Right())}
	r.toggle = NewSwitch(func() { call(l.On.Switch, i) })
	r.toggle.join(r.hover, r.TappedSecondary)
	r.cells = container.New(&ruleLayout{l}, r.applies, r.keep, r.tags, r.frees, r.toggle)
	r.ExtendBaseWidget(r)
	return r
}

func (r *ruleRow) set(i RuleItem) {
	r.item = i
	strong, quiet, number := Code, Quiet, Body.Right()
	if !i.On {
		strong, quiet = strong.In(theme.Faint), quiet.In(theme.Faint)
	}
	if !i.On || i.None {
		number = number.In(theme.Faint)
	}
	r.applies.SetStyle(strong)
	r.keep.SetStyle(quiet)
	r.tags.SetStyle(number)
	r.frees.SetStyle(number)
	r.applies.Set(i.Applies)
	r.keep.Set(i.Keep)
	r.tags.Set(i.Tags)
	r.frees.Set(i.Frees)
	r.toggle.Set(i.On, r.l.locked)
	r.SetToolTip(i.Tip)
	r.Refresh()
}

func (r *ruleRow) hover(on bool) {
	if r.hovered != on {
		r.hovered = on
		r.Refresh()
	}
}

// Tapped opens the rule.
func (r *ruleRow) Tapped(*fyne.PointEvent) {
	r.hinted.MouseOut()
	call(r.l.On.Edit, r.index)
}

// TappedSecondary asks for the menu of the row.
func (r *ruleRow) TappedSecondary(e *fyne.PointEvent) {
	HideTip()
	if r.l.On.Menu != nil {
		r.l.On.Menu(r.index, e.AbsolutePosition)
	}
}

// MouseIn is called by Fyne.
func (r *ruleRow) MouseIn(e *desktop.MouseEvent) { r.hinted.MouseIn(e); r.hover(true) }

// MouseOut is called by Fyne.
func (r *ruleRow) MouseOut() { r.hinted.MouseOut(); r.hover(false) }

// Cursor shows that it can be pressed.
func (r *ruleRow) Cursor() desktop.Cursor {
	if r.l.locked {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

// FocusGained is called by Fyne.
func (r *ruleRow) FocusGained() { r.focused = true; r.Refresh() }

// FocusLost is called by Fyne.
func (r *ruleRow) FocusLost() { r.focused = false; r.Refresh() }

// TypedRune is called by Fyne.
func (r *ruleRow) TypedRune(rune) {}

// TypedKey opens, switches and deletes, and gives the window the other keys.
func (r *ruleRow) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		r.Tapped(nil)
	case fyne.KeySpace:
		r.toggle.Tapped(nil)
	case fyne.KeyDelete:
		call(r.l.On.Delete, r.index)
	default:
		handOn(r, e)
	}
}

// CreateRenderer is called by Fyne.
func (r *ruleRow) CreateRenderer() fyne.WidgetRenderer {
	x := &ruleRowRenderer{r: r, area: canvas.NewRectangle(noColor), line: canvas.NewRectangle(noColor)}
	x.area.CornerRadius = theme.RadiusSmall
	x.paint()
	return x
}

type ruleRowRenderer struct {
	r          *ruleRow
	area, line *canvas.Rectangle
}

func (x *ruleRowRenderer) paint() {
	x.area.FillColor, x.area.StrokeColor, x.area.StrokeWidth = noColor, noColor, 0
	if x.r.hovered {
		x.area.FillColor = theme.Of(theme.Raised)
	}
	if x.r.focused {
		x.area.StrokeColor, x.area.StrokeWidth = theme.Of(theme.Accent), 1
		if !x.r.hovered {
			x.area.FillColor = hollow(x.area.StrokeColor)
		}
	}
	x.line.FillColor = theme.Of(theme.Line)
}

func (x *ruleRowRenderer) Layout(size fyne.Size) {
	x.area.Move(fyne.NewPos(0, 1))
	x.area.Resize(fyne.NewSize(size.Width, size.Height-3))
	x.line.Move(fyne.NewPos(0, size.Height-theme.Hairline))
	x.line.Resize(fyne.NewSize(size.Width, theme.Hairline))
	x.r.cells.Resize(fyne.NewSize(size.Width, size.Height-theme.Hairline))
}

func (x *ruleRowRenderer) MinSize() fyne.Size { return fyne.NewSize(320, ruleHeight) }
func (x *ruleRowRenderer) Refresh() {
	x.paint()
	x.Layout(x.r.Size())
	x.r.cells.Refresh()
	canvas.Refresh(x.r)
}

func (x *ruleRowRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{x.area, x.line, x.r.cells}
}
func (x *ruleRowRenderer) Destroy() {}
