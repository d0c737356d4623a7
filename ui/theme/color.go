package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// The names of Berth's colours. Those that Fyne's widgets ask for are mapped to
// them in Theme.Color.
const (
	Window     fyne.ThemeColorName = "berthWindow"
	Panel      fyne.ThemeColorName = "berthPanel"
	Raised     fyne.ThemeColorName = "berthRaised"
	Line       fyne.ThemeColorName = "berthLine"
	Text       fyne.ThemeColorName = "berthText"
	Secondary  fyne.ThemeColorName = "berthSecondary"
	Faint      fyne.ThemeColorName = "berthFaint"
	Accent     fyne.ThemeColorName = "berthAccent"
	AccentBg   fyne.ThemeColorName = "berthAccentBg"
	AccentDeep fyne.ThemeColorName = "berthAccentDeep" // the accent, a step calmer
	AccentDim  fyne.ThemeColorName = "berthAccentDim"  // the accent, two steps calmer
	AccentOver fyne.ThemeColorName = "berthAccentOver" // the accent under the pointer
	OnAccent   fyne.ThemeColorName = "berthOnAccent"
	OnSwitch   fyne.ThemeColorName = "berthOnSwitch" // the knob of a switch that is on
	Selected   fyne.ThemeColorName = "berthSelected"
	Hover      fyne.ThemeColorName = "berthHover"  // a row under the pointer
	Scroll     fyne.ThemeColorName = "berthScroll" // the bar of a list that scrolls
	Pressed    fyne.ThemeColorName = "berthPressed"
	Danger     fyne.ThemeColorName = "berthDanger"
	DangerBg   fyne.ThemeColorName = "berthDangerBg"
	Warning    fyne.ThemeColorName = "berthWarning"
	WarningBg  fyne.ThemeColorName = "berthWarningBg"
	OK         fyne.ThemeColorName = "berthOK"
	Info       fyne.ThemeColorName = "berthInfo"
	Snack      fyne.ThemeColorName = "berthSnack" // the snackbar stands out in both themes
	SnackText  fyne.ThemeColorName = "berthSnackText"
	SnackFaint fyne.ThemeColorName = "berthSnackFaint"
	SnackLink  fyne.ThemeColorName = "berthSnackLink"
	SnackBad   fyne.ThemeColorName = "berthSnackBad"
	SnackWarn  fyne.ThemeColorName = "berthSnackWarn"
	SnackTrack fyne.ThemeColorName = "berthSnackTrack"
	Shade      fyne.ThemeColorName = "berthShade" // shadows
	Menu       fyne.ThemeColorName = "berthMenu"  // a menu, which may lie over a card
	Clear      fyne.ThemeColorName = "berthClear"
)

// pair is a colour in dark and in light, as 0xRRGGBB.
type pair struct{ dark, light uint32 }

var palette = map[fyne.ThemeColorName]pair{
	Window:     {0x10151C, 0xF4F6F8},
	Panel:      {0x161D26, 0xFFFFFF},
	Raised:     {0x1E2733, 0xEDF1F4},
	Line:       {0x263140, 0xDBE2E9},
	Text:       {0xE6EDF3, 0x17212B},
	Secondary:  {0x8FA0B3, 0x566677},
	Faint:      {0x5F7084, 0x8C9BA9},
	Accent:     {0x2DB9A3, 0x0D8574},
	AccentBg:   {0x12332F, 0xD9F0EC},
	AccentDeep: {0x248C7D, 0x4FA79A},
	AccentDim:  {0x23685F, 0x8CC7BD},
	AccentOver: {0x38C9B2, 0x0A7566},
	OnAccent:   {0x06231F, 0xFFFFFF},
	OnSwitch:   {0xF4FBFA, 0xFFFFFF},
	Selected:   {0x17332F, 0xE0F3F0},
	Hover:      {0x161D26, 0xEBEFF3},
	Scroll:     {0x36434F, 0xC3CDD6},
	Pressed:    {0x2A3645, 0xDDE4EA},
	Danger:     {0xE5605A, 0xC93A35},
	DangerBg:   {0x3A1D1F, 0xFBE4E3},
	Warning:    {0xD9A441, 0x9A6B0B},
	WarningBg:  {0x35290F, 0xFBF0D6},
	OK:         {0x3FB37F, 0x22875A},
	Info:       {0x5AA2F5, 0x1F6FD1},
	Snack:      {0x263140, 0x17212B},
	SnackText:  {0xE6EDF3, 0xF4F6F8},
	SnackFaint: {0x8FA0B3, 0x9AA9B7},
	SnackLink:  {0x2DB9A3, 0x2DB9A3},
	SnackBad:   {0xE5605A, 0xE5605A},
	SnackWarn:  {0xD9A441, 0xD9A441},
	SnackTrack: {0x3B4857, 0x3B4857},
	Menu:       {0x1E2733, 0xFFFFFF},
}

// aliases are the names by which Fyne's own widgets ask.
var aliases = map[fyne.ThemeColorName]fyne.ThemeColorName{
	theme.ColorNameBackground:          Window,
	theme.ColorNameButton:              Raised,
	theme.ColorNameDisabled:            Faint,
	theme.ColorNameDisabledButton:      Raised,
	theme.ColorNameError:               Danger,
	theme.ColorNameForeground:          Text,
	theme.ColorNameForegroundOnPrimary: OnAccent,
	theme.ColorNameForegroundOnError:   Panel,
	theme.ColorNameForegroundOnSuccess: Panel,
	theme.ColorNameForegroundOnWarning: Panel,
	theme.ColorNameHeaderBackground:    Window,
	theme.ColorNameHover:               Raised,
	theme.ColorNameHyperlink:           Accent,
	theme.ColorNameInputBackground:     Raised,
	theme.ColorNameInputBorder:         Clear,
	theme.ColorNameMenuBackground:      Menu,
	theme.ColorNameOverlayBackground:   Panel,
	theme.ColorNamePlaceHolder:         Faint,
	theme.ColorNamePressed:             Pressed,
	theme.ColorNamePrimary:             Accent,
	theme.ColorNameScrollBar:           Scroll,
	theme.ColorNameSelection:           AccentBg,
	theme.ColorNameSeparator:           Line,
	theme.ColorNameSuccess:             OK,
	theme.ColorNameWarning:             Warning,
}

// translucent are the colours that let something through: a
// name with its alpha in each look.
var translucent = map[fyne.ThemeColorName]struct {
	of          pair
	dark, light uint8
}{
	theme.ColorNameFocus:               {palette[Accent], 0x66, 0x66},
	theme.ColorNameShadow:              {pair{0x000000, 0x17212B}, 0x40, 0x12},
	theme.ColorNameScrollBarBackground: {pair{}, 0, 0},
	Shade:                              {pair{0x000000, 0x17212B}, 0x50, 0x40},
	Clear:                              {pair{}, 0, 0},
}

// Of gives a colour of the theme that is set now.
func Of(name fyne.ThemeColorName) color.Color { return theme.Color(name) }

// lookup gives a colour, and whether the name is one of ours.
func lookup(name fyne.ThemeColorName, light bool) (color.NRGBA, bool) {
	if to, ok := aliases[name]; ok {
		name = to
	}
	if t, ok := translucent[name]; ok {
		if light {
			return t.of.in(true, t.light), true
		}
		return t.of.in(false, t.dark), true
	}
	p, ok := palette[name]
	return p.in(light, 0xFF), ok
}

func (p pair) in(light bool, alpha uint8) color.NRGBA {
	v := p.dark
	if light {
		v = p.light
	}
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: alpha}
}
