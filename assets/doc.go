// Package assets holds the files that are part of the binary: fonts, icons of
// the window, the icon of the program and those of the tray. It imports nothing
// but the standard library, so that a tray without a window toolkit can use it.
//
// The drawings in app and tray are Berth's own; their PNG pictures are made
// from the SVG beside them by `go test -tags ci ./ui/theme -update`, and a test
// fails when one is stale. The icons had their paths spelt out, one absolute
// command for each segment: Fyne misreads arcs that share a command. They are
// Phosphor's (MIT), the faces are Inter and JetBrains Mono (OFL); the licences
// lie beside them.
//
// It has no locks: what it returns is shared and must not be changed.
package assets
