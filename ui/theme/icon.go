package theme

import (
	"sync"

	"berth/assets"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Icon names a file of assets/icons.
type Icon string

// The icons.
const (
	IconAnchor     Icon = "anchor" // Berth's own
	IconImages     Icon = "package"
	IconDocker     Icon = "arrow-line-up"
	IconPush       Icon = "arrow-line-up"
	IconPull       Icon = "arrow-line-down"
	IconImport     Icon = "tray-arrow-down"
	IconActivity   Icon = "pulse"
	IconCleanup    Icon = "broom"
	IconClusters   Icon = "graph"
	IconSettings   Icon = "gear-six"
	IconSearch     Icon = "magnifying-glass"
	IconCopy       Icon = "copy"
	IconCheck      Icon = "check-bold"
	IconDone       Icon = "check-circle"
	IconClose      Icon = "x"
	IconCancel     Icon = "x-circle"
	IconTrash      Icon = "trash"
	IconTag        Icon = "tag"
	IconMore       Icon = "dots-three"
	IconAttached   Icon = "paperclip"
	IconWarning    Icon = "warning"
	IconProblem    Icon = "warning-circle"
	IconInfo       Icon = "info"
	IconDown       Icon = "caret-down"
	IconUp         Icon = "caret-up"
	IconRefresh    Icon = "arrow-clockwise"
	IconUndo       Icon = "arrow-u-up-left"
	IconRepository Icon = "stack"
	IconShow       Icon = "eye"
	IconSort       Icon = "sort-ascending"
	IconFree       Icon = "sparkle"
	IconPlus       Icon = "plus"
	IconPlay       Icon = "play"
	IconPause      Icon = "pause"
	IconPreview    Icon = "funnel-simple"
	IconHistory    Icon = "clock-counter-clockwise"
	IconBack       Icon = "caret-left"
	IconPin        Icon = "push-pin"
	IconLock       Icon = "lock-simple"
	IconShield     Icon = "shield"
	IconVerified   Icon = "shield-check"
	IconDamaged    Icon = "shield-warning"
)

type iconKey struct {
	icon  Icon
	color fyne.ThemeColorName
}

// themed keeps one resource for each pair: Fyne draws again only what changed.
var themed sync.Map // iconKey → fyne.Resource

// Resource gives the icon in a colour of the theme; it follows the theme.
func (i Icon) Resource(color fyne.ThemeColorName) fyne.Resource {
	k := iconKey{i, color}
	if r, ok := themed.Load(k); ok {
		return r.(fyne.Resource)
	}
	name := string(i) + ".svg"
	r, _ := themed.LoadOrStore(k, theme.NewColoredResource(fyne.NewStaticResource(name, assets.Icon(string(i))), color))
	return r.(fyne.Resource)
}
