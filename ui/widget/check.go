package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Check is a check box without a label. It shows what it is told, and never
// changes by itself.
type Check struct {
	widget.BaseWidget
	part
	OnTapped func()
	checked  bool
}

// NewCheck makes a box.
func NewCheck(tapped func()) *Check {
	c := &Check{OnTapped: tapped}
	c.ExtendBaseWidget(c)
	return c
}

// Set checks the box.
func (c *Check) Set(on bool) {
	if c.checked != on {
		c.checked = on
		c.Refresh()
	}
}

// Checked says whether the box is checked.
func (c *Check) Checked() bool { return c.checked }

// Tapped reports a click.
func (c *Check) Tapped(*fyne.PointEvent) {
	if c.OnTapped != nil {
		c.OnTapped()
	}
}

// Cursor shows that it can be pressed.
func (c *Check) Cursor() desktop.Cursor { return desktop.PointerCursor }

// CreateRenderer is called by Fyne.
func (c *Check) CreateRenderer() fyne.WidgetRenderer {
	r := &checkRenderer{c: c, box: canvas.NewRectangle(noColor), tick: canvas.NewImageFromResource(nil)}
	r.tick.FillMode = canvas.ImageFillContain
	r.box.CornerRadius, r.box.StrokeWidth = theme.RadiusSmall, 1.25
	r.paint()
	return r
}

const boxSize float32 = 15

type checkRenderer struct {
	c    *Check
	box  *canvas.Rectangle
	tick *canvas.Image
}

func (r *checkRenderer) paint() {
	r.box.StrokeColor = theme.Of(theme.Faint)
	r.box.FillColor = hollow(r.box.StrokeColor)
	if r.c.checked {
		r.box.FillColor, r.box.StrokeColor = theme.Of(theme.Accent), theme.Of(theme.Accent)
		show(r.tick, theme.IconCheck, theme.OnAccent)
	} else {
		r.tick.Hide()
	}
}

func (r *checkRenderer) Layout(size fyne.Size) {
	x, y := theme.Gap, round((size.Height-boxSize)/2)
	r.box.Move(fyne.NewPos(x, y))
	r.box.Resize(fyne.NewSquareSize(boxSize))
	r.tick.Move(fyne.NewPos(x+2.5, y+2.5))
	r.tick.Resize(fyne.NewSquareSize(boxSize - 5))
}

func (r *checkRenderer) MinSize() fyne.Size { return fyne.NewSize(checkWidth, boxSize) }
func (r *checkRenderer) Refresh() {
	r.paint()
	r.box.Refresh()
	r.tick.Refresh()
}
func (r *checkRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.box, r.tick} }
func (r *checkRenderer) Destroy()                     {}
