package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// Field is a line to write in, below its label; what is wrong with it takes
// the place of the label. Enter finishes, Esc gives up.
type Field struct {
	Composed
	entry *fieldEntry
	label *Text
	wrong *Text
}

// NewField makes a field; changed gets every text.
func NewField(label, hint string, changed func(string), done, cancel func()) *Field {
	f := &Field{entry: &fieldEntry{done: done, cancel: cancel}, label: NewText(label, Quiet.Sized(12)), wrong: NewText("", Quiet.Sized(12).In(theme.Danger))}
	f.entry.ExtendBaseWidget(f.entry)
	f.entry.PlaceHolder = hint
	f.entry.OnChanged = changed
	f.root = Down(theme.Space, NoGrow, container.NewStack(f.label, f.wrong), container.NewStack(f.entry))
	f.ExtendBaseWidget(f)
	return f
}

// Set shows a text without reporting it, and what is wrong with it.
func (f *Field) Set(text, wrong string) {
	f.wrong.Set(wrong)
	f.label.Hidden, f.wrong.Hidden = wrong != "", wrong == ""
	f.root.Refresh()
	if f.entry.Text == text {
		return
	}
	report := f.entry.OnChanged
	f.entry.OnChanged = nil
	f.entry.SetText(text)
	f.entry.OnChanged = report
}

// Focus puts the keyboard into the field, which stands on a canvas: Fyne does not
// know that before it has drawn it.
func (f *Field) Focus(c fyne.Canvas) { c.Focus(f.entry) }

type fieldEntry struct {
	widget.Entry
	done, cancel func()
}

// TypedKey finishes on Enter and gives up on Esc.
func (e *fieldEntry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		run(e.done)
	case fyne.KeyEscape:
		run(e.cancel)
	default:
		e.Entry.TypedKey(k)
	}
}

// TypedShortcut gives the window the shortcuts that are not about text.
func (e *fieldEntry) TypedShortcut(s fyne.Shortcut) {
	e.Entry.TypedShortcut(s)
	passOn(e, s)
}
