package tray

import (
	"strings"

	"berth/assets"
)

func prepare(*Tray) {}

func icon(png []byte) []byte { return assets.ICO(png, 64) }

// label keeps an ampersand an ampersand: alone it marks an access key.
func label(text string) string { return strings.ReplaceAll(text, "&", "&&") }
