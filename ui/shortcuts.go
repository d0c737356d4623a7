//go:build !headless

package ui

import (
	"runtime"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"berth/ui/model"
)

// addShortcuts gives the window its keys. Those with Ctrl (Cmd on macOS) work
// wherever the focus is, except that a text field keeps its own Ctrl+C, Ctrl+Z
// and Ctrl+A; the others work where no text field has it.
func (w *window) addShortcuts() {
	add := func(key fyne.KeyName, f func()) {
		w.on(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault}, f)
	}
	for _, item := range w.models.Shell.State().Nav {
		add(fyne.KeyName(item.Key), func() { w.models.Shell.Go(item.Page) })
	}
	add(fyne.KeyF, func() { w.page().FocusFilter() })
	add(fyne.KeyR, w.models.Refresh)
	add(fyne.KeyW, w.close)
	add(fyne.KeyQ, w.askQuit)
	// Fyne turns the usual editing keys into shortcuts of their own.
	w.on(&fyne.ShortcutUndo{}, w.models.Shell.Undo)
	w.on(&fyne.ShortcutCopy{}, w.copy)
	w.on(&fyne.ShortcutSelectAll{}, w.selectAll)
	c := w.win.Canvas()
	c.SetOnTypedKey(func(e *fyne.KeyEvent) { w.key(e.Name) })
	c.SetOnTypedRune(w.rune)
	if runtime.GOOS == "darwin" {
		add(fyne.KeyBackspace, func() { w.key(fyne.KeyDelete) })
	}
}

// on has f run on a shortcut. The window keeps them too, since the canvas of a
// test knows none.
func (w *window) on(s fyne.Shortcut, f func()) {
	w.keys.AddShortcut(s, func(fyne.Shortcut) { f() })
	w.win.Canvas().AddShortcut(s, w.keys.TypedShortcut)
}

func (w *window) page() view { return w.pages[w.shown] }

// key does what a key means that the focused widget has no use for, and says
// whether it meant something.
func (w *window) key(name fyne.KeyName) bool {
	images, docker := w.models.Images, w.models.Docker
	onImages, onDocker := w.shown == model.PageImages, w.shown == model.PageDocker
	switch name {
	case fyne.KeyF5:
		w.models.Refresh()
	case fyne.KeyEscape:
		w.escape()
	case fyne.KeyDelete:
		if !onImages {
			return false
		}
		images.Delete()
	case fyne.KeySpace:
		w.toggle()
	case fyne.KeyReturn, fyne.KeyEnter:
		if !onDocker {
			return false
		}
		docker.PushFocused()
	default:
		by, ok := steps[name]
		if !ok {
			return false
		}
		w.move(by)
	}
	return true
}

// steps are the keys that move the focus, by rows.
var steps = map[fyne.KeyName]int{
	fyne.KeyUp: -1, fyne.KeyDown: 1, fyne.KeyPageUp: -10, fyne.KeyPageDown: 10, fyne.KeyHome: -1 << 30, fyne.KeyEnd: 1 << 30,
}

// rune does what a typed sign means that no text field takes.
func (w *window) rune(r rune) {
	switch r {
	case '/':
		w.page().FocusFilter()
	case 'p', 'P':
		if w.shown == model.PageImages {
			w.models.Images.TogglePin()
		}
	}
}

func (w *window) move(by int) {
	if w.shown == model.PageImages {
		w.models.Images.MoveFocus(by, false)
	} else if w.shown == model.PageDocker {
		w.models.Docker.MoveFocus(by, false)
	}
}

func (w *window) toggle() {
	if w.shown == model.PageImages {
		if r := w.models.Images.State().Repo; r != nil && r.Focus >= 0 {
			w.models.Images.Toggle(r.Tags[r.Focus].Name)
		}
		return
	}
	if st := w.models.Docker.State(); w.shown == model.PageDocker && st.Focus >= 0 {
		w.models.Docker.Toggle(st.Rows[st.Focus].Key)
	}
}

// escape unchecks, else clears the filter, else takes the snackbar away.
func (w *window) escape() {
	images, docker, shell := w.models.Images, w.models.Docker, w.models.Shell
	switch {
	case w.shown == model.PageCleanup && (w.models.Rules.Escape() || w.models.Trash.Escape() || w.models.Verify.Escape() || w.models.Cleanup.Escape()):
	case w.shown == model.PageImages && images.ClearSelection():
	case w.shown == model.PageDocker && docker.ClearSelection():
	case w.shown == model.PageImages && images.State().Filter != "":
		images.SetFilter("")
	case w.shown == model.PageDocker && docker.State().Filter != "":
		docker.SetFilter("")
	default:
		if t := shell.State().Toasts; len(t) > 0 {
			shell.Dismiss(t[len(t)-1].ID)
		}
	}
}

func (w *window) copy() {
	if w.shown == model.PageImages {
		w.models.Images.CopyPull()
		return
	}
	if st := w.models.Docker.State(); w.shown == model.PageDocker && st.Focus >= 0 {
		row := st.Rows[st.Focus]
		if row.Pull != "" {
			w.models.Docker.Copy(row.Pull)
			return
		}
		w.models.Docker.Copy(row.Host + row.As)
	}
}

func (w *window) selectAll() {
	if w.shown == model.PageImages {
		w.models.Images.SelectAll()
		return
	}
	if w.shown == model.PageCleanup {
		w.models.Trash.SelectAll()
		return
	}
	w.models.Docker.SelectAll()
}
