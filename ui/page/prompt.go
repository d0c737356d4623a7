package page

import (
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	fynewidget "fyne.io/fyne/v2/widget"
)

// prompt asks for one line. Cancel and Esc give up.
type prompt struct {
	popup   *fynewidget.PopUp
	entry   *promptEntry
	problem *widget.Text
	ok      *widget.Button
}

// showPrompt opens a prompt over the window of an object; check says what is
// wrong with a text, done gets it.
func showPrompt(over fyne.CanvasObject, title, hint, verb string, check func(string) string, done func(string)) *prompt {
	c := fyne.CurrentApp().Driver().CanvasForObject(over)
	if c == nil {
		return nil
	}
	widget.HideTip()
	p := &prompt{problem: widget.NewText("", widget.Quiet.In(theme.Danger).Sized(12))}
	finish := func() {
		if p.entry.Text == "" || check(p.entry.Text) != "" {
			return
		}
		p.popup.Hide()
		done(p.entry.Text)
	}
	p.entry = &promptEntry{done: finish}
	p.entry.ExtendBaseWidget(p.entry)
	p.entry.PlaceHolder = hint
	p.ok = widget.NewButton(verb, "", widget.Primary, finish)
	p.ok.SetDisabled(true)
	p.entry.OnChanged = func(s string) {
		why := ""
		if s != "" {
			why = check(s)
		}
		p.problem.Set(why)
		p.ok.SetDisabled(s == "" || why != "")
	}
	cancel := widget.NewButton("Cancel", "", widget.Ghost, func() { p.popup.Hide() })
	content := widget.Wide(340, widget.Pad(12, 12, 12, 12, widget.Down(theme.Gap, widget.NoGrow,
		widget.NewText(title, widget.BodyBold), p.entry, widget.Across(theme.Gap, 0, p.problem, cancel, p.ok))))
	p.popup = fynewidget.NewModalPopUp(content, c)
	p.entry.cancel = p.popup.Hide
	p.popup.Show()
	c.Focus(p.entry)
	return p
}

type promptEntry struct {
	fynewidget.Entry
	done, cancel func()
}

// TypedKey finishes on Enter and gives up on Esc.
func (e *promptEntry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		e.done()
	case fyne.KeyEscape:
		e.cancel()
	default:
		e.Entry.TypedKey(k)
	}
}
