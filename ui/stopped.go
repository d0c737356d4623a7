//go:build !headless

package ui

import "fyne.io/fyne/v2"

// takeStopped takes what Fyne does at its end, which is to write the preferences,
// out of Fyne's hands; it is called before a.Run, and what it gives after it.
//
// Fyne hands it to its loop in the moment in which it ends that, waits for it, and
// now and then for ever: the window is gone, the process stays. It knows of more
// than it shows; where it does not any more, it is left to it, and this does
// nothing.
func takeStopped(a fyne.App) func() {
	l, ok := a.Lifecycle().(interface {
		OnStopped() func()
		SetOnStoppedHookExecuted(func())
	})
	if !ok {
		return func() {}
	}
	stopped := l.OnStopped()
	if stopped == nil {
		return func() {}
	}
	a.Lifecycle().SetOnStopped(nil)
	l.SetOnStoppedHookExecuted(nil)
	return stopped
}
