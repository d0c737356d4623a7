package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
)

// NavItem is a line of the navigation.
type NavItem struct {
	hinted
	OnTapped func()
	icon     theme.Icon
	title    string
	count    string
	calls    bool
	selected bool
	hovered  bool
	narrow   bool
}

// NewNavItem makes a line.
func NewNavItem(icon theme.Icon, title string, tapped func()) *NavItem {
	n := &NavItem{icon: icon, title: title, OnTapped: tapped}
	n.ExtendBaseWidget(n)
	return n
}

// Set changes the number at its end, and whether its page is shown.
func (n *NavItem) Set(count string, selected bool) {
	if n.count != count || n.selected != selected {
		n.count, n.selected = count, selected
		n.Refresh()
	}
}

// SetCalls marks the line: there is something to do on its page.
func (n *NavItem) SetCalls(on bool) {
	if n.calls != on {
		n.calls = on
		n.Refresh()
	}
}

// SetNarrow shows only the icon; the title becomes the tooltip.
func (n *NavItem) SetNarrow(on bool) {
	if n.narrow == on {
		return
	}
	n.narrow = on
	n.SetToolTip("")
	if on {
		n.SetToolTip(n.title)
	}
	n.Refresh()
}

// Title is the name of the page.
func (n *NavItem) Title() string { return n.title }

// Tapped shows the page.
func (n *NavItem) Tapped(*fyne.PointEvent) { run(n.OnTapped) }

// MouseIn is called by Fyne.
func (n *NavItem) MouseIn(e *desktop.MouseEvent) {
	n.hinted.MouseIn(e)
	n.hovered = true
	n.Refresh()
}

// MouseOut is called by Fyne.
func (n *NavItem) MouseOut() {
	n.hinted.MouseOut()
	n.hovered = false
	n.Refresh()
}

// Cursor shows that it can be pressed.
func (n *NavItem) Cursor() desktop.Cursor { return desktop.PointerCursor }

// CreateRenderer is called by Fyne.
func (n *NavItem) CreateRenderer() fyne.WidgetRenderer {
	r := &navRenderer{
		n: n, area: canvas.NewRectangle(noColor), icon: canvas.NewImageFromResource(nil),
		title: canvas.NewText("", noColor), count: canvas.NewText("", noColor), mark: canvas.NewCircle(noColor),
	}
	r.area.CornerRadius = theme.RadiusControl
	r.icon.FillMode = canvas.ImageFillContain
	r.paint()
	return r
}

type navRenderer struct {
	n            *NavItem
	area         *canvas.Rectangle
	icon         *canvas.Image
	title, count *canvas.Text
	mark         *canvas.Circle
}

const navHeight float32 = 35

func (r *navRenderer) paint() {
	fill, fore, number := theme.Clear, theme.Secondary, theme.Faint
	switch {
	case r.n.selected:
		fill, fore, number = theme.AccentBg, theme.Accent, theme.Accent
	case r.n.hovered:
		fill, fore = theme.Raised, theme.Text
	}
	r.area.FillColor = theme.Of(fill)
	show(r.icon, r.n.icon, fore)
	Style{Face: Medium, Color: fore}.apply(r.title)
	Style{Size: theme.TextCaption, Face: Medium, Color: number}.apply(r.count)
	r.title.Text, r.count.Text = r.n.title, r.n.count
	r.title.Hidden, r.count.Hidden = r.n.narrow, r.n.narrow
	r.mark.FillColor, r.mark.Hidden = theme.Of(theme.Accent), !r.n.calls
}

