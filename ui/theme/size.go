package theme

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Text sizes.
const (
	TextBody    float32 = 13
	TextCaption float32 = 11
	TextSection float32 = 16
	TextTitle   float32 = 18
	TextMono    float32 = 11.5 // monospace looks larger than Inter
)

// Measures. Space is one step; gaps are multiples of it.
const (
	Space         float32 = 4
	Gap           float32 = 8
	Inset         float32 = 12
	Margin        float32 = 20
	RadiusSmall   float32 = 4
	RadiusControl float32 = 8
	RadiusCard    float32 = 10
	RowHeight     float32 = 36
	ControlHeight float32 = 32
	SmallHeight   float32 = 28
	IconSize      float32 = 16
	NavWidth      float32 = 204
	Hairline      float32 = 1
)

// sizes are those by which Fyne's own widgets ask.
var sizes = map[fyne.ThemeSizeName]float32{
	theme.SizeNameText:               TextBody,
	theme.SizeNameCaptionText:        TextCaption,
	theme.SizeNameSubHeadingText:     TextSection,
	theme.SizeNameHeadingText:        TextTitle,
	theme.SizeNamePadding:            Space,
	theme.SizeNameInnerPadding:       Gap,
	theme.SizeNameInlineIcon:         IconSize,
	theme.SizeNameInputRadius:        RadiusControl,
	theme.SizeNameSelectionRadius:    RadiusControl,
	theme.SizeNameInputBorder:        1,
	theme.SizeNameSeparatorThickness: Hairline,
	theme.SizeNameScrollBar:          10,
	theme.SizeNameScrollBarSmall:     4,
	theme.SizeNameScrollBarRadius:    3,
	theme.SizeNameLineSpacing:        Space,
}
