package page

import (
	"berth/ui/model"
	"berth/ui/theme"
	ours "berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Options are what a page needs of the window around it. The zero value makes a
// page that hands no keys on.
type Options struct {
	// Key gets the keys that no widget of the page has use for, and says whether
	// it had.
	Key func(fyne.KeyName) bool
	// Rune gets what is typed outside of a text field.
	Rune func(rune)
}

// tone is the colour of a tone of the model.
func tone(t model.Tone) fyne.ThemeColorName {
	switch t {
	case model.ToneOK:
		return theme.OK
	case model.ToneBusy:
		return theme.Accent
	case model.ToneInfo:
		return theme.Info
	case model.ToneWarning:
		return theme.Warning
	case model.ToneDanger:
		return theme.Danger
	}
	return theme.Faint
}

// menuAt shows a menu at a place of the window that o stands in.
func menuAt(o fyne.CanvasObject, at fyne.Position, items ...*fyne.MenuItem) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil {
		ours.HideTip()
		widget.ShowPopUpMenuAtPosition(fyne.NewMenu("", items...), c, at)
	}
}

// menuBelow shows a menu below a button.
func menuBelow(o fyne.CanvasObject, items ...*fyne.MenuItem) {
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
	menuAt(o, at.AddXY(0, o.Size().Height+theme.Space), items...)
}

func item(label string, f func()) *fyne.MenuItem { return fyne.NewMenuItem(label, f) }

func checked(label string, on bool, f func()) *fyne.MenuItem {
	i := fyne.NewMenuItem(label, f)
	i.Checked = on
	return i
}
