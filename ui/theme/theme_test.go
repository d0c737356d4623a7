package theme_test

import (
	"image"
	"image/color"
	"math"
	"testing"

	"berth/assets"
	"berth/ui/theme"
	"berth/ui/uitest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"
)

// luminance and contrast are those of WCAG 2.2.
func luminance(c color.Color) float64 {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	lin := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(n.R) + 0.7152*lin(n.G) + 0.0722*lin(n.B)
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestTextCanBeReadOnWhatItStandsOn(t *testing.T) {
	const text, large, hint = 4.5, 3.0, 2.4
	pairs := []struct {
		fore, back fyne.ThemeColorName
		least      float64
	}{
		{theme.Text, theme.Window, text},
		{theme.Text, theme.Panel, text},
		{theme.Text, theme.Raised, text},
		{theme.Text, theme.Selected, text},
		{theme.Text, theme.Hover, text},
		{theme.Secondary, theme.Window, text},
		{theme.Secondary, theme.Panel, text},
		{theme.Secondary, theme.Raised, text},
		{theme.Secondary, theme.Selected, text},
		{theme.Accent, theme.Window, 4.0},
		{theme.Accent, theme.AccentBg, 3.7},
		{theme.OnAccent, theme.Accent, 4.4},
		{theme.OnAccent, theme.AccentOver, 4.4},
		{theme.Danger, theme.DangerBg, large},
		{theme.Warning, theme.WarningBg, large},
		{theme.OK, theme.Window, large},
		{theme.Info, theme.Window, large},
		{theme.SnackText, theme.Snack, text},
		{theme.SnackFaint, theme.Snack, text},
		{theme.SnackLink, theme.Snack, text},
		{theme.SnackBad, theme.Snack, large},
		{theme.SnackWarn, theme.Snack, text},
		{theme.Faint, theme.Window, hint}, // captions that repeat what is said elsewhere
		{theme.Faint, theme.Raised, hint},
	}
	for _, v := range uitest.Variants {
		th := theme.New(v)
		for _, p := range pairs {
			if got := contrast(th.Color(p.fore, 0), th.Color(p.back, 0)); got < p.least {
				t.Errorf("%s: %s on %s has contrast %.2f, want %.1f", v, p.fore, p.back, got, p.least)
			}
		}
	}
}

func TestColoursAreThoseOfTheDesign(t *testing.T) {
	t.Parallel()
	want := map[fyne.ThemeColorName][2]color.NRGBA{
		theme.Window:               {{0x10, 0x15, 0x1C, 255}, {0xF4, 0xF6, 0xF8, 255}},
		theme.Accent:               {{0x2D, 0xB9, 0xA3, 255}, {0x0D, 0x85, 0x74, 255}},
		theme.Selected:             {{0x17, 0x33, 0x2F, 255}, {0xE0, 0xF3, 0xF0, 255}},
		fynetheme.ColorNamePrimary: {{0x2D, 0xB9, 0xA3, 255}, {0x0D, 0x85, 0x74, 255}},
	}
	for name, c := range want {
		for i, v := range uitest.Variants {
			if got := theme.New(v).Color(name, 0); got != c[i] {
				t.Errorf("%s in %s is %v, want %v", name, v, got, c[i])
			}
		}
	}
}

func TestTheSystemVariantFollowsTheDesktop(t *testing.T) {
	t.Parallel()
	th := theme.New(theme.System)
	dark, light := th.Color(theme.Window, fynetheme.VariantDark), th.Color(theme.Window, fynetheme.VariantLight)
	if dark == light {
		t.Error("dark and light look the same")
	}
	if fixed := theme.New(theme.Dark).Color(theme.Window, fynetheme.VariantLight); fixed != dark {
		t.Errorf("a fixed variant gives %v on a light desktop, want %v", fixed, dark)
	}
}

func TestFacesAreOurs(t *testing.T) {
	t.Parallel()
	th := theme.New(theme.Dark)
	for style, want := range map[fyne.TextStyle]string{
		{}:                "Inter-Regular.ttf",
		{Bold: true}:      "Inter-SemiBold.ttf",
		{Monospace: true}: "JetBrainsMono-Regular.ttf",
	} {
		if got := th.Font(style).Name(); got != want {
			t.Errorf("face of %+v is %s, want %s", style, got, want)
		}
	}
}

// TestPicturesMatchTheirDrawings keeps the PNG of the program and of the tray in
// step with the SVG beside them.
func TestPicturesMatchTheirDrawings(t *testing.T) {
	test.NewApp()
	for path, size := range map[string]float32{
		"app/berth": 256, "tray/running": 64, "tray/busy": 64, "tray/warning": 64, "tray/stopped": 64,
	} {
		uitest.GoldenAt(t, "../../assets/"+path+".png", drawing(t, "../../assets/"+path+".svg", size))
	}
}

func drawing(t *testing.T, path string, size float32) image.Image {
	t.Helper()
	pic := canvas.NewImageFromFile(path)
	c := software.NewTransparentCanvas()
	c.SetPadded(false)
	c.SetContent(pic)
	c.Resize(fyne.NewSquareSize(size))
	return c.Capture()
}

func TestTrayStatesLookDifferent(t *testing.T) {
	t.Parallel()
	seen := map[string]assets.TrayState{}
	for _, s := range []assets.TrayState{assets.TrayRunning, assets.TrayBusy, assets.TrayWarning, assets.TrayStopped} {
		if other, ok := seen[string(assets.TrayIcon(s))]; ok {
			t.Errorf("%s and %s have the same icon", s, other)
		}
		seen[string(assets.TrayIcon(s))] = s
	}
}
