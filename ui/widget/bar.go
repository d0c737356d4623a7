package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Part is a stretch of a bar, as a part of the whole between 0 and 1.
type Part struct {
	Part  float32
	Color fyne.ThemeColorName
}

// Bar is a horizontal bar of coloured parts over a track: a progress, a disk, an
// image by layers.
type Bar struct {
	widget.BaseWidget
	height float32
	gap    float32
	radius float32
	parts  []Part
	track  fyne.ThemeColorName
}

// NewBar makes a bar whose parts touch.
func NewBar(height float32, parts ...Part) *Bar {
	b := &Bar{height: height, radius: height / 2, parts: parts, track: theme.Raised}
	b.ExtendBaseWidget(b)
	return b
}

// NewLayerBar makes a bar with gaps, one part for each layer.
func NewLayerBar(parts ...Part) *Bar {
	b := &Bar{height: 14, gap: 3, radius: 3, parts: parts, track: theme.Clear}
	b.ExtendBaseWidget(b)
	return b
}

// Set changes the parts.
func (b *Bar) Set(parts ...Part) {
	b.parts = parts
	b.Refresh()
}

// CreateRenderer is called by Fyne.
func (b *Bar) CreateRenderer() fyne.WidgetRenderer {
	r := &barRenderer{b: b, track: canvas.NewRectangle(noColor)}
	r.Refresh()
	return r
}

type barRenderer struct {
	b     *Bar
	track *canvas.Rectangle
	rects []*canvas.Rectangle
}

// widths shares the width out: what is there is never thinner than two points.
func (b *Bar) widths(total float32) []float32 {
	n := 0
	for _, p := range b.parts {
		if p.Part > 0 {
			n++
		}
	}
	total -= b.gap * float32(max(0, n-1))
	out := make([]float32, len(b.parts))
	var sum float32
	for i, p := range b.parts {
		if p.Part > 0 {
			out[i] = max(2, p.Part*total)
			sum += out[i]
		}
	}
	if sum > total && sum > 0 {
		for i := range out {
			out[i] *= total / sum
		}
	}
	return out
}

func (r *barRenderer) Layout(size fyne.Size) {
	y := round((size.Height - r.b.height) / 2)
	r.track.Move(fyne.NewPos(0, y))
	r.track.Resize(fyne.NewSize(size.Width, r.b.height))
	x := float32(0)
	widths := r.b.widths(size.Width)
	first, last := -1, -1
	for i, w := range widths {
		if w > 0 {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	for i, w := range widths {
		rect := r.rects[i]
		if w <= 0 {
			rect.Hide()
			continue
		}
		rect.Show()
		left := round(x) // whole points, lest the track shines through between parts
		rect.Move(fyne.NewPos(left, y))
		rect.Resize(fyne.NewSize(max(1, round(x+w)-left), r.b.height))
		r.corners(rect, i == first, i == last)
		x += w + r.b.gap
	}
}

// corners rounds the outer ends of touching parts, and all corners of others.
func (r *barRenderer) corners(rect *canvas.Rectangle, first, last bool) {
	if r.b.gap > 0 || first && last {
		rect.CornerRadius = r.b.radius
		return
	}
	rect.CornerRadius = 0
	rect.TopLeftCornerRadius, rect.BottomLeftCornerRadius = 0, 0
	rect.TopRightCornerRadius, rect.BottomRightCornerRadius = 0, 0
	if first {
		rect.TopLeftCornerRadius, rect.BottomLeftCornerRadius = r.b.radius, r.b.radius
	}
	if last {
		rect.TopRightCornerRadius, rect.BottomRightCornerRadius = r.b.radius, r.b.radius
	}
}

func (r *barRenderer) MinSize() fyne.Size { return fyne.NewSize(24, r.b.height) }

func (r *barRenderer) Refresh() {
	r.track.FillColor, r.track.CornerRadius = theme.Of(r.b.track), r.b.radius
	for len(r.rects) < len(r.b.parts) {
		r.rects = append(r.rects, canvas.NewRectangle(noColor))
	}
	r.rects = r.rects[:len(r.b.parts)]
	for i, p := range r.b.parts {
		r.rects[i].FillColor = theme.Of(p.Color)
	}
	r.Layout(r.b.Size())
	canvas.Refresh(r.b)
}

func (r *barRenderer) Objects() []fyne.CanvasObject {
	out := []fyne.CanvasObject{r.track}
	for _, rect := range r.rects {
		out = append(out, rect)
	}
	return out
}
func (r *barRenderer) Destroy() {}
