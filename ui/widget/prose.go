package widget

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Prose is text of several lines, broken at words to a fixed width, or, with
// width 0, to the width it is given.
type Prose struct {
	widget.BaseWidget
	text  string
	style Style
	width float32
}

// NewProse makes an empty text of a width.
func NewProse(style Style, width float32) *Prose {
	p := &Prose{style: style, width: width}
	p.ExtendBaseWidget(p)
	return p
}

// Set changes the text.
func (p *Prose) Set(text string) {
	if p.text != text {
		p.text = text
		p.Refresh()
	}
}

// Natural is the size at which nothing is broken.
func (p *Prose) Natural() fyne.Size {
	if p.width > 0 {
		return p.MinSize()
	}
	widest := float32(0)
	for _, line := range strings.Split(p.text, "\n") {
		widest = max(widest, p.style.Width(line))
	}
	return fyne.NewSize(widest, p.MinSize().Height)
}

// lines breaks the text.
func (p *Prose) lines() []string {
	var out []string
	for _, paragraph := range strings.Split(p.text, "\n") {
		line := ""
		for _, word := range p.words(paragraph) {
			next := word
			if line != "" {
				next = line + " " + word
			}
			if line != "" && p.style.measure(next).Width > p.room() {
				out = append(out, line)
				next = word
			}
			line = next
		}
		out = append(out, line)
	}
	return out
}

// words are those of a paragraph; one that is longer than a line, such as a
// digest, comes in pieces.
func (p *Prose) words(paragraph string) []string {
	var out []string
	for _, word := range strings.Fields(paragraph) {
		for runes := []rune(word); len(runes) > 1 && p.style.measure(word).Width > p.room(); word = string(runes) {
			n := 1
			for n < len(runes)-1 && p.style.measure(string(runes[:n+1])).Width <= p.room() {
				n++
			}
			out, runes = append(out, string(runes[:n])), runes[n:]
		}
		out = append(out, word)
	}
	return out
}

// SetStyle changes the style.
func (p *Prose) SetStyle(s Style) {
	if p.style != s {
		p.style = s
		p.Refresh()
	}
}

// room is how wide a line may be; before the first layout anything goes.
func (p *Prose) room() float32 {
	switch {
	case p.width > 0:
		return p.width
	case p.Size().Width > 0:
		return p.Size().Width
	}
	return 10_000
}

// Resize breaks the text anew when the width follows.
func (p *Prose) Resize(size fyne.Size) {
	changed := p.width == 0 && p.Size().Width != size.Width
	p.BaseWidget.Resize(size)
	if changed {
		p.Refresh()
	}
}

func (p *Prose) lineHeight() float32 { return ceil(p.style.measure("X").Height) + 2 }

// CreateRenderer is called by Fyne.
func (p *Prose) CreateRenderer() fyne.WidgetRenderer {
	r := &proseRenderer{p: p}
	r.Refresh()
	return r
}

type proseRenderer struct {
	p     *Prose
	lines []fyne.CanvasObject
}

func (r *proseRenderer) Layout(size fyne.Size) {
	for i, l := range r.lines {
		l.Move(fyne.NewPos(0, float32(i)*r.p.lineHeight()))
		l.Resize(fyne.NewSize(size.Width, r.p.lineHeight()))
	}
}

func (r *proseRenderer) MinSize() fyne.Size {
	return fyne.NewSize(r.p.width, float32(len(r.lines))*r.p.lineHeight())
}

func (r *proseRenderer) Refresh() {
	r.lines = nil
	for _, l := range r.p.lines() {
		t := canvas.NewText(l, noColor)
		r.p.style.apply(t)
		r.lines = append(r.lines, t)
	}
	r.Layout(r.p.Size())
	canvas.Refresh(r.p)
}
func (r *proseRenderer) Objects() []fyne.CanvasObject { return r.lines }
func (r *proseRenderer) Destroy()                     {}
