//go:build !headless

package ui

import "fyne.io/fyne/v2"

// takeStopped takes what Fyne does at its end, which is to write the preferences,
// out of Fyne's hands; it is called before a.Run, and what it gives after it.
//
// Fyne queues this hook on its event loop while that loop ends, and sometimes waits
// for it for ever: the window is gone, the process stays. The methods used here are
// not in fyne.Lifecycle; in a Fyne without them this changes nothing.
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
