package page

import (
	"slices"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// repository is the right side of the Images page: one repository, its tags,
// and the inspector of the focused tag.
type repository struct {
	m     *model.Images
	drawn *model.RepoView

	object              *fyne.Container
	none                *widget.Empty
	whole               *fyne.Container
	name, facts         *widget.Text
	selected            *widget.Text
	remove, retag, pull *widget.Button
	more                *widget.Button
	command             *widget.Command
	table               *widget.Table
	skeleton            *widget.Skeleton
	empty               *widget.Empty
	failed              *widget.ProblemPanel
	inspector           *inspector
	prompt              *prompt
	body                *fyne.Container
	menuOfCommand       *widget.Button
}

func newRepository(m *model.Images, o Options) *repository {
	r := &repository{m: m}
	r.name = widget.NewText("", widget.Section)
	r.facts = widget.NewText("", widget.Quiet.Sized(12))
	r.selected = widget.NewText("", widget.Quiet)
	r.remove = widget.NewButton("Delete", theme.IconTrash, widget.DangerKind, m.Delete)
	r.retag = widget.NewButton("Retag", theme.IconTag, widget.Normal, func() { r.askRetag(r.target()) })
	r.pull = widget.NewButton("Pull to Docker", theme.IconPull, widget.Normal, m.PullToDocker)
	r.more = widget.NewIconButton(theme.IconMore, "More", r.moreMenu)
	r.command = widget.NewCommand("", m.Copy)
	r.menuOfCommand = widget.NewIconButton(theme.IconDown, "Copy for podman, nerdctl, crane…", r.pullMenu)
	r.table = r.newTable(o)
	r.skeleton = widget.NewSkeleton(8, theme.RowHeight, 0.34, 0.14, 0.2, 0.12, 0.1, 0.1)
	r.empty = widget.NewEmpty(theme.IconTag, "No tags", "This repository has no tags any more.")
	r.failed = widget.NewProblemPanel(m.Copy, m.Refresh)
	r.inspector = newInspector(m)
	r.none = widget.NewEmpty(theme.IconRepository, "No repository chosen", "Choose one on the left to see its tags.")
	title := widget.Down(3, widget.NoGrow, r.name, r.facts)
	head := widget.Across(theme.Gap, 0, widget.NewTips(title), r.selected, r.remove, r.retag, r.pull, r.more)
	r.body = container.New(&bodyLayout{r}, r.table, r.inspector.object, r.skeleton, r.empty, r.failed)
	r.whole = container.NewBorder(widget.Down(10, widget.NoGrow, head, widget.Across(theme.Space, 0, r.command, r.menuOfCommand)), nil, nil, nil, widget.Pad(theme.Gap, 0, 0, 0, r.body))
	r.object = container.NewStack(r.whole, r.none)
	return r
}

// focus puts the keyboard into the table.
func (r *repository) focus() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(r.table); c != nil && r.table.Visible() {
		c.Focus(r.table)
	}
}

// update shows a repository; nil means that none is chosen.
func (r *repository) update(v *model.RepoView) {
	before := r.drawn
	r.drawn = v
	r.none.Hidden, r.whole.Hidden = v != nil, v == nil
	if v == nil {
		if before != nil {
			r.object.Refresh()
		}
		return
	}
	r.name.Set(v.Name)
	r.facts.Set(v.Facts)
	r.command.Set(v.Pull)
	many := v.Checked > 0
	r.selected.Set(v.CheckedText)
	r.remove.Hidden, r.selected.Hidden = !many, !many
	r.pull.Hidden, r.more.Hidden = many, many
	r.retag.Hidden = !many
	r.retag.SetDisabled(v.Checked != 1)
	r.skeleton.Hidden = v.Phase != model.PhaseLoading
	r.empty.Hidden = v.Phase != model.PhaseEmpty && v.Phase != model.PhaseNoMatch
	r.failed.Hidden = v.Phase != model.PhaseFailed
	r.table.Hidden = v.Phase != model.PhaseReady
	if v.Phase == model.PhaseFailed && v.Problem != nil {
		r.failed.Set(v.Problem.Title, v.Problem.Text, v.Problem.Fix, v.Problem.Command)
	}
	r.table.SetSort(string(v.Sort), v.Reverse, v.AllChecked)
	moved := before == nil || before.Name != v.Name
	if moved || !sameTable(before, v) {
		r.table.Refresh()
	}
	if moved {
		r.table.ScrollTo(0)
	}
	if v.Focus >= 0 && (moved || focusedName(before) != focusedName(v)) {
		r.table.ScrollTo(v.Focus)
	}
	r.inspector.update(v.Inspector)
	if r.changedShape(before, v) {
		r.object.Refresh()
	}
}

