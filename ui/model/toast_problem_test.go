package model

import (
	"testing"

	"berth/app"
)

func TestAProblemInTheSnackbarReadsAsSentences(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"The disk is full":  ": The disk is full. Free some space.",
		"The disk is full.": ": The disk is full. Free some space.",
		"":                  ". Free some space.",
	} {
		m := New(Options{Service: nil, Spawn: func(func()) {}})
		m.Shell.failed(&app.Problem{Title: "The push failed", Text: text, Fix: "Free some space."})
		if toasts := m.Shell.State().Toasts; len(toasts) != 1 || toasts[0].Rest != want {
			t.Errorf("%q: %+v, want %q", text, toasts, want)
		}
	}
}
