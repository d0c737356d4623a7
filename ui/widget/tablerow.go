package widget

import (
	"time"

	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
)

// doubleClick is how soon a second click must follow.
const doubleClick = 400 * time.Millisecond

// tableRow is a row of a Table. It acts on a single click at once: Fyne's own
// double click would hold every single one back.
type tableRow struct {
	hinted
	t       *Table
	index   int
	state   RowState
	hovered bool
	pointer fyne.Position // where it was last
	keys    fyne.KeyModifier
	box     *Check
	cells   []fyne.CanvasObject
	detail  fyne.CanvasObject
}

func newTableRow(t *Table) *tableRow {
	r := &tableRow{t: t, index: -1}
	r.box = NewCheck(func() {
		r.takeFocus()
		call(t.On.Check, r.index)
	})
	for _, c := range t.columns {
		r.cells = append(r.cells, c.New())
	}
	if t.NewDetail != nil {
		r.detail = t.NewDetail()
		r.detail.Hide()
	}
	for _, o := range append([]fyne.CanvasObject{r.box}, r.cells...) {
		joinAll(o, r.hover, r.TappedSecondary)
	}
	r.ExtendBaseWidget(r)
	return r
}

func call[T any](f func(T), v T) {
	if f != nil {
		f(v)
	}
}

// update shows row i.
func (r *tableRow) update(i int) {
	moved := r.index != i
	r.index, r.state = i, r.t.State(i)
	r.box.Set(r.state.Checked)
	for n, c := range r.t.columns {
		if !r.t.hidden[n] {
			c.Update(i, r.cells[n])
			if moved { // it may have been put by under another theme
				r.cells[n].Refresh()
			}
		}
	}
	if r.detail != nil {
		if r.t.extra(i) > 0 {
			r.t.UpdateDetail(i, r.detail)
			r.detail.Show()
		} else {
			r.detail.Hide()
		}
	}
	r.Refresh()
	// What a tooltip told of may have changed under the pointer.
	if r.HasTip() {
		r.SetToolTip(r.tipAt(r.pointer))
	}
}

func (r *tableRow) hover(on bool) {
	if r.hovered != on {
		r.hovered = on
		canvas.Refresh(r)
		r.Refresh()
	}
}

func (r *tableRow) takeFocus() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(r.t); c != nil {
		c.Focus(r.t)
	}
}

// MouseDown notes the keys that are held.
func (r *tableRow) MouseDown(e *desktop.MouseEvent) { r.keys = e.Modifier }

// MouseUp is called by Fyne.
func (r *tableRow) MouseUp(*desktop.MouseEvent) {}

// Tapped focuses, toggles or extends, by the keys that are held.
func (r *tableRow) Tapped(*fyne.PointEvent) {
	r.takeFocus()
	if r.state.Dimmed {
		return
	}
	keys := r.keys
	r.keys = 0
	switch {
	case keys&fyne.KeyModifierShift != 0:
		call(r.t.On.Range, r.index)
		return
	case keys&(fyne.KeyModifierControl|fyne.KeyModifierSuper) != 0:
		call(r.t.On.Toggle, r.index)
		return
	}
	now := time.Now
	if r.t.Now != nil {
		now = r.t.Now
	}
	twice := r.t.tapped.row == r.index && now().Sub(r.t.tapped.at) < doubleClick
	r.t.tapped.row, r.t.tapped.at = r.index, now()
	call(r.t.On.Focus, r.index)
	if twice {
		r.t.tapped.row = -1
		call(r.t.On.Open, r.index)
	}
}

// TappedSecondary asks for the menu of the row.
func (r *tableRow) TappedSecondary(e *fyne.PointEvent) {
	HideTip()
	r.takeFocus()
	if r.t.On.Menu != nil && !r.state.Dimmed {
		r.t.On.Menu(r.index, e.AbsolutePosition)
	}
}

// MouseIn is called by Fyne.
func (r *tableRow) MouseIn(e *desktop.MouseEvent) {
	r.hover(true)
	r.pointer = e.Position
	r.SetToolTip(r.tipAt(e.Position))
	r.hinted.MouseIn(e)
}

