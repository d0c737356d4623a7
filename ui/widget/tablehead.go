package widget

import (
	"image/color"

	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// faded lets a colour half through.
func faded(c color.Color) color.Color {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	n.A = 0x99
	return n
}

// tableHead is the header of a Table.
type tableHead struct {
	widget.BaseWidget
	t     *Table
	box   *Check
	cells []fyne.CanvasObject
	line  *Surface
}

func newTableHead(t *Table) *tableHead {
	h := &tableHead{t: t, line: NewLine()}
	h.box = NewCheck(func() {
		if t.On.CheckAll != nil {
			t.On.CheckAll()
		}
	})
	for i := range t.columns {
		h.cells = append(h.cells, newHeadCell(t, i))
	}
	h.ExtendBaseWidget(h)
	return h
}

// CreateRenderer is called by Fyne.
func (h *tableHead) CreateRenderer() fyne.WidgetRenderer { return &headRenderer{h} }

type headRenderer struct{ h *tableHead }

func (r *headRenderer) Layout(size fyne.Size) {
	r.h.box.Resize(fyne.NewSize(checkWidth, headHeight))
	if r.h.t.widths != nil {
		r.h.t.place(r.h.cells, headHeight)
	}
	r.h.line.Move(fyne.NewPos(0, size.Height-theme.Hairline))
	r.h.line.Resize(fyne.NewSize(size.Width, theme.Hairline))
}
func (r *headRenderer) MinSize() fyne.Size { return fyne.NewSize(100, headHeight) }
func (r *headRenderer) Refresh() {
	r.h.box.Set(r.h.t.all)
	r.h.box.Hidden = r.h.t.On.CheckAll == nil || r.h.t.Count() == 0
	r.Layout(r.h.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}

func (r *headRenderer) Objects() []fyne.CanvasObject {
	return append(append([]fyne.CanvasObject{r.h.box}, r.h.cells...), r.h.line)
}
func (r *headRenderer) Destroy() {}

// headCell is the title of a column; a click sorts by it.
type headCell struct {
	widget.BaseWidget
	t       *Table
	index   int
	hovered bool
}

func newHeadCell(t *Table, i int) *headCell {
	c := &headCell{t: t, index: i}
	c.ExtendBaseWidget(c)
	return c
}

func (c *headCell) column() Column { return c.t.columns[c.index] }

// Tapped sorts by the column.
func (c *headCell) Tapped(*fyne.PointEvent) {
	if c.column().Sorts && c.t.On.Sort != nil {
		c.t.On.Sort(c.column().Key)
	}
}

// MouseIn is called by Fyne.
func (c *headCell) MouseIn(*desktop.MouseEvent) { c.hovered = c.column().Sorts; c.Refresh() }

// MouseMoved is called by Fyne.
func (c *headCell) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by Fyne.
func (c *headCell) MouseOut() { c.hovered = false; c.Refresh() }

// Cursor shows what can be pressed.
func (c *headCell) Cursor() desktop.Cursor {
	if c.column().Sorts {
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}

// CreateRenderer is called by Fyne.
func (c *headCell) CreateRenderer() fyne.WidgetRenderer {
	r := &headCellRenderer{c: c, text: canvas.NewText("", noColor), mark: canvas.NewImageFromResource(nil)}
	r.mark.FillMode = canvas.ImageFillContain
	return r
}

type headCellRenderer struct {
	c    *headCell
	text *canvas.Text
	mark *canvas.Image
}

const markSize float32 = 10

func (r *headCellRenderer) Layout(size fyne.Size) {
	r.paint()
	m := r.text.MinSize()
	x := float32(0)
	if r.c.column().Right {
		x = size.Width - m.Width
	}
	r.text.Move(fyne.NewPos(x, (size.Height-m.Height)/2))
	r.text.Resize(m)
	at := x + m.Width + 3
	if r.c.column().Right {
		at = x - markSize - 3
	}
	r.mark.Move(fyne.NewPos(at, round((size.Height-markSize)/2)))
	r.mark.Resize(fyne.NewSquareSize(markSize))
}

func (r *headCellRenderer) paint() {
	color := theme.Faint
	sorted := r.c.t.sorted != "" && r.c.t.sorted == r.c.column().Key
	if r.c.hovered || sorted {
		color = theme.Secondary
	}
	Style{Size: theme.TextCaption, Face: Medium}.In(color).apply(r.text)
	r.text.Text = r.c.column().Title
	switch {
	case !sorted:
		r.mark.Hide()
	case r.c.t.reverse:
		show(r.mark, theme.IconUp, color)
	default:
		show(r.mark, theme.IconDown, color)
	}
}

func (r *headCellRenderer) MinSize() fyne.Size { return fyne.NewSize(10, headHeight-4) }
func (r *headCellRenderer) Refresh() {
	r.Layout(r.c.Size())
	r.text.Refresh()
	r.mark.Refresh()
}

func (r *headCellRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.text, r.mark}
}
func (r *headCellRenderer) Destroy() {}
