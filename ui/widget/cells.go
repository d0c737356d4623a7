package widget

import (
	"strings"

	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Composed is the base of widgets that are made of others.
type Composed struct {
	widget.BaseWidget
	root fyne.CanvasObject
}

// CreateRenderer is called by Fyne.
func (c *Composed) CreateRenderer() fyne.WidgetRenderer { return &holder{c.root} }

// Natural is the size at which nothing inside is cut.
func (c *Composed) Natural() fyne.Size {
	return fyne.NewSize(likedWidth(c.root), c.root.MinSize().Height)
}

func (c *Composed) join(hover func(bool), menu func(*fyne.PointEvent)) { joinAll(c.root, hover, menu) }

// tipAt passes the question on to what it is made of.
func (c *Composed) tipAt(at fyne.Position) string { return tipAt(c.root, at) }

// NameCell is the name of a tag with its marks: attached, and a chip.
type NameCell struct {
	Composed
	name *Text
	mark *Tipped
	chip *Chip
	pin  *Tipped
	lock *Tipped
}

// NewNameCell makes a cell.
func NewNameCell() *NameCell {
	c := &NameCell{name: NewText("", BodyBold), mark: NewTipped(NewIcon(theme.IconAttached, theme.Secondary)), chip: NewChip("", ChipQuiet)}
	c.pin, c.lock = NewTipped(NewSizedIcon(theme.IconPin, theme.Accent, 14)), NewTipped(NewSizedIcon(theme.IconLock, theme.Secondary, 14))
	c.pin.Hidden, c.lock.Hidden = true, true
	c.root = container.New(nameLayout{}, c.name, c.mark, c.chip, c.pin, c.lock)
	c.ExtendBaseWidget(c)
	return c
}

// Set shows a name; mark is the tooltip of the paper clip, chip the remark with its
// tooltip. Empty ones are not shown.
func (c *NameCell) Set(name, mark, chip, chipTip string) {
	c.name.Set(name)
	c.mark.Hidden = mark == ""
	c.mark.SetTip(mark)
	c.chip.Set(chip, ChipQuiet)
	c.chip.SetTip(chipTip)
	c.root.Refresh()
}

// SetSigns shows a pin and a lock, each with its tooltip; empty ones are not
// shown.
func (c *NameCell) SetSigns(pin, lock string) {
	c.pin.Hidden, c.lock.Hidden = pin == "", lock == ""
	c.pin.SetTip(pin)
	c.lock.SetTip(lock)
	c.root.Refresh()
}

// nameLayout cuts the chip before the name; the signs stand before the chip.
type nameLayout struct{}

func (nameLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	widths := make([]float32, len(o))
	room := size.Width
	for i, x := range o {
		if x.Visible() {
			widths[i] = liked(x).Width
			room -= widths[i] + theme.Gap
		}
	}
	room += theme.Gap
	for _, i := range []int{2, 0} {
		if room < 0 && o[i].Visible() {
			cut := min(-room, max(0, widths[i]-o[i].MinSize().Width))
			widths[i] -= cut
			room += cut
		}
	}
	x := float32(0)
	for _, i := range []int{0, 3, 4, 1, 2} {
		if c := o[i]; c.Visible() {
			h := c.MinSize().Height
			c.Move(fyne.NewPos(x, round((size.Height-h)/2)))
			c.Resize(fyne.NewSize(widths[i], h))
			x += widths[i] + theme.Gap
		}
	}
}

func (nameLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	return (&across{gap: theme.Gap}).MinSize(o)
}

// Tipped gives an object a tooltip within a row.
type Tipped struct {
	Composed
	tip string
}

// NewTipped wraps an object.
func NewTipped(o fyne.CanvasObject) *Tipped {
	t := &Tipped{}
	t.root = o
	t.ExtendBaseWidget(t)
	return t
}

// SetTip changes the tooltip.
func (t *Tipped) SetTip(tip string) { t.tip = tip }

// Tip is the tooltip.
func (t *Tipped) Tip() string { return t.tip }

// Digest shows a short digest; a click copies the whole.
type Digest struct {
	Composed
	part
	// Copy is called with the whole digest.
	Copy  func(digest string)
	text  *Text
	whole string
}

// NewDigest makes a digest.
func NewDigest(copied func(string)) *Digest {
	d := &Digest{Copy: copied, text: NewText("", CodeQuiet)}
	d.root = d.text
	d.ExtendBaseWidget(d)
	return d
}

// Set shows a digest; where text does not fit, it is cut to its first eight
// characters of hexadecimal.
func (d *Digest) Set(whole, text string) {
	d.whole = whole
	_, hex, _ := strings.Cut(whole, ":")
	d.text.SetAlt(hex[:min(8, len(hex))])
	d.text.Set(text)
}

// Tip is the whole digest, and what a click does.
func (d *Digest) Tip() string { return d.whole + "\nClick to copy" }

// Tapped copies the digest.
func (d *Digest) Tapped(*fyne.PointEvent) { call(d.Copy, d.whole) }

// Cursor shows that it can be pressed.
func (d *Digest) Cursor() desktop.Cursor { return desktop.PointerCursor }

func (d *Digest) join(hover func(bool), menu func(*fyne.PointEvent)) { d.part.join(hover, menu) }

// Command is a line to paste, behind a prompt, with a button that copies it.
type Command struct {
	Composed
	line *Text
	// Copy is called with the line.
	Copy func(line string)
}

// NewCommand makes a line.
func NewCommand(line string, copied func(string)) *Command {
	c := &Command{line: NewText(line, CodeQuiet), Copy: copied}
	button := NewIconButton(theme.IconCopy, "Copy", func() { call(c.Copy, c.line.Text()) })
	button.height = 24
	c.root = NewSurface(theme.Raised, theme.RadiusControl, Pad(4, 6, 4, 10,
		Across(theme.Gap, 1, NewText("$", CodeQuiet.In(theme.Faint)), NewTips(c.line), button)))
	c.ExtendBaseWidget(c)
	return c
}

// Set changes the line.
func (c *Command) Set(line string) { c.line.Set(line) }

// Line is what is copied.
func (c *Command) Line() string { return c.line.Text() }
