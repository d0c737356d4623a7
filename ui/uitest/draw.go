package uitest

import (
	"image"

	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
)

// Variants are both looks.
var Variants = []theme.Variant{theme.Dark, theme.Light}

// Canvas lays an object out on a canvas without a window, in a look. A zero size
// means the object's least.
func Canvas(o fyne.CanvasObject, size fyne.Size, v theme.Variant) software.WindowlessCanvas {
	test.NewApp().Settings().SetTheme(theme.New(v))
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(o)
	if size.IsZero() {
		size = o.MinSize()
	}
	c.Resize(size)
	return c
}

// Draw draws an object in a look. A zero size means the object's least.
func Draw(o fyne.CanvasObject, size fyne.Size, v theme.Variant) image.Image {
	return software.RenderCanvas(Canvas(o, size, v), theme.New(v))
}
