package page

import (
	"slices"
	"strings"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Images is the page of repositories and tags.
type Images struct {
	m     *model.Images
	o     Options
	drawn model.ImagesState
	first bool

	object  *fyne.Container
	search  *widget.Search
	sort    *widget.Button
	list    *widget.RepoList
	noMatch *widget.Empty
	note    *widget.Text
	left    *fyne.Container
	waiting *fyne.Container
	split   *fyne.Container
	failed  *widget.ProblemPanel
	welcome *firstRun
	repo    *repository
}

// NewImages makes the page.
func NewImages(m *model.Images, o Options) *Images {
	p := &Images{m: m, o: o, first: true}
	p.search = widget.NewSearch("Filter images", m.SetFilter, p.focusList)
	p.sort = widget.NewIconButton(theme.IconSort, "Sort", p.sortMenu)
	p.list = widget.NewRepoList()
	p.list.Count = func() int { return len(p.drawn.Repositories) }
	p.list.Item = p.repoItem
	p.list.On = widget.ListEvents{
		Select: func(i int) { m.SelectRepository(p.drawn.Repositories[i].Name) },
		Move:   m.MoveRepository, Menu: p.repoMenu, Key: p.listKey, Rune: o.Rune,
	}
	p.noMatch = widget.NewEmpty(theme.IconSearch, "Nothing matches", "")
	p.note = widget.NewText("", widget.Caption)
	p.left = container.NewBorder(
		widget.Pad(0, 0, 10, 0, widget.Across(theme.Space, 0, p.search, p.sort)), widget.Pad(theme.Space, 0, 0, 10, p.note), nil, nil,
		container.NewStack(p.list, p.noMatch))
	p.repo = newRepository(m, o)
	p.waiting = container.New(&splitLayout{}, widget.NewSkeleton(8, 54, 1), widget.NewSurface(theme.Line, 0, nil),
		widget.NewSkeleton(12, theme.RowHeight, 0.34, 0.14, 0.2, 0.12, 0.1, 0.1))
	p.split = container.New(&splitLayout{}, p.left, widget.NewSurface(theme.Line, 0, nil), p.repo.object)
	p.failed = widget.NewProblemPanel(m.Copy, m.Refresh)
	p.welcome = newFirstRun(m)
	p.object = container.NewBorder(p.header(), nil, nil, nil,
		container.NewStack(p.waiting, p.split, p.failed, p.welcome.object))
	p.Refresh()
	return p
}

func (p *Images) header() fyne.CanvasObject {
	return widget.Pad(16, theme.Margin, theme.Inset, theme.Margin, widget.Across(10, 0,
		widget.NewText("Images", widget.Title),
		widget.NewButton("Import", theme.IconImport, widget.Normal, p.m.ChooseImport),
		widget.NewButton("Push from Docker", theme.IconPush, widget.Primary, p.m.ShowDocker)))
}

// Object is what stands in the window.
func (p *Images) Object() fyne.CanvasObject { return p.object }

// Enter is called when the page is shown: the keyboard goes to the tags.
func (p *Images) Enter() { p.repo.focus() }

// FocusFilter puts the keyboard into the filter.
func (p *Images) FocusFilter() { p.search.Focus() }

// Refresh shows the state of the model.
func (p *Images) Refresh() {
	before, st := p.drawn, p.m.State()
	p.drawn = st
	p.waiting.Hidden = st.Phase != model.PhaseLoading
	p.failed.Hidden = st.Phase != model.PhaseFailed
	p.welcome.object.Hidden = st.Phase != model.PhaseEmpty
	p.split.Hidden = st.Phase != model.PhaseReady && st.Phase != model.PhaseNoMatch
	if st.Phase == model.PhaseFailed && st.Problem != nil {
		p.failed.Set(st.Problem.Title, st.Problem.Text, st.Problem.Fix, st.Problem.Command)
	}
	if st.Phase == model.PhaseEmpty {
		p.welcome.set(st.FirstRun)
	}
	p.search.Set(st.Filter)
	p.note.Set(st.Note)
	p.list.Hidden, p.noMatch.Hidden = st.Phase == model.PhaseNoMatch, st.Phase != model.PhaseNoMatch
	if st.Phase == model.PhaseNoMatch {
		p.noMatch.Set(theme.IconSearch, "Nothing matches", "No repository is called «"+st.Filter+"».")
	}
	if p.first || !slices.Equal(before.Repositories, st.Repositories) {
		p.list.Refresh()
	}
	if st.Selected >= 0 && selectedName(before) != selectedName(st) {
		p.list.ScrollTo(st.Selected)
	}
	p.repo.update(st.Repo)
	if p.first || before.Phase != st.Phase {
		p.object.Refresh()
	}
	p.first = false
}

func selectedName(st model.ImagesState) string {
	if st.Selected < 0 || st.Selected >= len(st.Repositories) {
		return ""
	}
	return st.Repositories[st.Selected].Name
}

func (p *Images) repoItem(i int) widget.RepoItem {
	r := p.drawn.Repositories[i]
	lead := ""
	if r.Namespace != "" {
		lead = r.Namespace + "/"
	}
	tip := r.Name
	if r.PushedExact != "" {
		tip += "\nPushed " + r.PushedExact
	}
	return widget.RepoItem{
		Lead: lead, Name: strings.TrimPrefix(r.Base, "/"), Facts: r.Facts, When: r.Pushed, Tip: tip, Selected: r.Selected, Dimmed: r.Dimmed,
	}
}

func (p *Images) focusList() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(p.list); c != nil {
		c.Focus(p.list)
	}
}

// listKey gives Enter and Right a way from the repositories to the tags.
func (p *Images) listKey(name fyne.KeyName) bool {
	switch name {
	case fyne.KeyReturn, fyne.KeyEnter, fyne.KeyRight:
		p.repo.focus()
		return true
	case fyne.KeyDelete, fyne.KeySpace:
		return true // they are about tags; here they would hit what one does not look at
	}
	return p.o.Key != nil && p.o.Key(name)
}

func (p *Images) sortMenu() {
	by := func(label string, s model.RepoSort) *fyne.MenuItem {
		return checked(label, p.drawn.RepoSort == s, func() { p.m.SortRepositories(s) })
	}
	menuBelow(p.sort, by("Last push", model.ReposByPushed), by("Name", model.ReposByName), by("Size", model.ReposBySize), by("Number of tags", model.ReposByTags))
}

func (p *Images) repoMenu(i int, at fyne.Position) {
	name := p.drawn.Repositories[i].Name
	menuAt(p.list, at,
		item("Open", func() { p.m.SelectRepository(name) }),
		item("Copy name", func() { p.m.Copy(name) }),
		fyne.NewMenuItemSeparator(),
		item("Delete repository", func() { p.m.DeleteRepository(name) }))
}

// splitLayout places a list, a line, and what is chosen in the list.
type splitLayout struct{}

func (splitLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	const margin float32 = 10
	left := min(340, max(190, size.Width*0.297))
	o[0].Move(fyne.NewPos(margin, 2))
	o[0].Resize(fyne.NewSize(left-2*margin, size.Height-2))
	o[1].Move(fyne.NewPos(left, 0))
	o[1].Resize(fyne.NewSize(theme.Hairline, size.Height))
	gap := theme.Margin
	if size.Width < 760 {
		gap = theme.Inset
	}
	o[2].Move(fyne.NewPos(left+gap, 0))
	o[2].Resize(fyne.NewSize(size.Width-left-gap-theme.Margin, size.Height))
}

func (splitLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(420, 240) }
