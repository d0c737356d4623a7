package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Flow lays objects out from left to right, each as wide as it likes, and begins
// a new line where there is no room. Its least height is that of the width it had
// last: give it a width, then ask.
func Flow(gap, lineGap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&flow{gap: gap, lineGap: lineGap}, objects...)
}

type flow struct {
	gap, lineGap float32
	width        float32
}

func (l *flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	l.walk(objects, size.Width, func(o fyne.CanvasObject, at fyne.Position, width float32) {
		o.Move(at)
		o.Resize(fyne.NewSize(width, o.MinSize().Height))
	})
}

// walk gives each object its place, and says how high all are.
func (l *flow) walk(objects []fyne.CanvasObject, width float32, place func(fyne.CanvasObject, fyne.Position, float32)) float32 {
	var x, y, line float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		w := min(likedWidth(o), width)
		if x > 0 && x+w > width {
			x, y, line = 0, y+line+l.lineGap, 0
		}
		h := o.MinSize().Height
		place(o, fyne.NewPos(x, y), w)
		x += w + l.gap
		line = max(line, h)
	}
	return y + line
}

func (l *flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := l.width
	if width == 0 {
		width = 10_000
	}
	return fyne.NewSize(40, l.walk(objects, width, func(fyne.CanvasObject, fyne.Position, float32) {}))
}

// Fit gives an object a width, and as much height as it needs then. Texts and
// flows know their height only once they have a width.
func Fit(o fyne.CanvasObject, width float32) (height float32) {
	o.Resize(fyne.NewSize(width, max(o.Size().Height, 1)))
	height = o.MinSize().Height
	o.Resize(fyne.NewSize(width, height))
	if again := o.MinSize().Height; again != height {
		height = again
		o.Resize(fyne.NewSize(width, height))
	}
	return height
}

// Halves lays two objects side by side, or one below the other where there is
// too little width for both.
func Halves(gap, least float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&halves{gap: gap, least: least}, objects...)
}

type halves struct{ gap, least, width float32 }

func (l *halves) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	y, x := float32(0), float32(0)
	w := size.Width
	beside := l.beside(objects)
	if beside > 1 {
		w = round((size.Width - l.gap) / 2)
	}
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		h := Fit(o, w)
		o.Move(fyne.NewPos(x, y))
		if beside > 1 {
			x += w + l.gap
		} else {
			y += h + theme.Inset
		}
	}
}

// beside is how many stand side by side.
func (l *halves) beside(objects []fyne.CanvasObject) int {
	n := 0
	for _, o := range objects {
		if o.Visible() {
			n++
		}
	}
	if n == 2 && l.width >= l.least {
		return 2
	}
	return 1
}

func (l *halves) MinSize(objects []fyne.CanvasObject) fyne.Size {
	beside := l.beside(objects)
	var tall, sum float32
	for _, o := range objects {
		if o.Visible() {
			h := o.MinSize().Height
			tall, sum = max(tall, h), sum+h+theme.Inset
		}
	}
	if beside > 1 {
		return fyne.NewSize(100, tall)
	}
	return fyne.NewSize(100, max(0, sum-theme.Inset))
}

// Legend is a coloured dot with what it stands for.
func Legend(color fyne.ThemeColorName, text, tip string) fyne.CanvasObject {
	t := NewText(text, Body.Sized(12))
	t.SetTip(tip)
	return NewTips(Across(theme.Gap, NoGrow, NewDot(color), t))
}
