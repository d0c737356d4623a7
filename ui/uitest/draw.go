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

// App starts a test app in a look. Widgets are made after it: they measure text
// with the faces of the theme.
func App(v theme.Variant) { test.NewApp().Settings().SetTheme(theme.New(v)) }

// Canvas lays an object out on a canvas without a window. It is no
// smaller than the object's least size.
func Canvas(o fyne.CanvasObject, size fyne.Size) software.WindowlessCanvas {
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(o)
	c.Resize(size.Max(o.MinSize()))
	return c
}

// Draw draws an object in a look, no smaller than its least size.
func Draw(o fyne.CanvasObject, size fyne.Size, v theme.Variant) image.Image {
	return Capture(Canvas(o, size), v)
}

// Capture draws a canvas in a look.
func Capture(c fyne.Canvas, v theme.Variant) image.Image {
	return software.RenderCanvas(c, theme.New(v))
}
