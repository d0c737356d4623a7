package theme

import (
	"image/color"

	"berth/assets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Variant says which look is wanted.
type Variant string

// The variants.
const (
	System Variant = "system" // as the desktop says
	Dark   Variant = "dark"
	Light  Variant = "light"
)

// Theme is Berth's fyne.Theme. The zero value follows the desktop.
type Theme struct{ variant Variant }

// New makes the theme of a variant; an unknown one follows the desktop.
func New(v Variant) *Theme { return &Theme{variant: v} }

// The faces are shared by all themes: Fyne caches what it has parsed by the
// identity of the resource.
var (
	regular  = fyne.NewStaticResource("Inter-Regular.ttf", assets.Font(assets.Regular))
	medium   = fyne.NewStaticResource("Inter-Medium.ttf", assets.Font(assets.Medium))
	semibold = fyne.NewStaticResource("Inter-SemiBold.ttf", assets.Font(assets.SemiBold))
	mono     = fyne.NewStaticResource("JetBrainsMono-Regular.ttf", assets.Font(assets.Mono))
)

// Medium is the face between regular and semibold, for the labels of buttons
// and of the navigation.
func Medium() fyne.Resource { return medium }

// AppIcon is the icon of windows.
func AppIcon() fyne.Resource { return fyne.NewStaticResource("berth.png", assets.AppIcon()) }

// Color gives a colour of Berth's or of Fyne's names.
func (t *Theme) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	light := v == theme.VariantLight
	switch t.variant {
	case Dark:
		light = false
	case Light:
		light = true
	}
	if c, ok := lookup(name, light); ok {
		return c
	}
	return theme.DefaultTheme().Color(name, v)
}

// Font gives Inter, or JetBrains Mono where monospace is asked for. Italic is
// not used in Berth and gets the upright face.
func (t *Theme) Font(s fyne.TextStyle) fyne.Resource {
	switch {
	case s.Symbol:
		return theme.DefaultTheme().Font(s)
	case s.Monospace:
		return mono
	case s.Bold:
		return semibold
	}
	return regular
}

// Icon gives the icons that Fyne's own widgets ask for.
func (t *Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

// Size gives a size of Fyne's names.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	if s, ok := sizes[name]; ok {
		return s
	}
	return theme.DefaultTheme().Size(name)
}
