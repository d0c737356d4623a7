package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// TrashItem is a row of a TrashList.
type TrashItem struct {
	Name, Detail, Size, Tip string
	Short                   string // in place of Name, where that has no room
	Action                  string
	Warned                  bool // Detail is a warning
	Marked, Focused, Dimmed bool
}

// TrashHeight is that of a row of a TrashList.
const TrashHeight float32 = 49

// TrashEvents are what a person does to a TrashList.
type TrashEvents struct {
	Toggle func(i int) // click, Space
	Act    func(i int) // its button, Enter
	Move   func(by int)
	Menu   func(i int, at fyne.Position)
	Key    func(name fyne.KeyName) bool
	Rune   func(r rune)
}

// TrashList lists what can be restored: two lines, a size and a button in each
// row. It takes the focus and the keyboard.
type TrashList struct {
	widget.BaseWidget
	Count func() int
	Item  func(i int) TrashItem
	// Focus is the index of the focused row, or -1.
	Focus func() int
	On    TrashEvents

	list    *Virtual
	focused bool
}

// NewTrashList makes a list.
func NewTrashList() *TrashList {
	l := &TrashList{}
	l.list = NewVirtual(TrashHeight, func() int { return l.Count() },
		func() fyne.CanvasObject { return newTrashRow(l) },
		func(i int, o fyne.CanvasObject) { o.(*trashRow).update(i) })
	l.ExtendBaseWidget(l)
	return l
}

// ScrollTo brings row i into sight.
func (l *TrashList) ScrollTo(i int) { l.list.ScrollTo(i) }

// FocusGained is called by Fyne.
func (l *TrashList) FocusGained() {
	l.focused = true
	if l.Focus() < 0 {
		call(l.On.Move, 0)
	}
	l.list.Refresh()
}

// FocusLost is called by Fyne.
func (l *TrashList) FocusLost() { l.focused = false; l.list.Refresh() }

// TypedRune passes on what is typed.
func (l *TrashList) TypedRune(r rune) { call(l.On.Rune, r) }

// TypedKey moves the focus, marks and restores, and passes other keys on.
func (l *TrashList) TypedKey(e *fyne.KeyEvent) {
	if by, ok := moves(e.Name, l.list.Page()); ok {
		call(l.On.Move, by)
		return
	}
	switch i := l.Focus(); {
	case i >= 0 && e.Name == fyne.KeySpace:
		call(l.On.Toggle, i)
	case i >= 0 && (e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter):
		call(l.On.Act, i)
	case l.On.Key != nil:
		l.On.Key(e.Name)
	}
}

// CreateRenderer is called by Fyne.
func (l *TrashList) CreateRenderer() fyne.WidgetRenderer { return &holder{l.list} }

// trashRow is a row of a TrashList.
type trashRow struct {
	hinted
	l                  *TrashList
	index              int
	item               TrashItem
	hovered            bool
	name, detail, size *Text
	action             *Button
}

func newTrashRow(l *TrashList) *trashRow {
	r := &trashRow{l: l, index: -1, name: NewText("", BodyBold), detail: NewText("", Quiet.Sized(11)), size: NewText("", Quiet.Right())}
	r.action = NewSmallButton("Restore", theme.IconUndo, Ghost, func() {
		if !r.item.Dimmed {
			call(l.On.Act, r.index)
		}
	})
	r.action.join(r.hover, r.TappedSecondary)
	r.ExtendBaseWidget(r)
	return r
}

func (r *trashRow) update(i int) {
	r.index, r.item = i, r.l.Item(i)
	r.SetToolTip(r.item.Tip)
	strong, quiet := BodyBold, Quiet.Sized(11)
	if r.item.Warned {
		quiet = quiet.In(theme.Warning)
	}
	if r.item.Dimmed {
		strong, quiet = strong.In(theme.Faint), quiet.In(theme.Faint)
	}
	r.name.SetStyle(strong)
	r.detail.SetStyle(quiet)
	r.name.SetAlt(r.item.Short)
	r.name.Set(r.item.Name)
	r.detail.Set(r.item.Detail)
	r.size.Set(r.item.Size)
	r.action.SetLabel(r.item.Action)
	r.action.SetDisabled(r.item.Dimmed)
	r.Refresh()
}

