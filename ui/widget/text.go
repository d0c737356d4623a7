package widget

import (
	"strings"

	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Face is a face of text.
type Face int

// The faces.
const (
	Regular Face = iota
	Medium       // for labels of ours only: it has no fallback for other scripts
	Strong
	Mono
)

// Style is how a Text looks. The zero value is body text.
type Style struct {
	Color fyne.ThemeColorName // empty means theme.Text
	Size  float32             // 0 means theme.TextBody, or theme.TextMono for Mono
	Face  Face
	Align fyne.TextAlign
}

// The styles that recur.
var (
	Body      = Style{}
	BodyBold  = Style{Face: Strong}
	Quiet     = Style{Color: theme.Secondary}
	Code      = Style{Face: Mono}
	CodeQuiet = Style{Face: Mono, Color: theme.Secondary}
	Caption   = Style{Color: theme.Faint, Size: theme.TextCaption}
	Section   = Style{Face: Strong, Size: theme.TextSection}
	Title     = Style{Face: Strong, Size: theme.TextTitle}
)

// Right gives the style aligned to the right, for numbers.
func (s Style) Right() Style { s.Align = fyne.TextAlignTrailing; return s }

// Center gives the style centred.
func (s Style) Center() Style { s.Align = fyne.TextAlignCenter; return s }

// In gives the style in another colour.
func (s Style) In(color fyne.ThemeColorName) Style { s.Color = color; return s }

// Sized gives the style in another size.
func (s Style) Sized(size float32) Style { s.Size = size; return s }

func (s Style) size() float32 {
	switch {
	case s.Size != 0:
		return s.Size
	case s.Face == Mono:
		return theme.TextMono
	}
	return theme.TextBody
}

func (s Style) fyne() (fyne.TextStyle, fyne.Resource) {
	switch s.Face {
	case Medium:
		return fyne.TextStyle{}, theme.Medium()
	case Strong:
		return fyne.TextStyle{Bold: true}, nil
	case Mono:
		return fyne.TextStyle{Monospace: true}, nil
	}
	return fyne.TextStyle{}, nil
}

func (s Style) measure(text string) fyne.Size {
	style, source := s.fyne()
	size, _ := fyne.CurrentApp().Driver().RenderedTextSize(text, s.size(), style, source)
	return size
}

// Width is that of a text in the style.
func (s Style) Width(text string) float32 { return ceil(s.measure(text).Width) }

// apply makes a canvas text look so.
func (s Style) apply(t *canvas.Text) {
	t.TextStyle, t.FontSource = s.fyne()
	t.TextSize = s.size()
	t.Alignment = s.Align
	color := s.Color
	if color == "" {
		color = theme.Text
	}
	t.Color = theme.Of(color)
}

// Tipper is a widget that has something to say in a tooltip.
type Tipper interface {
	// Tip is the text of the tooltip, empty for none.
	Tip() string
}

// Text is one line of text. It may be narrower than its text: then it ends in
// an ellipsis, and its tooltip is the whole text.
type Text struct {
	widget.BaseWidget
	text  string
	style Style
	tip   string
	alt   string
	shown string
}

// NewText makes a Text.
func NewText(text string, style Style) *Text {
	t := &Text{text: text, style: style}
	t.ExtendBaseWidget(t)
	return t
}

// Set changes the text.
func (t *Text) Set(text string) {
	if t.text != text {
		t.text = text
		t.Refresh()
	}
}

// SetStyle changes the style.
func (t *Text) SetStyle(s Style) {
	if t.style != s {
		t.style = s
		t.Refresh()
	}
}

// SetTip gives a tooltip that says more than the text, such as an absolute date.
func (t *Text) SetTip(tip string) { t.tip = tip }

// SetAlt gives what is shown instead where the text does not fit.
func (t *Text) SetAlt(alt string) { t.alt = alt }

// Text is the whole text.
func (t *Text) Text() string { return t.text }

// Tip is the tooltip: what SetTip said, or the text when it is cut.
func (t *Text) Tip() string {
	if t.tip == "" && t.shown != t.text {
		return t.text
	}
	return t.tip
}

// Natural is the size that shows the whole text.
func (t *Text) Natural() fyne.Size {
	s := t.style.measure(t.text)
	return fyne.NewSize(ceil(s.Width), s.Height)
}

// MinSize is what a few letters need.
func (t *Text) MinSize() fyne.Size {
	n := t.Natural()
	return fyne.NewSize(min(n.Width, 28), n.Height)
}

// CreateRenderer is called by Fyne.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	return &textRenderer{t: t, line: canvas.NewText("", theme.Of(theme.Text))}
}

type textRenderer struct {
	t    *Text
	line *canvas.Text
}

func (r *textRenderer) Layout(size fyne.Size) {
	r.fit(size)
	h := r.line.MinSize().Height
	r.line.Move(fyne.NewPos(0, (size.Height-h)/2))
	r.line.Resize(fyne.NewSize(size.Width, h))
}

func (r *textRenderer) fit(size fyne.Size) {
	r.t.style.apply(r.line)
	r.t.shown = fit(r.t.text, r.t.style, size.Width)
	if r.t.alt != "" && r.t.shown != r.t.text {
		r.t.shown = fit(r.t.alt, r.t.style, size.Width)
	}
	r.line.Text = r.t.shown
}

func (r *textRenderer) Refresh() {
	r.Layout(r.t.Size())
	r.line.Refresh()
}

func (r *textRenderer) MinSize() fyne.Size           { return r.t.MinSize() }
func (r *textRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.line} }
func (r *textRenderer) Destroy()                     {}

// fit cuts text to a width and marks the cut with an ellipsis.
func fit(text string, s Style, width float32) string {
	if text == "" || s.measure(text).Width <= width+0.5 {
		return text
	}
	runes := []rune(text)
	low, high := 0, len(runes)-1
	for low < high {
		mid := (low + high + 1) / 2
		if s.measure(string(runes[:mid])+"…").Width <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return strings.TrimRight(string(runes[:low]), " ") + "…"
}

func ceil(v float32) float32 {
	if w := float32(int(v)); w < v {
		return w + 1
	}
	return v
}
