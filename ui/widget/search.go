package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Search is the field that filters a list. Esc clears it, and then leaves it;
// Down leads into the list.
type Search struct {
	Composed
	entry *searchEntry
	hint  *Surface
}

// NewSearch makes a field; changed gets every text, leave is called when the
// keyboard goes on to the list.
func NewSearch(placeholder string, changed func(string), leave func()) *Search {
	s := &Search{entry: &searchEntry{leave: leave}}
	s.entry.ExtendBaseWidget(s.entry)
	s.entry.PlaceHolder = placeholder
	s.entry.Icon = theme.IconSearch.Resource(theme.Faint)
	s.entry.OnChanged = func(text string) {
		s.hint.Hidden = text != "" || s.entry.inside
		s.hint.Refresh()
		changed(text)
	}
	s.entry.focus = func() {
		s.hint.Hidden = s.entry.Text != "" || s.entry.inside
		s.root.Refresh()
	}
	s.hint = NewSurface(theme.Clear, theme.RadiusSmall, Pad(2, 6, 2, 6, NewText("/", Code.In(theme.Faint))))
	s.root = fynePair(s.entry, s.hint)
	s.ExtendBaseWidget(s)
	return s
}

// fynePair lays the second object over the right end of the first.
func fynePair(field, end fyne.CanvasObject) *fyne.Container {
	return &fyne.Container{Layout: endLayout{}, Objects: []fyne.CanvasObject{field, end}}
}

type endLayout struct{}

func (endLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	o[0].Resize(size)
	m := o[1].MinSize()
	o[1].Resize(m)
	o[1].Move(fyne.NewPos(size.Width-m.Width-theme.Gap, round((size.Height-m.Height)/2)))
}

func (endLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(120, max(theme.ControlHeight, o[0].MinSize().Height))
}

// Set shows a text without reporting it.
func (s *Search) Set(text string) {
	if s.entry.Text == text {
		return
	}
	report := s.entry.OnChanged
	s.entry.OnChanged = nil
	s.entry.SetText(text)
	s.entry.OnChanged = report
}

// Focus puts the keyboard into the field, with all of its text chosen.
func (s *Search) Focus() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(s.entry); c != nil {
		c.Focus(s.entry)
		s.entry.TypedShortcut(&fyne.ShortcutSelectAll{})
	}
}

type searchEntry struct {
	widget.Entry
	leave, focus func()
	inside       bool
}

// FocusGained is called by Fyne.
func (e *searchEntry) FocusGained() {
	e.inside = true
	e.Entry.FocusGained()
	e.focus()
}

// FocusLost is called by Fyne.
func (e *searchEntry) FocusLost() {
	e.inside = false
	e.Entry.FocusLost()
	e.focus()
}

// TypedKey leaves the field on Esc, Down and Enter.
func (e *searchEntry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyEscape:
		if e.Text != "" {
			e.SetText("")
			return
		}
		e.leave()
	case fyne.KeyDown, fyne.KeyReturn, fyne.KeyEnter:
		e.leave()
	default:
		e.Entry.TypedKey(k)
	}
}

// TypedShortcut gives the window the shortcuts that are not about text.
func (e *searchEntry) TypedShortcut(s fyne.Shortcut) {
	e.Entry.TypedShortcut(s)
	passOn(e, s)
}

// passOn gives the window the shortcuts that are not about text: Fyne gives
// them to the focused widget only. Those of an entry and of the window differ.
func passOn(e fyne.CanvasObject, s fyne.Shortcut) {
	if _, ours := s.(*desktop.CustomShortcut); !ours {
		return
	}
	if w, ok := fyne.CurrentApp().Driver().CanvasForObject(e).(fyne.Shortcutable); ok {
		w.TypedShortcut(s)
	}
}