func (r *trashRow) hover(on bool) {
	if r.hovered != on {
		r.hovered = on
		r.Refresh()
	}
}

func (r *trashRow) takeFocus() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(r.l); c != nil {
		c.Focus(r.l)
	}
}

// Tapped marks the row.
func (r *trashRow) Tapped(*fyne.PointEvent) {
	if !r.item.Dimmed {
		call(r.l.On.Toggle, r.index)
	}
	r.takeFocus()
}

// TappedSecondary asks for the menu of the row.
func (r *trashRow) TappedSecondary(e *fyne.PointEvent) {
	HideTip()
	r.takeFocus()
	if r.l.On.Menu != nil && !r.item.Dimmed {
		r.l.On.Menu(r.index, e.AbsolutePosition)
	}
}

// MouseIn is called by Fyne.
func (r *trashRow) MouseIn(e *desktop.MouseEvent) { r.hinted.MouseIn(e); r.hover(true) }

// MouseOut is called by Fyne.
func (r *trashRow) MouseOut() { r.hinted.MouseOut(); r.hover(false) }

// CreateRenderer is called by Fyne.
func (r *trashRow) CreateRenderer() fyne.WidgetRenderer {
	x := &trashRowRenderer{r: r, area: canvas.NewRectangle(noColor), line: canvas.NewRectangle(noColor)}
	x.area.CornerRadius = theme.RadiusSmall
	x.paint()
	return x
}

type trashRowRenderer struct {
	r          *trashRow
	area, line *canvas.Rectangle
}

func (x *trashRowRenderer) paint() {
	fill := theme.Clear
	switch {
	case x.r.item.Marked:
		fill = theme.Selected
	case x.r.hovered:
		fill = theme.Raised
	}
	x.area.FillColor = theme.Of(fill)
	x.area.StrokeWidth, x.area.StrokeColor = 0, noColor
	if x.r.item.Focused && x.r.l.focused {
		x.area.StrokeWidth, x.area.StrokeColor = 1, theme.Of(theme.Accent)
		if fill == theme.Clear {
			x.area.FillColor = hollow(x.area.StrokeColor)
		}
	}
	x.line.FillColor = theme.Of(theme.Line)
}

func (x *trashRowRenderer) Layout(size fyne.Size) {
	const pad float32 = 8
	x.area.Resize(fyne.NewSize(size.Width, size.Height-3))
	x.area.Move(fyne.NewPos(0, 1))
	x.line.Move(fyne.NewPos(pad, size.Height-theme.Hairline))
	x.line.Resize(fyne.NewSize(size.Width-2*pad, theme.Hairline))
	action := x.r.action.MinSize()
	right := size.Width - pad + theme.Inset
	right = min(right, size.Width)
	x.r.action.Move(fyne.NewPos(right-action.Width, round((size.Height-action.Height)/2)))
	x.r.action.Resize(action)
	right -= action.Width
	const wide float32 = 54
	h := x.r.size.MinSize().Height
	x.r.size.Move(fyne.NewPos(right-wide, round((size.Height-h)/2)))
	x.r.size.Resize(fyne.NewSize(wide, h))
	room := max(20, right-wide-pad-theme.Space)
	h = x.r.name.MinSize().Height
	below := x.r.detail.MinSize().Height
	top := round((size.Height - h - below - 2) / 2)
	x.r.name.Move(fyne.NewPos(pad, top))
	x.r.name.Resize(fyne.NewSize(room, h))
	x.r.detail.Move(fyne.NewPos(pad, top+h+2))
	x.r.detail.Resize(fyne.NewSize(room, below))
}

func (x *trashRowRenderer) MinSize() fyne.Size { return fyne.NewSize(160, TrashHeight) }
func (x *trashRowRenderer) Refresh() {
	x.paint()
	x.Layout(x.r.Size())
	canvas.Refresh(x.r)
}

func (x *trashRowRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{x.area, x.line, x.r.name, x.r.detail, x.r.size, x.r.action}
}
func (x *trashRowRenderer) Destroy() {}
