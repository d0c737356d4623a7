package page

import (
	"reflect"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Docker is the page of local images.
type Docker struct {
	m       *model.Docker
	drawn   model.DockerState
	first   bool
	editing string // the key of the row whose name is being edited

	object   *fyne.Container
	dot      *widget.Dot
	engine   *widget.Text
	line     *fyne.Container
	search   *widget.Search
	context  *widget.Button
	push     *widget.Button
	table    *widget.Table
	skeleton *widget.Skeleton
	empty    *widget.Empty
	failed   *widget.ProblemPanel
	header   *fyne.Container
}

// NewDocker makes the page.
func NewDocker(m *model.Docker, o Options) *Docker {
	p := &Docker{m: m, first: true}
	p.dot, p.engine = widget.NewDot(theme.Faint), widget.NewText("", widget.Quiet.Sized(12))
	p.search = widget.NewSearch("Filter local images", m.SetFilter, p.focusTable)
	p.context = widget.NewMenuButton("", p.contextMenu)
	p.push = widget.NewButton("", theme.IconPush, widget.Primary, m.PushChecked)
	p.line = widget.Across(theme.Gap, 1, p.dot, p.engine)
	title := widget.Down(3, widget.NoGrow, widget.NewText("Docker", widget.Title), widget.NewTips(p.line))
	p.header = widget.Pad(14, theme.Margin, theme.Gap, theme.Margin, widget.Across(10, 0, title, widget.Wide(200, p.search), p.context, p.push))
	p.table = p.newTable(o)
	p.skeleton = widget.NewSkeleton(10, theme.RowHeight, 0.24, 0.1, 0.1, 0.12, 0.3, 0.14)
	p.empty = widget.NewEmpty(theme.IconImages, "No local images", "Build or pull one, and it appears here.")
	p.failed = widget.NewProblemPanel(func(string) { m.CopyFix() }, m.Refresh)
	p.object = container.NewBorder(p.header, nil, nil, nil,
		widget.Pad(0, theme.Margin, 0, theme.Margin, container.NewStack(p.table, p.skeleton, p.empty, p.failed)))
	p.Refresh()
	return p
}

// Object is what stands in the window.
func (p *Docker) Object() fyne.CanvasObject { return p.object }

// Enter is called when the page is shown: the keyboard goes to the rows.
func (p *Docker) Enter() { p.focusTable() }

// FocusFilter puts the keyboard into the filter.
func (p *Docker) FocusFilter() { p.search.Focus() }

func (p *Docker) focusTable() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(p.table); c != nil && p.table.Visible() {
		c.Focus(p.table)
	}
}

// Refresh shows the state of the model.
func (p *Docker) Refresh() {
	before, st := p.drawn, p.m.State()
	p.drawn = st
	p.skeleton.Hidden = st.Phase != model.PhaseLoading
	p.failed.Hidden = st.Phase != model.PhaseFailed
	p.empty.Hidden = st.Phase != model.PhaseEmpty && st.Phase != model.PhaseNoMatch
	p.table.Hidden = st.Phase != model.PhaseReady
	if st.Phase == model.PhaseFailed && st.Problem != nil {
		p.failed.Set(st.Problem.Title, st.Problem.Text, st.Problem.Fix, st.Problem.Command)
	}
	if st.Phase == model.PhaseNoMatch {
		p.empty.Set(theme.IconSearch, "Nothing matches", "No local image is called «"+st.Filter+"».")
	} else {
		p.empty.Set(theme.IconImages, "No local images", "Build or pull one, and it appears here.")
	}
	p.dot.Set(tone(st.EngineTone))
	p.engine.Set(st.Engine)
	p.line.Hidden = st.Engine == ""
	p.search.Set(st.Filter)
	p.context.SetLabel(st.Context)
	p.context.Hidden = len(st.Contexts) < 2
	p.push.SetLabel(st.PushChecked)
	p.push.Hidden = st.PushChecked == ""
	p.table.SetSort("", false, st.AllChecked)
	p.refreshRows(before, st)
	if st.Focus >= 0 && focusedKey(before) != focusedKey(st) {
		p.table.ScrollTo(st.Focus)
	}
	if p.first || before.Phase != st.Phase {
		p.object.Refresh()
	} else if before.Engine != st.Engine || before.Context != st.Context || before.PushChecked != st.PushChecked {
		p.header.Refresh()
	}
	p.first = false
}

// refreshRows shows single rows anew while their order and heights stay, which
// is what happens ten times a second during a push.
func (p *Docker) refreshRows(before, st model.DockerState) {
	if p.first || before.AllChecked != st.AllChecked || len(before.Rows) != len(st.Rows) {
		p.table.Refresh()
		return
	}
	var changed []int
	for i := range st.Rows {
		a, b := before.Rows[i], st.Rows[i]
		if a.Key != b.Key || detailHeight(a) != detailHeight(b) {
			p.table.Refresh()
			return
		}
		if !reflect.DeepEqual(a, b) {
			changed = append(changed, i)
		}
	}
	for _, i := range changed {
		p.table.RefreshRow(i)
	}
}

func focusedKey(st model.DockerState) string {
	if st.Focus < 0 || st.Focus >= len(st.Rows) {
		return ""
	}
	return st.Rows[st.Focus].Key
}

func (p *Docker) contextMenu() {
	var items []*fyne.MenuItem
	for _, name := range p.drawn.Contexts {
		items = append(items, checked(name, name == p.drawn.Context, func() { p.m.SelectContext(name) }))
	}
	menuBelow(p.context, items...)
}

// edit starts to edit the name of a row; an empty key ends it.
func (p *Docker) edit(key string) {
	was := p.editing
	if was == key {
		return
	}
	p.editing = key
	for i, r := range p.drawn.Rows {
		if r.Key == was || r.Key == key {
			p.table.RefreshRow(i)
		}
	}
}