func (r *navRenderer) Layout(size fyne.Size) {
	const icon float32 = 18
	r.area.Resize(size)
	x := float32(10)
	if r.n.narrow {
		x = round((size.Width - icon) / 2)
	}
	r.icon.Move(fyne.NewPos(x, round((size.Height-icon)/2)))
	r.icon.Resize(fyne.NewSquareSize(icon))
	m := r.title.MinSize()
	r.title.Move(fyne.NewPos(37, (size.Height-m.Height)/2))
	r.title.Resize(m)
	m = r.count.MinSize()
	r.count.Move(fyne.NewPos(size.Width-10-m.Width, (size.Height-m.Height)/2))
	r.count.Resize(m)
	const dot float32 = 6
	at := fyne.NewPos(size.Width-12-dot, round((size.Height-dot)/2))
	if r.n.narrow {
		at = fyne.NewPos(x+icon-1, round((size.Height-icon)/2)-2)
	}
	r.mark.Move(at)
	r.mark.Resize(fyne.NewSquareSize(dot))
}

func (r *navRenderer) MinSize() fyne.Size { return fyne.NewSize(navHeight, navHeight) }
func (r *navRenderer) Refresh() {
	r.paint()
	r.Layout(r.n.Size())
	canvas.Refresh(r.n)
	r.icon.Refresh()
}

func (r *navRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.area, r.icon, r.title, r.count, r.mark}
}
func (r *navRenderer) Destroy() {}

// StatusView is what a Status shows.
type StatusView struct {
	Color              fyne.ThemeColorName
	Text, Detail       string
	Address            string
	Used, Freeable     float32
	SpaceKnown         bool
	UsedText, RestText string
	RestColor          fyne.ThemeColorName
	SpaceTip           string
}

// Status is the block at the foot of the navigation: state, address with copy,
// and the bar of the disk.
type Status struct {
	Composed
	dot      *Dot
	state    *Text
	address  *Text
	copy     *Button
	bar      *Bar
	space    *Pressable
	used     *Text
	rest     *Text
	wide     *fyne.Container
	narrow   *fyne.Container
	smallDot *Dot
	smallTip *Tipped
}

// NewStatus makes a block; copied is called to copy the address, space when the
// bar is clicked.
func NewStatus(copied, space func()) *Status {
	s := &Status{
		dot: NewDot(theme.Faint), smallDot: NewDot(theme.Faint), state: NewText("", BodyBold), address: NewText("", CodeQuiet),
		bar: NewBar(6), used: NewText("", Caption.In(theme.Secondary)), rest: NewText("", Caption.In(theme.Secondary)),
	}
	s.copy = NewIconButton(theme.IconCopy, "Copy the address", copied)
	s.copy.height = 24
	s.space = NewPressable(Down(0, NoGrow, Gap(0, 2), s.bar, Gap(0, 6), Across(theme.Gap, 0, s.used, s.rest)), space)
	s.smallTip = NewTipped(Pad(14, 14, 14, 14, s.smallDot))
	s.wide = Pad(theme.Gap, theme.Gap, 0, theme.Gap, NewTips(Down(0, NoGrow,
		Across(theme.Gap, 1, s.dot, s.state),
		Across(theme.Gap, 0, s.address, s.copy),
		s.space)))
	s.narrow = container.NewCenter(NewTips(container.NewStack(s.smallTip)))
	s.narrow.Hide()
	s.root = Down(theme.Gap, NoGrow, NewLine(), s.wide, s.narrow)
	s.ExtendBaseWidget(s)
	return s
}

// Set shows a state.
func (s *Status) Set(v StatusView) {
	s.dot.Set(v.Color)
	s.smallDot.Set(v.Color)
	s.state.Set(v.Text)
	s.state.SetTip(v.Detail)
	s.smallTip.SetTip(v.Text + " on " + v.Address + "\n" + v.Detail)
	s.address.Set(v.Address)
	s.copy.Hidden = v.Address == ""
	s.space.SetToolTip(v.SpaceTip)
	s.bar.Set(Part{v.Used, theme.Accent}, Part{v.Freeable, theme.Warning})
	s.used.Set(v.UsedText)
	s.rest.Set(v.RestText)
	s.rest.SetStyle(Caption.In(v.RestColor))
	s.space.Hidden = !v.SpaceKnown
	s.root.Refresh()
}

// SetNarrow shows only the dot.
func (s *Status) SetNarrow(on bool) {
	s.wide.Hidden, s.narrow.Hidden = on, !on
	s.root.Refresh()
}
