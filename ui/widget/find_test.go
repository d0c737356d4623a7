package widget_test

import (
	"berth/ui/uitest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// find gives the topmost object of a kind at a place, as the driver finds it.
func find[T any](c fyne.Canvas, at fyne.Position) (found T) {
	uitest.Walk(c.Content(), fyne.Position{}, func(o fyne.CanvasObject, p fyne.Position) {
		s := o.Size()
		if at.X < p.X || at.Y < p.Y || at.X >= p.X+s.Width || at.Y >= p.Y+s.Height {
			return
		}
		if x, ok := o.(T); ok {
			found = x
		}
	})
	return found
}

// all gives every object of a kind, in the order of the tree.
func all[T any](o fyne.CanvasObject) []T {
	var out []T
	uitest.Walk(o, fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		if x, ok := o.(T); ok {
			out = append(out, x)
		}
	})
	return out
}

// shownTexts gives the texts that can be seen.
func shownTexts(c fyne.Canvas) []string {
	var out []string
	for _, t := range all[*canvas.Text](c.Content()) {
		out = append(out, t.Text)
	}
	return out
}
