package page_test

import (
	"testing"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/uitest"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// show opens a page in a window of the test driver, with everything fetched.
func show(t *testing.T, w *window, p model.Page) fyne.Canvas {
	t.Helper()
	uitest.App(theme.Dark)
	w.models.Refresh()
	win := test.NewWindow(w.open(p))
	t.Cleanup(win.Close)
	win.SetPadded(false)
	win.Resize(usual)
	return win.Canvas()
}

// where gives the middle of the first text that reads so.
func where(t *testing.T, c fyne.Canvas, text string) fyne.Position {
	t.Helper()
	var at *fyne.Position
	for _, root := range append([]fyne.CanvasObject{c.Content()}, c.Overlays().List()...) {
		uitest.Walk(root, fyne.Position{}, func(o fyne.CanvasObject, p fyne.Position) {
			if line, ok := o.(*canvas.Text); ok && line.Text == text && at == nil {
				middle := p.AddXY(min(line.MinSize().Width, line.Size().Width)/2, line.Size().Height/2)
				at = &middle
			}
		})
	}
	if at == nil {
		t.Fatalf("nothing reads %q; there are %q", text, texts(c))
	}
	return *at
}

func has(c fyne.Canvas, text string) bool {
	for _, s := range texts(c) {
		if s == text {
			return true
		}
	}
	return false
}

func texts(c fyne.Canvas) []string {
	var out []string
	for _, root := range append([]fyne.CanvasObject{c.Content()}, c.Overlays().List()...) {
		uitest.Walk(root, fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
			if line, ok := o.(*canvas.Text); ok {
				out = append(out, line.Text)
			}
		})
	}
	return out
}

// click clicks on a text.
func click(t *testing.T, c fyne.Canvas, text string) {
	t.Helper()
	test.TapCanvas(c, where(t, c, text))
}

// press presses the button with a label.
func press(t *testing.T, c fyne.Canvas, label string) {
	t.Helper()
	for _, root := range append([]fyne.CanvasObject{c.Content()}, c.Overlays().List()...) {
		var found *widget.Button
		uitest.Walk(root, fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
			if b, ok := o.(*widget.Button); ok && b.Label() == label {
				found = b
			}
		})
		if found != nil {
			test.Tap(found)
			return
		}
	}
	t.Fatalf("no button says %q", label)
}

// second clicks on a text with the second button, and gives the labels of the
// menu that opens.
func second(t *testing.T, c fyne.Canvas, text string) map[string]func() {
	t.Helper()
	at := where(t, c, text)
	var o fyne.SecondaryTappable
	uitest.Walk(c.Content(), fyne.Position{}, func(x fyne.CanvasObject, p fyne.Position) {
		s := x.Size()
		if y, ok := x.(fyne.SecondaryTappable); ok && at.X >= p.X && at.Y >= p.Y && at.X < p.X+s.Width && at.Y < p.Y+s.Height {
			o = y
		}
	})
	if o == nil {
		t.Fatalf("%q takes no second click", text)
	}
	o.TappedSecondary(&fyne.PointEvent{AbsolutePosition: at})
	menu := c.Overlays().Top()
	if menu == nil {
		t.Fatal("no menu opened")
	}
	out := map[string]func(){}
	uitest.Walk(menu, fyne.Position{}, func(x fyne.CanvasObject, _ fyne.Position) {
		if tap, ok := x.(fyne.Tappable); ok {
			uitest.Walk(x, fyne.Position{}, func(y fyne.CanvasObject, _ fyne.Position) {
				if line, ok := y.(*canvas.Text); ok {
					out[line.Text] = func() { tap.Tapped(&fyne.PointEvent{}) }
				}
			})
		}
	})
	return out
}
