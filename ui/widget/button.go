package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
)

// Variant is the weight of a button.
type Variant int

// The variants. One page has at most one primary button.
const (
	Normal Variant = iota
	Primary
	DangerKind
	Ghost // no background until the pointer is over it
	Link  // a word in the accent colour
)

// Button is a button with an icon, a label, or both. It takes the focus, and
// Space and Enter press it.
type Button struct {
	hinted
	part
	// OnTapped is called when it is pressed.
	OnTapped func()

	label    string
	icon     theme.Icon
	trailing theme.Icon
	variant  Variant
	height   float32
	disabled bool
	hovered  bool
	pressed  bool
	focused  bool
	quiet    bool // small, and set tight
	mono     bool
	colors   *buttonColors
}

// buttonColors replace those of the variant, on surfaces of their own colour.
type buttonColors struct{ fore, over fyne.ThemeColorName }

// NewButton makes a button; an empty icon means none.
func NewButton(label string, icon theme.Icon, v Variant, tapped func()) *Button {
	b := &Button{label: label, icon: icon, variant: v, height: theme.ControlHeight, OnTapped: tapped}
	b.ExtendBaseWidget(b)
	return b
}

// NewSmallButton makes a button for rows and cards.
func NewSmallButton(label string, icon theme.Icon, v Variant, tapped func()) *Button {
	b := NewButton(label, icon, v, tapped)
	b.height = theme.SmallHeight
	return b
}

// NewIconButton makes a button that is only an icon; tip says what it does.
func NewIconButton(icon theme.Icon, tip string, tapped func()) *Button {
	b := NewSmallButton("", icon, Ghost, tapped)
	b.SetToolTip(tip)
	return b
}

// NewMenuButton makes a button that opens a menu.
func NewMenuButton(label string, tapped func()) *Button {
	b := NewButton(label, "", Normal, tapped)
	b.trailing = theme.IconDown
	return b
}

// Label is the text of the button.
func (b *Button) Label() string { return b.label }

// SetLabel changes the text.
func (b *Button) SetLabel(s string) {
	if b.label != s {
		b.label = s
		b.Refresh()
	}
}

// SetIcon changes the picture.
func (b *Button) SetIcon(i theme.Icon) {
	if b.icon != i {
		b.icon = i
		b.Refresh()
	}
}

// SetVariant changes the weight.
func (b *Button) SetVariant(v Variant) {
	if b.variant != v {
		b.variant = v
		b.Refresh()
	}
}

// SetDisabled greys the button out.
func (b *Button) SetDisabled(off bool) {
	if b.disabled != off {
		b.disabled = off
		b.Refresh()
	}
}

// Tapped presses it.
func (b *Button) Tapped(*fyne.PointEvent) {
	b.hinted.MouseOut()
	if !b.disabled && b.OnTapped != nil {
		b.OnTapped()
	}
}

// MouseIn is called by Fyne.
func (b *Button) MouseIn(e *desktop.MouseEvent) {
	b.hinted.MouseIn(e)
	b.hover(true)
}

// MouseOut is called by Fyne.
func (b *Button) MouseOut() {
	b.hinted.MouseOut()
	b.pressed = false
	b.hover(false)
}

func (b *Button) hover(on bool) {
	b.hovered = on
	b.Refresh()
	b.over(on)
}

// MouseDown is called by Fyne.
func (b *Button) MouseDown(*desktop.MouseEvent) { b.pressed = true; b.Refresh() }

// MouseUp is called by Fyne.
func (b *Button) MouseUp(*desktop.MouseEvent) { b.pressed = false; b.Refresh() }

// Cursor shows that it can be pressed.
func (b *Button) Cursor() desktop.Cursor {
	if b.disabled {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

// FocusGained is called by Fyne.
func (b *Button) FocusGained() { b.focused = true; b.Refresh() }

// FocusLost is called by Fyne.
func (b *Button) FocusLost() { b.focused = false; b.Refresh() }

// TypedRune is called by Fyne.
func (b *Button) TypedRune(rune) {}

// TypedKey presses it on Space and Enter, and gives the window the other keys.
func (b *Button) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		b.Tapped(nil)
	default:
		handOn(b, e)
	}
}

// handOn gives a key to the window: Fyne gives it to the focused widget only.
func handOn(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}

// look gives fill and text colour.
func (b *Button) look() (fill, fore fyne.ThemeColorName) {
	switch b.variant {
	case Primary:
		fill, fore = theme.Accent, theme.OnAccent
		if b.hovered {
			fill = theme.AccentOver
		}
	case DangerKind:
		fill, fore = theme.DangerBg, theme.Danger
	case Ghost:
		fill, fore = theme.Clear, theme.Secondary
		if b.hovered {
			fill, fore = theme.Raised, theme.Text
		}
	case Link:
		fill, fore = theme.Clear, theme.Accent
	default:
		fill, fore = theme.Raised, theme.Text
		if b.hovered {
			fill = theme.Pressed
		}
	}
	if b.colors != nil {
		fore = b.colors.fore
		if b.hovered {
			fore = b.colors.over
			fill = theme.Clear
		}
	}
	if b.disabled {
		fill, fore = theme.Raised, theme.Faint
	}
	return fill, fore
}

