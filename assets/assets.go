package assets

import "embed"

//go:embed fonts/*.ttf
var fonts embed.FS

//go:embed icons/*.svg
var icons embed.FS

//go:embed app/*.png tray/*.png
var pictures embed.FS

// Face names an embedded font.
type Face string

// The faces.
const (
	Regular  Face = "Inter-Regular"
	Medium   Face = "Inter-Medium"
	SemiBold Face = "Inter-SemiBold"
	Mono     Face = "JetBrainsMono-Regular"
)

// Font gives a face as a TrueType file. It panics on a face that is not one of
// the constants.
func Font(f Face) []byte { return must(fonts, "fonts/"+string(f)+".ttf") }

// Icon gives an icon of the window as an SVG of one colour, "currentColor"; name
// is that of its file without ".svg". It panics on an unknown name.
func Icon(name string) []byte { return must(icons, "icons/"+name+".svg") }

// AppIcon gives the icon of the program: a PNG of 256 by 256 pixels.
func AppIcon() []byte { return must(pictures, "app/berth.png") }

// TrayState names an icon of the tray.
type TrayState string

// The states of the tray icon.
const (
	TrayRunning TrayState = "running"
	TrayBusy    TrayState = "busy"
	TrayWarning TrayState = "warning"
	TrayStopped TrayState = "stopped"
)

// TrayIcon gives the icon of a state as a PNG of 64 by 64 pixels; an unknown
// state gets that of TrayStopped.
func TrayIcon(s TrayState) []byte {
	switch s {
	case TrayRunning, TrayBusy, TrayWarning:
		return must(pictures, "tray/"+string(s)+".png")
	}
	return must(pictures, "tray/stopped.png")
}

// must reads a file that the build has embedded, so that a missing one is a
// mistake in this program.
func must(fs embed.FS, name string) []byte {
	b, err := fs.ReadFile(name)
	if err != nil {
		panic("assets: " + err.Error())
	}
	return b
}
