package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
)

// natural is implemented by objects that like to be larger than their MinSize.
type natural interface{ Natural() fyne.Size }

func liked(o fyne.CanvasObject) fyne.Size {
	if n, ok := o.(natural); ok {
		return n.Natural()
	}
	return o.MinSize()
}

// NoGrow is for Across and Down: none of the objects takes the space left.
const NoGrow = -1

// Across lays objects out from left to right, each as wide as it likes, centred in
// height; the one at index grow takes the space that is left. When there is too
// little, those that can be cut give way.
func Across(gap float32, grow int, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&across{gap: gap, grow: grow}, objects...)
}

type across struct {
	gap  float32
	grow int
}

func (l *across) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	widths := make([]float32, len(objects))
	left, slack := size.Width, float32(0)
	shown := 0
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		shown++
		widths[i] = liked(o).Width
		left -= widths[i]
		slack += widths[i] - o.MinSize().Width
	}
	left -= l.gap * float32(max(0, shown-1))
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		switch {
		case left < 0 && slack > 0:
			widths[i] += max(left, -slack) * (widths[i] - o.MinSize().Width) / slack
		case left > 0 && i == l.grow:
			widths[i] += left
		}
	}
	x := float32(0)
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		h := o.MinSize().Height
		o.Move(fyne.NewPos(x, round((size.Height-h)/2)))
		o.Resize(fyne.NewSize(widths[i], h))
		x += widths[i] + l.gap
	}
}

func (l *across) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	shown := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		shown++
		m := o.MinSize()
		s.Width += m.Width
		s.Height = max(s.Height, m.Height)
	}
	s.Width += l.gap * float32(max(0, shown-1))
	return s
}

// Down lays objects out from top to bottom, each as wide as the column; the
// one at index grow takes the height that is left.
func Down(gap float32, grow int, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&down{gap: gap, grow: grow}, objects...)
}

type down struct {
	gap  float32
	grow int
}

func (l *down) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	left := size.Height - l.MinSize(objects).Height
	y := float32(0)
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		h := o.MinSize().Height
		if i == l.grow && left > 0 {
			h += left
		}
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, h))
		y += h + l.gap
	}
}

func (l *down) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	shown := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		shown++
		m := o.MinSize()
		s.Height += m.Height
		s.Width = max(s.Width, m.Width)
	}
	s.Height += l.gap * float32(max(0, shown-1))
	return s
}

// Pad sets an object off from its surroundings.
func Pad(top, right, bottom, left float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedLayout(top, bottom, left, right), o)
}

// Gap is empty space.
func Gap(width, height float32) fyne.CanvasObject {
	r := canvas.NewRectangle(nil)
	r.FillColor = noColor
	r.SetMinSize(fyne.NewSize(width, height))
	return r
}

// Centered puts an object in the middle, as large as it likes.
func Centered(o fyne.CanvasObject) *fyne.Container { return container.NewCenter(o) }

// Wide makes an object at least so wide, and Tall so high.
func Wide(width float32, o fyne.CanvasObject) *fyne.Container {
	return container.NewStack(Gap(width, 0), o)
}

// Whole keeps an object from being cut, up to a width.
func Whole(most float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(&whole{most}, o)
}

type whole struct{ most float32 }

func (l *whole) Layout(o []fyne.CanvasObject, size fyne.Size) { o[0].Resize(size) }
func (l *whole) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(min(l.most, liked(o[0]).Width), o[0].MinSize().Height)
}

func round(v float32) float32 { return float32(int(v + 0.5)) }
