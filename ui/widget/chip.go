package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// ChipTone is the colour of a chip.
type ChipTone int

// The tones.
const (
	ChipQuiet ChipTone = iota
	ChipAccent
	ChipWarning
	ChipDanger
)

// Chip is a short remark on a raised ground: «same as v2.4.1», «already in
// Berth», a tab. With OnTapped set it can be pressed.
type Chip struct {
	widget.BaseWidget
	part
	OnTapped func()
	text     string
	tip      string
	tone     ChipTone
	hovered  bool
}

// NewChip makes a chip.
func NewChip(text string, tone ChipTone) *Chip {
	c := &Chip{text: text, tone: tone}
	c.ExtendBaseWidget(c)
	return c
}

// NewTab makes a chip that chooses.
func NewTab(text string, tapped func()) *TabChip {
	c := &TabChip{Chip: Chip{text: text, OnTapped: tapped}}
	c.ExtendBaseWidget(c)
	return c
}

// TabChip is a chip that chooses.
type TabChip struct{ Chip }

// Set changes text and tone; an empty text hides the chip.
func (c *Chip) Set(text string, tone ChipTone) {
	if text == "" {
		c.Hide()
		return
	}
	changed := c.text != text || c.tone != tone
	c.text, c.tone = text, tone
	c.Show()
	if changed {
		c.Refresh()
	}
}

// SetTip gives the chip a tooltip.
func (c *Chip) SetTip(tip string) { c.tip = tip }

// Tip is the tooltip.
func (c *Chip) Tip() string { return c.tip }

// Tapped presses it.
func (c *TabChip) Tapped(*fyne.PointEvent) {
	if c.OnTapped != nil {
		c.OnTapped()
	}
}

// MouseIn is called by Fyne.
func (c *TabChip) MouseIn(*desktop.MouseEvent) { c.hovered = true; c.Refresh() }

// MouseMoved is called by Fyne.
func (c *TabChip) MouseMoved(*desktop.MouseEvent) {}

// MouseOut is called by Fyne.
func (c *TabChip) MouseOut() { c.hovered = false; c.Refresh() }

// Cursor shows that it can be pressed.
func (c *TabChip) Cursor() desktop.Cursor { return desktop.PointerCursor }

func (c *Chip) style() Style { return Style{Size: theme.TextCaption, Face: Medium} }

func (c *Chip) look() (fill, fore fyne.ThemeColorName) {
	switch c.tone {
	case ChipAccent:
		return theme.AccentBg, theme.Accent
	case ChipWarning:
		return theme.WarningBg, theme.Warning
	case ChipDanger:
		return theme.DangerBg, theme.Danger
	}
	if c.hovered {
		return theme.Pressed, theme.Text
	}
	return theme.Raised, theme.Secondary
}

// Natural is the size that shows the whole text.
func (c *Chip) Natural() fyne.Size {
	s := c.style().measure(c.text)
	return fyne.NewSize(ceil(s.Width)+14, 20)
}

// MinSize is what a few letters need.
func (c *Chip) MinSize() fyne.Size {
	n := c.Natural()
	if c.OnTapped != nil {
		return n
	}
	return fyne.NewSize(min(n.Width, 44), n.Height)
}

// CreateRenderer is called by Fyne.
func (c *Chip) CreateRenderer() fyne.WidgetRenderer {
	r := &chipRenderer{c: c, area: canvas.NewRectangle(noColor), line: canvas.NewText("", noColor)}
	r.area.CornerRadius = theme.RadiusSmall
	return r
}

type chipRenderer struct {
	c    *Chip
	area *canvas.Rectangle
	line *canvas.Text
}

func (r *chipRenderer) Layout(size fyne.Size) {
	r.paint(size)
	r.area.Resize(size)
	m := r.line.MinSize()
	r.line.Move(fyne.NewPos(round((size.Width-m.Width)/2), (size.Height-m.Height)/2))
	r.line.Resize(m)
}

func (r *chipRenderer) paint(size fyne.Size) {
	fill, fore := r.c.look()
	r.area.FillColor = theme.Of(fill)
	s := r.c.style().In(fore)
	s.apply(r.line)
	r.line.Text = fit(r.c.text, s, size.Width-12)
}

func (r *chipRenderer) MinSize() fyne.Size { return r.c.MinSize() }
func (r *chipRenderer) Refresh() {
	r.Layout(r.c.Size())
	r.area.Refresh()
	r.line.Refresh()
}
func (r *chipRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.area, r.line} }
func (r *chipRenderer) Destroy()                     {}
