package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// RepoItem is a row of a RepoList.
type RepoItem struct {
	// Lead is the faint beginning of the name ("acme/"), Name the rest.
	Lead, Name       string
	Facts, When      string
	Tip              string
	Selected, Dimmed bool
}

// repoHeight is that of a row, with the space between two.
const repoHeight float32 = 54

// ListEvents are what a person does to a RepoList, as in TableEvents.
type ListEvents struct {
	Select func(i int)
	Move   func(by int)
	Menu   func(i int, at fyne.Position)
	Key    func(name fyne.KeyName) bool
	Rune   func(r rune)
}

// RepoList is the list of repositories: two lines a row, one selected. It takes
// the focus and the keyboard.
type RepoList struct {
	widget.BaseWidget
	Count func() int
	Item  func(i int) RepoItem
	On    ListEvents

	list    *Virtual
	focused bool
}

// NewRepoList makes a list.
func NewRepoList() *RepoList {
	l := &RepoList{}
	l.list = NewVirtual(repoHeight, func() int { return l.Count() },
		func() fyne.CanvasObject { return newRepoRow(l) },
		func(i int, o fyne.CanvasObject) { o.(*repoRow).update(i) })
	l.ExtendBaseWidget(l)
	return l
}

// ScrollTo brings row i into sight.
func (l *RepoList) ScrollTo(i int) { l.list.ScrollTo(i) }

// FocusGained is called by Fyne.
func (l *RepoList) FocusGained() { l.focused = true; l.list.Refresh() }

// FocusLost is called by Fyne.
func (l *RepoList) FocusLost() { l.focused = false; l.list.Refresh() }

// TypedRune passes on what is typed.
func (l *RepoList) TypedRune(r rune) { call(l.On.Rune, r) }

// TypedKey moves the selection, and passes other keys on.
func (l *RepoList) TypedKey(e *fyne.KeyEvent) {
	if by, ok := moves(e.Name, l.list.Page()); ok {
		call(l.On.Move, by)
		return
	}
	if l.On.Key != nil {
		l.On.Key(e.Name)
	}
}

// CreateRenderer is called by Fyne.
func (l *RepoList) CreateRenderer() fyne.WidgetRenderer { return &repoListRenderer{holder{l.list}} }

type repoListRenderer struct{ holder }

// repoRow is a row of a RepoList.
type repoRow struct {
	hinted
	l       *RepoList
	index   int
	item    RepoItem
	hovered bool
}

func newRepoRow(l *RepoList) *repoRow {
	r := &repoRow{l: l, index: -1}
	r.ExtendBaseWidget(r)
	return r
}

func (r *repoRow) update(i int) {
	r.index, r.item = i, r.l.Item(i)
	r.SetToolTip(r.item.Tip)
	r.Refresh()
}

func (r *repoRow) takeFocus() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(r.l); c != nil {
		c.Focus(r.l)
	}
}

// Tapped selects the row.
func (r *repoRow) Tapped(*fyne.PointEvent) {
	r.takeFocus()
	if !r.item.Dimmed {
		call(r.l.On.Select, r.index)
	}
}

// TappedSecondary asks for the menu of the row.
func (r *repoRow) TappedSecondary(e *fyne.PointEvent) {
	r.takeFocus()
	if r.l.On.Menu != nil && !r.item.Dimmed {
		r.l.On.Menu(r.index, e.AbsolutePosition)
	}
}

// MouseIn is called by Fyne.
func (r *repoRow) MouseIn(e *desktop.MouseEvent) {
	r.hinted.MouseIn(e)
	r.hovered = true
	r.Refresh()
}

// MouseOut is called by Fyne.
func (r *repoRow) MouseOut() {
	r.hinted.MouseOut()
	r.hovered = false
	r.Refresh()
}

// CreateRenderer is called by Fyne.
func (r *repoRow) CreateRenderer() fyne.WidgetRenderer {
	x := &repoRowRenderer{
		r: r, area: canvas.NewRectangle(noColor),
		lead: canvas.NewText("", noColor), name: canvas.NewText("", noColor),
		facts: canvas.NewText("", noColor), when: canvas.NewText("", noColor),
	}
	x.area.CornerRadius = theme.RadiusControl
	return x
}

type repoRowRenderer struct {
	r                       *repoRow
	area                    *canvas.Rectangle
	lead, name, facts, when *canvas.Text
}

func (x *repoRowRenderer) Layout(size fyne.Size) {
	const pad float32 = 10
	item := x.r.item
	x.area.Resize(fyne.NewSize(size.Width, size.Height-2))
	x.area.FillColor = theme.Of(x.fill())
	x.area.StrokeWidth, x.area.StrokeColor = 0, noColor
	if item.Selected && x.r.l.focused {
		x.area.StrokeWidth, x.area.StrokeColor = 1, theme.Of(theme.Accent)
	}
	strong, quiet, faint := theme.Text, theme.Secondary, theme.Faint
	if item.Selected {
		faint = theme.Secondary
	}
	if item.Dimmed {
		strong, quiet = theme.Faint, theme.Faint
	}
	width := size.Width - 2*pad
	lead := Style{Face: Strong, Color: quiet}
	x.set(x.lead, fit(item.Lead, lead, width/2), lead, pad, 8)
	at := x.lead.MinSize().Width
	if item.Lead == "" {
		at = 0
	}
	name := Style{Face: Strong, Color: strong}
	x.set(x.name, fit(item.Name, name, width-at), name, pad+at, 8)
	when := Style{Color: faint, Size: 12}
	x.set(x.when, item.When, when, 0, 27)
	w := x.when.MinSize().Width
	x.when.Move(fyne.NewPos(size.Width-pad-w, 27))
	facts := Style{Color: quiet, Size: 12}
	x.set(x.facts, fit(item.Facts, facts, width-w-theme.Gap), facts, pad, 27)
}

func (x *repoRowRenderer) set(t *canvas.Text, text string, s Style, left, top float32) {
	s.apply(t)
	t.Text = text
	t.Move(fyne.NewPos(left, top))
	t.Resize(t.MinSize())
}

func (x *repoRowRenderer) fill() fyne.ThemeColorName {
	switch {
	case x.r.item.Selected:
		return theme.Selected
	case x.r.hovered:
		return theme.Raised
	}
	return theme.Clear
}

func (x *repoRowRenderer) MinSize() fyne.Size { return fyne.NewSize(120, repoHeight) }
func (x *repoRowRenderer) Refresh() {
	x.Layout(x.r.Size())
	canvas.Refresh(x.r)
}

func (x *repoRowRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{x.area, x.lead, x.name, x.facts, x.when}
}
func (x *repoRowRenderer) Destroy() {}
