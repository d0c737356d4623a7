package widget_test

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// walk visits what can be seen, each with its place on the canvas, and children
// after their parents.
func walk(o fyne.CanvasObject, at fyne.Position, visit func(fyne.CanvasObject, fyne.Position)) {
	if !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	visit(o, at)
	switch o := o.(type) {
	case *fyne.Container:
		for _, c := range o.Objects {
			walk(c, at, visit)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(o).Objects() {
			walk(c, at, visit)
		}
	}
}

// find gives the topmost object of a kind at a place, as the driver finds it.
func find[T any](c fyne.Canvas, at fyne.Position) (found T) {
	walk(c.Content(), fyne.Position{}, func(o fyne.CanvasObject, p fyne.Position) {
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
	walk(o, fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
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