// MouseMoved shows the tooltip of the cell below the pointer.
func (r *tableRow) MouseMoved(e *desktop.MouseEvent) {
	r.pointer = e.Position
	if tip := r.tipAt(e.Position); tip != r.ToolTip() {
		r.SetToolTip(tip)
		r.hinted.MouseIn(e)
		return
	}
	r.hinted.MouseMoved(e)
}

// MouseOut is called by Fyne.
func (r *tableRow) MouseOut() {
	r.hinted.MouseOut()
	r.hover(false)
}

func (r *tableRow) tipAt(at fyne.Position) string {
	for _, c := range r.cells {
		p, s := c.Position(), c.Size()
		if c.Visible() && at.X >= p.X-edge && at.X < p.X+s.Width+edge && at.Y < theme.RowHeight {
			return tipAt(c, at.Subtract(p))
		}
	}
	return ""
}

// CreateRenderer is called by Fyne.
func (r *tableRow) CreateRenderer() fyne.WidgetRenderer {
	x := &tableRowRenderer{
		r: r, area: canvas.NewRectangle(noColor), line: canvas.NewRectangle(noColor),
		ring: canvas.NewRectangle(noColor), veil: canvas.NewRectangle(noColor),
	}
	x.paint()
	return x
}

type tableRowRenderer struct {
	r                      *tableRow
	area, line, ring, veil *canvas.Rectangle
}

func (x *tableRowRenderer) paint() {
	fill := theme.Clear
	switch s := x.r.state; {
	case s.Checked, s.Focused:
		fill = theme.Selected
	case x.r.hovered:
		fill = theme.Hover
	}
	x.area.FillColor = theme.Of(fill)
	x.line.FillColor = theme.Of(theme.Line)
	x.ring.StrokeColor, x.ring.StrokeWidth, x.ring.CornerRadius = theme.Of(theme.Accent), 1, theme.RadiusSmall
	x.ring.FillColor = hollow(x.ring.StrokeColor)
	x.ring.Hidden = !x.r.state.Focused || !x.r.t.focused
	x.veil.FillColor = noColor
	x.veil.Hidden = !x.r.state.Dimmed
	if x.r.state.Dimmed {
		x.veil.FillColor = faded(theme.Of(theme.Window))
	}
}

func (x *tableRowRenderer) Layout(size fyne.Size) {
	h := theme.RowHeight
	x.area.Resize(fyne.NewSize(size.Width, h-theme.Hairline))
	x.line.Move(fyne.NewPos(0, size.Height-theme.Hairline))
	x.line.Resize(fyne.NewSize(size.Width, theme.Hairline))
	x.ring.Move(fyne.NewPos(1, 1))
	x.ring.Resize(fyne.NewSize(max(0, size.Width-2), h-3))
	x.veil.Resize(size)
	x.r.box.Hidden = x.r.t.Plain
	x.r.box.Resize(fyne.NewSize(checkWidth, h))
	x.r.t.place(x.r.cells, h-theme.Hairline)
	if d := x.r.detail; d != nil {
		left := x.r.t.left() + edge
		d.Move(fyne.NewPos(left, h))
		d.Resize(fyne.NewSize(max(0, size.Width-left-edge), max(0, size.Height-h)))
	}
}

func (x *tableRowRenderer) MinSize() fyne.Size { return fyne.NewSize(100, theme.RowHeight) }

func (x *tableRowRenderer) Refresh() {
	x.paint()
	x.Layout(x.r.Size())
	canvas.Refresh(x.r)
}

func (x *tableRowRenderer) Objects() []fyne.CanvasObject {
	out := append([]fyne.CanvasObject{x.area, x.line, x.r.box}, x.r.cells...)
	if x.r.detail != nil {
		out = append(out, x.r.detail)
	}
	return append(out, x.ring, x.veil)
}
func (x *tableRowRenderer) Destroy() {}
