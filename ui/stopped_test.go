//go:build ci

package ui

import (
	"testing"

	"fyne.io/fyne/v2/test"
)

// TestFyneHasNothingToWaitForAtItsEnd fails when Fyne has other words for it: then
// see whether a quit under load still ends the process.
func TestFyneHasNothingToWaitForAtItsEnd(t *testing.T) {
	a := test.NewTempApp(t)
	last, ok := a.Lifecycle().(interface {
		OnStopped() func()
		SetOnStoppedHookExecuted(func())
	})
	if !ok {
		t.Fatal("what Fyne does at its end cannot be taken any more")
	}
	done := 0
	last.SetOnStoppedHookExecuted(func() { done++ })
	a.Lifecycle().SetOnStopped(func() { done++ })
	stopped := takeStopped(a)
	if last.OnStopped() != nil {
		t.Error("Fyne would wait at its end")
	}
	if stopped(); done != 2 {
		t.Errorf("%d of 2 things were done at the end", done)
	}
	takeStopped(a)() // where there is nothing to take
}
