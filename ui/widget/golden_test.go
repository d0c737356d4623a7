package widget_test

import (
	"testing"

	"berth/ui/theme"
	"berth/ui/uitest"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
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
		theme.IconCancel, theme.IconTrash, theme.IconTag, theme.IconMore, theme.IconAttached, theme.IconWarning, theme.IconProblem,
		theme.IconInfo, theme.IconDown, theme.IconUp, theme.IconRefresh, theme.IconUndo, theme.IconRepository, theme.IconShow, theme.IconSort,
		theme.IconFree, theme.IconPlus, theme.IconPlay, theme.IconPause, theme.IconPreview, theme.IconHistory, theme.IconBack, theme.IconPin,
		theme.IconLock, theme.IconShield, theme.IconVerified, theme.IconDamaged,
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

func TestButtonsLookAsSigned(t *testing.T) {
	looks(t, "buttons", fyne.Size{}, func() fyne.CanvasObject {
		var lines []fyne.CanvasObject
		for _, v := range []widget.Variant{widget.Normal, widget.Primary, widget.DangerKind, widget.Ghost, widget.Link} {
			over, held, off := widget.NewButton("Over", theme.IconPush, v, nil), widget.NewButton("Focus", theme.IconPush, v, nil), widget.NewButton("Off", theme.IconPush, v, nil)
			over.MouseIn(&desktop.MouseEvent{})
			held.FocusGained()
			off.SetDisabled(true)
			lines = append(lines, widget.Across(8, widget.NoGrow,
				widget.NewButton("Push from Docker", theme.IconPush, v, nil), widget.NewSmallButton("Push", "", v, nil), over, held, off))
		}
		lines = append(lines, widget.Across(8, widget.NoGrow, widget.NewIconButton(theme.IconMore, "", nil), widget.NewMenuButton("desktop-linux", nil)))
		return widget.Down(8, widget.NoGrow, lines...)
	})
}

func TestSmallPartsLookAsSigned(t *testing.T) {
	looks(t, "parts", fyne.NewSize(460, 0), func() fyne.CanvasObject {
		name := widget.NewNameCell()
		name.Set("latest", "3 attached", "same as v2.4.1", "")
		digest := widget.NewDigest(nil)
		digest.Set("sha256:9f2c41d7aaaabbbb", "sha256:9f2c41d7…bbbb")
		on := widget.NewCheck(nil)
		on.Set(true)
		tab := widget.NewTab("Layers", nil)
		tab.Set("Layers", widget.ChipAccent)
		long := widget.NewText("a repository with a name that is much too long for the place it has here, and then some", widget.Body)
		search := widget.NewSearch("Filter images", func(string) {}, nil)
		return widget.Down(10, widget.NoGrow,
			name, digest, long,
			widget.Across(8, widget.NoGrow, widget.NewChip("pinned", widget.ChipQuiet), widget.NewChip("set by environment", widget.ChipWarning),
				widget.NewChip("failed", widget.ChipDanger), tab, widget.NewTab("Config", nil)),
			widget.Across(0, widget.NoGrow, widget.NewCheck(nil), on, widget.NewDot(theme.OK), widget.NewDot(theme.Warning)),
			widget.NewCommand("docker pull localhost:5000/acme/checkout:v2.4.1", nil), search,
			widget.NewBar(6, widget.Part{Part: 0.46, Color: theme.Accent}, widget.Part{Part: 0.13, Color: theme.Warning}),
			widget.NewLayerBar(widget.Part{Part: 0.34, Color: theme.Pressed}, widget.Part{Part: 0.55, Color: theme.Pressed}, widget.Part{Part: 0.11, Color: theme.Accent}))
	})
}

func TestStatesOfAListLookAsSigned(t *testing.T) {
	looks(t, "empty", fyne.NewSize(460, 240), func() fyne.CanvasObject {
		return widget.NewEmpty(theme.IconTag, "No tags", "This repository has no tags any more.", widget.NewButton("Push from Docker", theme.IconPush, widget.Primary, nil))
	})
	looks(t, "problem", fyne.NewSize(600, 260), func() fyne.CanvasObject {
		p := widget.NewProblemPanel(nil, nil)
		p.Set("Docker is not running", "Nothing answers at unix:///var/run/docker.sock.", "Start it, then try again:", "sudo systemctl start docker")
		return p
	})
	looks(t, "banner", fyne.NewSize(700, 60), func() fyne.CanvasObject {
		b := widget.NewBanner(nil, nil)
		b.Set("Port 5000 is taken", "AirPlay Receiver has it, so Berth answers on localhost:5001.", "", false)
		return b
	})
	looks(t, "skeleton", fyne.NewSize(460, 180), func() fyne.CanvasObject { return widget.NewSkeleton(4, theme.RowHeight, 0.5, 0.3, 0.2) })
}

func TestTheSnackbarLooksAsSigned(t *testing.T) {
	looks(t, "snackbar", fyne.NewSize(640, 200), func() fyne.CanvasObject {
		s := widget.NewSnackbar(nil, nil)
		s.Set([]widget.Snack{
			{ID: 1, Lead: "Pulling ", Strong: "acme/checkout:v2.4.1", Rest: " — 3 of 7 layers", Action: "Cancel", Progress: 0.4},
			{ID: 2, Lead: "Deleted ", Strong: "pr-302", Rest: " and 2 more", Action: "Undo", Hint: "Ctrl Z", Progress: -1},
			{ID: 3, Icon: theme.IconProblem, Color: theme.SnackBad, Strong: "The disk is full", Rest: ": a very long cause that cannot be shown whole in a window that is as narrow as this", Progress: -1},
		})
		return s
	})
}

func TestTheNavigationLooksAsSigned(t *testing.T) {
	looks(t, "nav", fyne.NewSize(204, 280), func() fyne.CanvasObject {
		chosen, over := widget.NewNavItem(theme.IconImages, "Images", nil), widget.NewNavItem(theme.IconActivity, "Activity", nil)
		chosen.Set("38", true)
		over.MouseIn(&desktop.MouseEvent{})
		s := widget.NewStatus(nil, nil)
		s.Set(widget.StatusView{
			Color: theme.OK, Text: "Running", Address: "localhost:5000", SpaceKnown: true, Used: 0.46, Freeable: 0.13,
			UsedText: "4.2 GB used", RestText: "1.1 GB to free", RestColor: theme.Warning,
		})
		return widget.Down(4, widget.NoGrow, chosen, over, widget.NewNavItem(theme.IconSettings, "Settings", nil), s)
	})
}

func TestPushCellsLookAsSigned(t *testing.T) {
	looks(t, "push", fyne.NewSize(480, 0), func() fyne.CanvasObject {
		var lines []fyne.CanvasObject
		for _, v := range []widget.PushView{
			{Face: widget.PushButton},
			{Face: widget.PushWaiting},
			{Face: widget.PushProgress, Text: "4 of 7 layers · 52 MB/s", Percent: "61%", Part: 0.61},
			{Face: widget.PushResult, Text: "Pushed · 2 s"},
			{Face: widget.PushRemark, Text: "already in Berth"},
			{Face: widget.PushFailure, Text: "Failed"},
		} {
			c := widget.NewPushCell()
			c.Set(v)
			target := widget.NewTargetCell()
			target.Set("localhost:5000/", "acme/checkout:dev", "", v.Face == widget.PushWaiting)
			lines = append(lines, widget.Across(12, 0, target, widget.Wide(176, c)))
		}
		d := widget.NewPushDetail(nil)
		d.Set(widget.DetailView{Layers: []widget.LayerLine{{ID: "a2abf6c4", Text: "exists", Part: 1, Idle: true}, {ID: "5c90d7e1", Text: "31 of 48 MB", Part: 0.64}}})
		return widget.Down(6, widget.NoGrow, append(lines, d)...)
	})
}

func TestTablesLookAsSigned(t *testing.T) {
	looks(t, "table", fyne.NewSize(520, 300), func() fyne.CanvasObject {
		f := newFakeTable(40)
		f.state[1], f.state[2], f.state[3] = widget.RowState{Checked: true}, widget.RowState{Focused: true}, widget.RowState{Dimmed: true}
		f.table.SetSort("size", false, false)
		f.tall[4] = 40
		return f.table
	})
}

func TestTheListOfRepositoriesLooksAsSigned(t *testing.T) {
	looks(t, "repositories", fyne.NewSize(260, 260), func() fyne.CanvasObject {
		items := []widget.RepoItem{
			{Lead: "acme/", Name: "checkout", Facts: "14 tags · 612 MB", When: "2 min ago", Selected: true},
			{Lead: "acme/", Name: "payments", Facts: "22 tags · 1.3 GB", When: "yesterday", Dimmed: true},
			{Lead: "mirror/library/with/a/deep/path/", Name: "postgres-with-a-long-name", Facts: "4 tags · 410 MB and more", When: "2 weeks ago"},
			{Name: "alone", Facts: "1 tag · 1 MB", When: "last week"},
		}
		l := widget.NewRepoList()
		l.Count, l.Item = func() int { return len(items) }, func(i int) widget.RepoItem { return items[i] }
		return l
	})
}

func TestInspectorRowsLookAsSigned(t *testing.T) {
	looks(t, "info", fyne.NewSize(520, 0), func() fyne.CanvasObject {
		var lines []fyne.CanvasObject
		for _, i := range []widget.Info{
			{Lead: "1", LeadWidth: 16, Text: "FROM debian:12-slim", Mono: true, Note: "shared by 11 tags", Right: "74 MB"},
			{Lead: "3", LeadWidth: 16, Text: "COPY checkout /usr/local/bin/checkout with more than fits here", Mono: true, Note: "only this tag", Marked: true, Right: "11 MB"},
			{Lead: "Created", LeadWidth: 140, Text: "20 Nov 2026, 14:25:00"},
			{Text: "ENTRYPOINT [\"/usr/local/bin/checkout\"]", Mono: true, Faint: true, Note: "5 min ago"},
		} {
			r := widget.NewInfoRow(nil)
			r.Set(i)
			lines = append(lines, r)
		}
		return widget.Down(8, widget.NoGrow, lines...)
	})
}
