package page

import (
	"berth/app"
	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Frame is what surrounds the pages: navigation and status on the left, the
// banner of problems above, the snackbar over everything.
type Frame struct {
	shell   *model.Shell
	object  fyne.CanvasObject
	items   map[model.Page]*widget.NavItem
	status  *widget.Status
	banner  *widget.Banner
	above   *fyne.Container
	snack   *widget.Snackbar
	body    *fyne.Container
	name    *widget.Text
	problem string
	height  float32 // of the banner
	drawn   model.ShellState
}

// narrowBelow is the width of the window under which the navigation shows only
// icons.
const narrowBelow = 900

var navIcons = map[model.Page]theme.Icon{
	model.PageImages: theme.IconImages, model.PageDocker: theme.IconDocker, model.PageCleanup: theme.IconCleanup,
}

// NewFrame makes the frame; SetPage puts a page into it.
func NewFrame(s *model.Shell) *Frame {
	f := &Frame{shell: s, items: map[model.Page]*widget.NavItem{}, body: container.NewStack()}
	f.name = widget.NewText("Berth", widget.Section)
	logo := widget.Across(theme.Inset-2, widget.NoGrow, widget.NewSizedIcon(theme.IconAnchor, theme.Accent, 22), f.name)
	var lines []fyne.CanvasObject
	for _, n := range s.State().Nav {
		line := widget.NewNavItem(navIcons[n.Page], n.Title, func() { s.Go(n.Page) })
		f.items[n.Page] = line
		lines = append(lines, line)
	}
	f.status = widget.NewStatus(s.CopyAddress, func() { s.Go(model.PageCleanup) })
	nav := widget.NewSurface(theme.Panel, 0, widget.Pad(14, 12, 14, 12, container.NewBorder(
		widget.Pad(4, 0, 13, 9, logo), f.status, nil, nil, widget.Down(2, widget.NoGrow, lines...))))
	f.banner = widget.NewBanner(func(c string) { s.Copy(c, "Copied the command") }, func() { s.DismissProblem(f.problem) })
	f.above = widget.Pad(theme.Inset, theme.Margin, 0, theme.Margin, f.banner)
	f.snack = widget.NewSnackbar(s.Act, s.Dismiss)
	// The page comes before the navigation, so that Tab begins at its first button.
	f.object = container.New(&frameLayout{f}, widget.NewSurface(theme.Window, 0, nil), container.NewBorder(f.above, nil, nil, nil, f.body), nav,
		widget.NewSurface(theme.Line, 0, nil), f.snack)
	f.Refresh()
	return f
}

// Object is what stands in the window.
func (f *Frame) Object() fyne.CanvasObject { return f.object }

// SetPage shows a page.
func (f *Frame) SetPage(o fyne.CanvasObject) {
	if len(f.body.Objects) == 1 && f.body.Objects[0] == o {
		return
	}
	widget.HideTip()
	f.body.Objects = []fyne.CanvasObject{o}
	f.body.Refresh()
}

// Refresh shows the state of the model.
func (f *Frame) Refresh() {
	st := f.shell.State()
	for _, n := range st.Nav {
		if i := f.items[n.Page]; i != nil {
			i.Set(n.Count, n.Selected)
			i.SetCalls(n.Calls)
		}
	}
	if st.Status != f.drawn.Status || st.Address != f.drawn.Address || st.Space != f.drawn.Space {
		f.status.Set(widget.StatusView{
			Color: tone(st.Status.Tone), Text: st.Status.Text, Detail: st.Status.Detail, Address: st.Address,
			Used: st.Space.Used, Freeable: st.Space.Freeable, SpaceKnown: st.Space.Known,
			UsedText: st.Space.UsedText, RestText: st.Space.RestText, RestColor: quietTone(st.Space.RestTone), SpaceTip: st.Space.Tooltip,
		})
	}
	f.showProblem(st.Problems)
	f.snack.Set(snacks(st.Toasts))
	f.drawn = st
}

// quietTone is the colour of words that only a tone other than faint lifts.
func quietTone(t model.Tone) fyne.ThemeColorName {
	if t == model.ToneFaint {
		return theme.Secondary
	}
	return tone(t)
}

func (f *Frame) showProblem(list []app.Problem) {
	hidden := len(list) == 0
	if !hidden {
		p := list[0]
		f.problem = p.Code
		text := p.Text
		if p.Fix != "" {
			text += " " + p.Fix
		}
		f.banner.Set(p.Title, text, p.Command, p.Severity != "warning")
	}
	if h := f.above.MinSize().Height; f.above.Hidden != hidden || f.height != h {
		f.above.Hidden, f.height = hidden, h
		f.object.Refresh()
	}
}

func snacks(toasts []model.Toast) []widget.Snack {
	var out []widget.Snack
	for _, t := range toasts {
		s := widget.Snack{ID: t.ID, Lead: t.Lead, Strong: t.Strong, Rest: t.Rest, Action: t.Action, Hint: t.Hint, Progress: t.Progress}
		switch t.Tone {
		case model.ToneOK:
			s.Icon, s.Color = theme.IconDone, theme.SnackLink
		case model.ToneDanger:
			s.Icon, s.Color = theme.IconProblem, theme.SnackBad
		case model.ToneWarning:
			s.Icon, s.Color = theme.IconWarning, theme.SnackWarn
		}
		out = append(out, s)
	}
	return out
}

// frameLayout places background, page, navigation, its edge, the snackbar.
type frameLayout struct{ f *Frame }

const railWidth float32 = 60

func (l *frameLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	width := theme.NavWidth
	narrow := size.Width < narrowBelow
	if narrow {
		width = railWidth
	}
	for _, i := range l.f.items {
		i.SetNarrow(narrow)
	}
	l.f.status.SetNarrow(narrow)
	l.f.name.Hidden = narrow
	o[0].Resize(size)
	o[2].Resize(fyne.NewSize(width-theme.Hairline, size.Height))
	o[3].Move(fyne.NewPos(width-theme.Hairline, 0))
	o[3].Resize(fyne.NewSize(theme.Hairline, size.Height))
	for _, x := range []fyne.CanvasObject{o[1], o[4]} {
		x.Move(fyne.NewPos(width, 0))
		x.Resize(fyne.NewSize(size.Width-width, size.Height))
	}
}

func (l *frameLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(480, 320) }
