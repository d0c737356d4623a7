package page

import (
	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	fynewidget "fyne.io/fyne/v2/widget"
)

// question is asked over the window before something goes for good.
type question struct {
	shown *fynewidget.PopUp
}

// set shows the question that is to be answered, above the window of an object,
// or takes it away.
func (a *question) set(over fyne.CanvasObject, q *model.Confirm, no, yes func()) {
	if q == nil {
		if a.shown != nil {
			a.shown.Hide()
			a.shown = nil
		}
		return
	}
	if a.shown != nil {
		return
	}
	canvas := fyne.CurrentApp().Driver().CanvasForObject(over)
	if canvas == nil {
		return
	}
	widget.HideTip()
	text := widget.NewProse(widget.Quiet, 360)
	text.Set(q.Text)
	cancel := widget.NewButton("Cancel", "", widget.Normal, no)
	act := widget.NewButton(q.Verb, theme.IconTrash, widget.DangerKind, yes)
	content := widget.Pad(16, 16, 16, 16, widget.Down(theme.Inset, widget.NoGrow, widget.NewText(q.Title, widget.Section), text,
		widget.Across(theme.Gap, 0, widget.Gap(1, 1), cancel, act)))
	a.shown = fynewidget.NewModalPopUp(content, canvas)
	a.shown.Show()
	canvas.Focus(cancel)
}
