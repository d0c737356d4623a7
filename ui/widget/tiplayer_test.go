package widget

import (
	"strings"
	"testing"

	"berth/ui/uitest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	lib "fyne.io/fyne/v2/widget"
)

// page is a tooltip as the library makes it: text that is broken at words.
type page struct{ *lib.RichText }

func (p page) TextMinSize() fyne.Size { return p.MinSize() }

// tipped shows the tooltip of a button in a window of 760×480, with the pointer
// at a place.
func tipped(t *testing.T, text string, pointer fyne.Position) fyne.CanvasObject {
	t.Helper()
	uitest.App(uitest.Variants[0])
	w := test.NewWindow(nil)
	t.Cleanup(w.Close)
	both := TipLayer(container.NewWithoutLayout(), w.Canvas()).(*fyne.Container)
	w.SetPadded(false)
	w.SetContent(both)
	w.Resize(fyne.NewSize(760, 480))
	b := NewButton("Free", "", Normal, nil)
	b.SetToolTip(text)
	b.MouseIn(&desktop.MouseEvent{PointEvent: fyne.PointEvent{AbsolutePosition: pointer}})
	t.Cleanup(b.MouseOut)
	words := lib.NewRichTextWithText(text)
	words.Wrapping = fyne.TextWrapWord
	layer := both.Objects[1].(*fyne.Container)
	layer.Objects = []fyne.CanvasObject{page{words}}
	layer.Refresh()
	return layer.Objects[0]
}

func TestATooltipIsNoWiderThanItsLongestLineAndIsBrokenAtWords(t *testing.T) {
	lines := "Pushed 4 min ago\nPulled 2 min ago\nacme/checkout:pr-302"
	long := strings.Repeat("no tag, no index and nothing in the trash needs it. ", 5)
	one, three, much := tipped(t, "acme/checkout:pr-302", fyne.Position{}).Size(), tipped(t, lines, fyne.Position{}).Size(), tipped(t, long, fyne.Position{}).Size()
	if three.Width > one.Width+10 || three.Height <= one.Height {
		t.Errorf("one line takes %v, three take %v", one, three)
	}
	if much.Width != tipMost || much.Height < 3*one.Height/2 {
		t.Errorf("%d letters take %v", len(long), much)
	}
}

func TestATooltipStaysInTheWindow(t *testing.T) {
	text := strings.Repeat("no tag, no index and nothing in the trash needs it. ", 5)
	for _, at := range []fyne.Position{{X: 300, Y: 100}, {X: 750, Y: 100}, {X: 750, Y: 470}, {X: 5, Y: 475}} {
		o := tipped(t, text, at)
		p, s := o.Position(), o.Size()
		if p.X < 0 || p.Y < 0 || p.X+s.Width > 760 || p.Y+s.Height > 480 {
			t.Errorf("pointer at %v: tooltip at %v, %v", at, p, s)
		}
		if at.X >= p.X && at.X < p.X+s.Width && at.Y >= p.Y && at.Y < p.Y+s.Height {
			t.Errorf("it covers the pointer at %v: %v, %v", at, p, s)
		}
	}
}