// CreateRenderer is called by Fyne.
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	r := &buttonRenderer{
		b: b, area: canvas.NewRectangle(noColor), icon: canvas.NewImageFromResource(nil),
		tail: canvas.NewImageFromResource(nil), text: canvas.NewText("", noColor),
	}
	r.area.CornerRadius = theme.RadiusControl
	r.icon.FillMode, r.tail.FillMode = canvas.ImageFillContain, canvas.ImageFillContain
	r.paint()
	return r
}

type buttonRenderer struct {
	b          *Button
	area       *canvas.Rectangle
	icon, tail *canvas.Image
	text       *canvas.Text
}

func (b *Button) textStyle() Style {
	switch {
	case b.mono:
		return Code
	case b.quiet:
		return Style{Size: 12}
	}
	return Style{Face: Medium}
}

// parts gives the widths of icon, text and tail with the gaps between.
func (b *Button) parts() (icon, text, tail, total float32) {
	if b.icon != "" {
		icon = theme.IconSize
	}
	if b.label != "" {
		text = ceil(b.textStyle().measure(b.label).Width)
	}
	if b.trailing != "" {
		tail = 12
	}
	total = icon + text + tail
	if icon > 0 && text > 0 {
		total += theme.Gap
	}
	if tail > 0 {
		total += theme.Gap
	}
	return icon, text, tail, total
}

func (r *buttonRenderer) MinSize() fyne.Size {
	_, text, _, total := r.b.parts()
	switch {
	case text == 0:
		return fyne.NewSquareSize(r.b.height)
	case r.b.variant == Link:
		return fyne.NewSize(total, r.b.height)
	}
	if r.b.quiet {
		return fyne.NewSize(total+2*theme.Gap, r.b.height)
	}
	return fyne.NewSize(total+2*theme.Inset, r.b.height)
}

func (r *buttonRenderer) Layout(size fyne.Size) {
	r.area.Resize(size)
	icon, text, tail, total := r.b.parts()
	x := round((size.Width - total) / 2)
	place := func(o fyne.CanvasObject, w, h float32) {
		if w > 0 {
			o.Move(fyne.NewPos(x, round((size.Height-h)/2)))
			o.Resize(fyne.NewSize(w, h))
			x += w + theme.Gap
		}
	}
	place(r.icon, icon, icon)
	place(r.text, text, r.text.MinSize().Height)
	place(r.tail, tail, tail)
}

func (r *buttonRenderer) paint() {
	fill, fore := r.b.look()
	r.area.FillColor = theme.Of(fill)
	r.area.StrokeColor, r.area.StrokeWidth = noColor, 0
	if r.b.focused {
		r.area.StrokeColor, r.area.StrokeWidth = theme.Of(theme.Accent), 1.5
		switch {
		case r.b.variant == Primary:
			r.area.StrokeColor = theme.Of(theme.Text)
		case fill == theme.Clear:
			r.area.FillColor = hollow(r.area.StrokeColor)
		}
	}
	if r.b.pressed && !r.b.disabled && r.b.variant != Primary && r.b.variant != Link {
		r.area.FillColor = theme.Of(theme.Pressed)
	}
	s := r.b.textStyle()
	s.Color = fore
	s.apply(r.text)
	r.text.Text = r.b.label
	show(r.icon, r.b.icon, fore)
	show(r.tail, r.b.trailing, fore)
}

func show(img *canvas.Image, i theme.Icon, color fyne.ThemeColorName) {
	if i == "" {
		img.Hide()
		return
	}
	img.Resource = i.Resource(color)
	img.Show()
}

func (r *buttonRenderer) Refresh() {
	r.paint()
	r.Layout(r.b.Size())
	r.area.Refresh()
	r.icon.Refresh()
	r.tail.Refresh()
	r.text.Refresh()
}

func (r *buttonRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.area, r.icon, r.text, r.tail}
}
func (r *buttonRenderer) Destroy() {}

// NewQuietButton makes a line of text that can be pressed: it looks like a remark.
func NewQuietButton(label string, tapped func()) *Button {
	b := NewSmallButton(label, "", Ghost, tapped)
	b.quiet = true
	return b
}

// NewQuietMenu is NewQuietButton for one that opens a menu.
func NewQuietMenu(label string, tapped func()) *Button {
	b := NewQuietButton(label, tapped)
	b.trailing = theme.IconDown
	return b
}

// NewPlainButton makes a name that can be pressed, in the monospace face.
func NewPlainButton(label string, tapped func()) *Button {
	b := NewSmallButton(label, "", Ghost, tapped)
	b.quiet, b.mono = true, true
	b.height = 24
	return b
}

// NewTightButton makes an icon that can be pressed and stands close to a name.
func NewTightButton(icon theme.Icon, tip string, tapped func()) *Button {
	b := NewIconButton(icon, tip, tapped)
	b.height = 24
	return b
}
