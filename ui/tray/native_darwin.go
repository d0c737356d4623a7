package tray

// prepare sets no title: the menu bar would show it beside the icon.
func prepare(*Tray) {}

func icon(png []byte) []byte { return png }

func label(text string) string { return text }
