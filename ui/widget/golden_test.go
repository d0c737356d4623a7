package widget_test

import (
	"testing"

	"berth/ui/theme"
	"berth/ui/uitest"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
)

// looks compares a widget with its golden pictures, on the ground of a window.
func looks(t *testing.T, name string, size fyne.Size, build func() fyne.CanvasObject) {
	t.Helper()
	for _, v := range uitest.Variants {
		uitest.App(v)
		o := widget.NewSurface(theme.Window, 0, widget.Pad(12, 12, 12, 12, build()))
		uitest.Golden(t, name+"-"+string(v), uitest.Draw(o, size, v))
	}
}

func TestIconsAreDrawnWhole(t *testing.T) {
	icons := []theme.Icon{
		theme.IconAnchor, theme.IconImages, theme.IconPush, theme.IconPull, theme.IconImport, theme.IconActivity, theme.IconCleanup,
		theme.IconClusters, theme.IconSettings, theme.IconSearch, theme.IconCopy, theme.IconCheck, theme.IconDone, theme.IconClose,
		theme.IconCancel, theme.IconTrash, theme.IconTag, theme.IconMore, theme.IconShield, theme.IconWarning, theme.IconProblem,
		theme.IconInfo, theme.IconDown, theme.IconUp, theme.IconRefresh, theme.IconUndo, theme.IconRepository, theme.IconShow, theme.IconSort,
	}
	looks(t, "icons", fyne.Size{}, func() fyne.CanvasObject {
		var lines []fyne.CanvasObject
		for len(icons) > 0 {
			n := min(10, len(icons))
			var line []fyne.CanvasObject
			for _, i := range icons[:n] {
				line = append(line, widget.NewSizedIcon(i, theme.Text, 24))
			}
			lines = append(lines, widget.Across(12, widget.NoGrow, line...))
			icons = icons[n:]
		}
		return widget.Down(12, widget.NoGrow, lines...)
	})
}
