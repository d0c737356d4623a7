package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
)

// Pressable makes what it holds one thing to press, with a tooltip.
type Pressable struct {
	hinted
	content fyne.CanvasObject
	tapped  func()
}

// NewPressable wraps an object.
func NewPressable(content fyne.CanvasObject, tapped func()) *Pressable {
	p := &Pressable{content: content, tapped: tapped}
	p.ExtendBaseWidget(p)
	return p
}

// Natural is what the content likes.
func (p *Pressable) Natural() fyne.Size {
	return fyne.NewSize(likedWidth(p.content), p.content.MinSize().Height)
}

// Tapped presses it.
func (p *Pressable) Tapped(*fyne.PointEvent) {
	p.MouseOut()
	run(p.tapped)
}

// Cursor shows that it can be pressed.
func (p *Pressable) Cursor() desktop.Cursor { return desktop.PointerCursor }

// CreateRenderer is called by Fyne.
func (p *Pressable) CreateRenderer() fyne.WidgetRenderer { return &holder{p.content} }

// Switch turns something on and off. It shows what it is told, and never changes
// by itself. It takes the focus; Space and Enter press it.
type Switch struct {
	hinted
	part
	OnTapped func()
	on       bool
	disabled bool
	focused  bool
}

// NewSwitch makes a switch.
func NewSwitch(tapped func()) *Switch {
	s := &Switch{OnTapped: tapped}
	s.ExtendBaseWidget(s)
	return s
}

// Set shows a state; a disabled switch takes no clicks.
func (s *Switch) Set(on, disabled bool) {
	if s.on != on || s.disabled != disabled {
		s.on, s.disabled = on, disabled
		s.Refresh()
	}
}

// On says what it shows.
func (s *Switch) On() bool { return s.on }

// Tapped reports a click.
func (s *Switch) Tapped(*fyne.PointEvent) {
	if !s.disabled {
		run(s.OnTapped)
	}
}

// MouseIn is called by Fyne.
func (s *Switch) MouseIn(e *desktop.MouseEvent) { s.hinted.MouseIn(e); s.over(true) }

// MouseOut is called by Fyne.
func (s *Switch) MouseOut() { s.hinted.MouseOut(); s.over(false) }

// Cursor shows that it can be pressed.
func (s *Switch) Cursor() desktop.Cursor {
	if s.disabled {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

// FocusGained is called by Fyne.
func (s *Switch) FocusGained() { s.focused = true; s.Refresh() }

// FocusLost is called by Fyne.
func (s *Switch) FocusLost() { s.focused = false; s.Refresh() }

// TypedRune is called by Fyne.
func (s *Switch) TypedRune(rune) {}

// TypedKey presses it on Space and Enter, and gives the window the other keys.
func (s *Switch) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		s.Tapped(nil)
	default:
		handOn(s, e)
	}
}

// CreateRenderer is called by Fyne.
func (s *Switch) CreateRenderer() fyne.WidgetRenderer {
	r := &switchRenderer{s: s, track: canvas.NewRectangle(noColor), knob: canvas.NewCircle(noColor)}
	r.paint()
	return r
}

const (
	switchWidth  float32 = 32
	switchHeight float32 = 18
)

type switchRenderer struct {
	s     *Switch
	track *canvas.Rectangle
	knob  *canvas.Circle
}

func (r *switchRenderer) paint() {
	r.track.CornerRadius = switchHeight / 2
	r.track.FillColor, r.knob.FillColor = theme.Of(theme.Pressed), theme.Of(theme.Secondary)
	if r.s.on {
		r.track.FillColor, r.knob.FillColor = theme.Of(theme.Accent), theme.Of(theme.OnSwitch)
	}
	if r.s.disabled {
		r.track.FillColor = faded(r.track.FillColor)
	}
	r.track.StrokeWidth, r.track.StrokeColor = 0, noColor
	if r.s.focused {
		r.track.StrokeWidth, r.track.StrokeColor = 1.5, theme.Of(theme.Text)
	}
}

func (r *switchRenderer) Layout(size fyne.Size) {
	y := round((size.Height - switchHeight) / 2)
	r.track.Move(fyne.NewPos(0, y))
	r.track.Resize(fyne.NewSize(switchWidth, switchHeight))
	const knob = switchHeight - 4
	x := float32(2)
	if r.s.on {
		x = switchWidth - knob - 2
	}
	r.knob.Move(fyne.NewPos(x, y+2))
	r.knob.Resize(fyne.NewSquareSize(knob))
}

func (r *switchRenderer) MinSize() fyne.Size { return fyne.NewSize(switchWidth, switchHeight) }
func (r *switchRenderer) Refresh() {
	r.paint()
	r.Layout(r.s.Size())
	canvas.Refresh(r.s)
}

func (r *switchRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.track, r.knob}
}
func (r *switchRenderer) Destroy() {}
