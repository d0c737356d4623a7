//go:build !windows && !darwin

package tray

import (
	"strings"

	"fyne.io/systray"
)

// prepare names the item before it is exported: without a title its id is random
// at every start, and panels forget where it stood. The menu is built before
// anybody can ask for it.
func prepare(t *Tray) {
	systray.SetTitle("berth")
	t.Draw()
}

func icon(png []byte) []byte { return png }

// label keeps an underscore an underscore: the menu protocol takes a single one
// as the mark of an access key.
func label(text string) string { return strings.ReplaceAll(text, "_", "__") }