func sameTable(a, b *model.RepoView) bool {
	return slices.Equal(a.Tags, b.Tags) && a.Sort == b.Sort && a.Reverse == b.Reverse && a.AllChecked == b.AllChecked
}

// changedShape says whether widgets came, went, or need another size.
func (r *repository) changedShape(a, b *model.RepoView) bool {
	return a == nil || a.Name != b.Name || a.Facts != b.Facts || a.Phase != b.Phase || len(a.Tags) != len(b.Tags) || a.CheckedText != b.CheckedText ||
		(a.Inspector == nil) != (b.Inspector == nil) || rows(a.Inspector) != rows(b.Inspector)
}

func focusedName(v *model.RepoView) string {
	if v == nil || v.Focus < 0 || v.Focus >= len(v.Tags) {
		return ""
	}
	return v.Tags[v.Focus].Name
}

// askRetag asks for another tag for a tag. It is named here, for what was drawn
// may be older than what was just focused.
func (r *repository) askRetag(tag string) {
	if tag == "" {
		return
	}
	r.m.Focus(tag)
	r.prompt = showPrompt(r.object, "Another tag for "+tag, "v2, stable, latest…", "Retag", r.m.CheckRetag, r.m.Retag)
}

// target is the tag that Retag is about: the checked one, else the focused one.
func (r *repository) target() string {
	if r.drawn == nil {
		return ""
	}
	for _, t := range r.drawn.Tags {
		if t.Checked {
			return t.Name
		}
	}
	return focusedName(r.drawn)
}

func (r *repository) pullItems() []*fyne.MenuItem {
	var out []*fyne.MenuItem
	for _, l := range r.drawn.PullLines {
		out = append(out, item("Copy for "+l.Label, func() { r.m.Copy(l.Line) }))
	}
	return out
}

func (r *repository) pullMenu() { menuBelow(r.menuOfCommand, r.pullItems()...) }

func (r *repository) moreMenu() {
	name, tag := r.drawn.Name, focusedName(r.drawn)
	items := []*fyne.MenuItem{}
	if tag != "" {
		items = append(items, item("Retag "+tag+"…", func() { r.askRetag(tag) }), r.pinItem(r.drawn.Tags[r.drawn.Focus]), item("Delete "+tag, func() { r.m.DeleteTag(tag) }), fyne.NewMenuItemSeparator())
	}
	items = append(items, item("Copy name", func() { r.m.Copy(name) }), item("Select all tags", r.m.SelectAll),
		fyne.NewMenuItemSeparator(), item("Delete repository", func() { r.m.DeleteRepository(name) }))
	menuBelow(r.more, items...)
}

// bodyLayout gives the table the height of its rows and the inspector the place
// below; where there is too little for both, the table has it.
type bodyLayout struct{ r *repository }

const (
	inspectorLeast float32 = 150
	tableLeast     float32 = 170
	bodyGap        float32 = 14
	bodyFoot       float32 = 16
)

func (l *bodyLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	r := l.r
	for _, x := range o[2:] {
		x.Resize(size)
	}
	height := r.table.Height()
	r.inspector.setWide(size.Width >= 680)
	wanted := r.inspector.height()
	show := r.drawn != nil && r.drawn.Inspector != nil && r.drawn.Phase == model.PhaseReady &&
		size.Height-bodyFoot >= tableLeast+bodyGap+inspectorLeast
	r.inspector.object.Hidden = !show
	if !show {
		o[0].Resize(fyne.NewSize(size.Width, min(height, size.Height)))
		return
	}
	room := size.Height - bodyGap - bodyFoot
	below := min(wanted, max(inspectorLeast, room-height, room*0.46))
	table := min(height, room-below)
	o[0].Resize(fyne.NewSize(size.Width, table))
	o[1].Move(fyne.NewPos(0, table+bodyGap))
	o[1].Resize(fyne.NewSize(size.Width, below))
}

func (l *bodyLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, 100) }
