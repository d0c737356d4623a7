package widget

import (
	"strings"

	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	tooltip "github.com/dweymouth/fyne-tooltip"
)

// TipLayer lays the tooltips of a window over its content. A tooltip is as wide
// as its longest line, and no wider than one likes to read; what is longer is
// broken at words.
func TipLayer(content fyne.CanvasObject, c fyne.Canvas) fyne.CanvasObject {
	both := tooltip.AddWindowToolTipLayer(content, c)
	if stack, ok := both.(*fyne.Container); ok && len(stack.Objects) == 2 {
		if layer, ok := stack.Objects[1].(*fyne.Container); ok {
			layer.Layout = &tipLayout{layer}
		}
	}
	return both
}

const (
	tipMost  float32 = 360
	tipBelow float32 = 16 // the pointer
	tipAbove float32 = 8
)

// tipLayout places the tooltip anew that the layer shows: the library takes all
// its lines for one when it asks how wide they are.
type tipLayout struct{ layer *fyne.Container }

func (l *tipLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

func (l *tipLayout) Layout(tips []fyne.CanvasObject, room fyne.Size) {
	for _, o := range tips {
		t, ok := o.(interface{ TextMinSize() fyne.Size })
		if !ok || hint == nil {
			continue
		}
		o.Resize(fyne.NewSize(min(tipWidth(hint.ToolTip()), room.Width-2*theme.Space), 1))
		size := fyne.NewSize(o.Size().Width, t.TextMinSize().Height)
		o.Resize(size)
		at := hint.at.Subtract(fyne.CurrentApp().Driver().AbsolutePositionForObject(l.layer))
		o.Move(tipPlace(at, size, room))
		l.frame(o)
		return
	}
}

// frame draws a line round a tooltip: its ground is that of the cards.
func (l *tipLayout) frame(tip fyne.CanvasObject) {
	r := canvas.NewRectangle(noColor)
	r.StrokeColor, r.StrokeWidth = theme.Of(theme.Faint), theme.Hairline
	r.Resize(tip.Size())
	r.Move(tip.Position())
	l.layer.Objects = []fyne.CanvasObject{tip, r}
}

// tipWidth is that of the longest line, within bounds.
func tipWidth(text string) float32 {
	widest := float32(0)
	for _, line := range strings.Split(text, "\n") {
		widest = max(widest, Style{Size: theme.TextCaption}.Width(line))
	}
	return min(tipMost, widest+2*theme.Gap+1)
}

// tipPlace is below the pointer, or above it where there is no room.
func tipPlace(pointer fyne.Position, size, room fyne.Size) fyne.Position {
	x := min(pointer.X, room.Width-size.Width-theme.Space)
	y := pointer.Y + tipBelow
	if y+size.Height > room.Height-theme.Space {
		y = pointer.Y - size.Height - tipAbove
	}
	return fyne.NewPos(max(theme.Space, x), max(theme.Space, y))
}
