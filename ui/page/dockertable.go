package page

import (
	"berth/ui/model"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
)

// newTable makes the table of local images.
func (p *Docker) newTable(o Options) *widget.Table {
	m := p.m
	row := func(i int) model.LocalRow { return p.drawn.Rows[i] }
	key := func(i int) string { return row(i).Key }
	t := widget.NewTable(
		p.nameColumn(),
		widget.Column{
			Key: "id", Title: "Id", Width: 58, Drop: 3,
			New:    func() fyne.CanvasObject { return widget.NewDigest(m.Copy) },
			Update: func(i int, c fyne.CanvasObject) { c.(*widget.Digest).Set(row(i).ID, row(i).Short) },
		},
		number("size", "Size", 52, 1, widget.Body, func(i int) (string, string) { return row(i).Size, "" }),
		number("created", "Created", 80, 2, widget.Quiet, func(i int) (string, string) { return row(i).Created, row(i).CreatedExact }),
		widget.Column{
			Key: "as", Title: "Will be pushed as", Width: 170, Grow: true,
			New:    func() fyne.CanvasObject { return widget.NewTargetCell() },
			Update: func(i int, c fyne.CanvasObject) { p.updateTarget(row(i), c.(*widget.TargetCell)) },
		},
		widget.Column{
			Key: "push", Width: 176,
			New:    func() fyne.CanvasObject { return widget.NewPushCell() },
			Update: func(i int, c fyne.CanvasObject) { p.updatePush(row(i), c.(*widget.PushCell)) },
		},
	)
	t.Count = func() int { return len(p.drawn.Rows) }
	t.State = func(i int) widget.RowState {
		return widget.RowState{Checked: row(i).Checked, Focused: row(i).Focused && p.drawn.Checked == 0}
	}
	t.NewDetail = func() fyne.CanvasObject { return widget.NewPushDetail(m.Copy) }
	t.UpdateDetail = func(i int, d fyne.CanvasObject) { d.(*widget.PushDetail).Set(detail(row(i))) }
	t.DetailHeight = func(i int) float32 { return detailHeight(row(i)) }
	t.On = widget.TableEvents{
		Check: func(i int) { m.Toggle(key(i)) }, CheckAll: m.SelectAll,
		Focus: func(i int) { m.Focus(key(i)) }, Toggle: func(i int) { m.Toggle(key(i)) },
		Range: func(i int) { m.Range(key(i)) }, Move: m.MoveFocus, Menu: p.rowMenu,
		Key: o.Key, Rune: o.Rune,
	}
	return t
}

// nameColumn is that of the names in the engine, as wide as the longest of them
// if there is room.
func (p *Docker) nameColumn() widget.Column {
	c := text("name", "Local image", 126, 0, widget.BodyBold, func(i int) (string, string) { return p.drawn.Rows[i].Name, "" })
	c.Want = func() float32 {
		var most float32
		for _, r := range p.drawn.Rows {
			most = max(most, widget.BodyBold.Width(r.Name))
		}
		return most
	}
	return c
}

func (p *Docker) updateTarget(r model.LocalRow, c *widget.TargetCell) {
	c.Edit = func() { p.m.Focus(r.Key); p.edit(r.Key) }
	c.Changed = func(s string) { p.m.SetAs(r.Key, s) }
	c.Done = func(byKey bool) {
		p.edit("")
		if byKey {
			p.focusTable()
		}
	}
	c.Set(r.Host, r.As, r.AsProblem, p.editing == r.Key)
}

func (p *Docker) updatePush(r model.LocalRow, c *widget.PushCell) {
	c.Push = func() { p.m.Push(r.Key) }
	c.Cancel = func() { p.m.Cancel(r.Key) }
	v := widget.PushView{Text: r.Result, Tip: r.Pull}
	switch r.State {
	case model.PushStarting:
		v.Face = widget.PushWaiting
	case model.PushRunning:
		v.Face = widget.PushWaiting
		if g := r.Progress; g != nil {
			v = widget.PushView{Face: widget.PushProgress, Text: g.Text, Percent: g.Percent, Part: g.Part, Cancelling: g.Cancelling}
		}
	case model.PushDone:
		v.Face = widget.PushResult
	case model.PushFailed:
		v.Face = widget.PushFailure
		if v.Text == "" {
			v.Text = "Failed"
		}
	case model.PushInBerth:
		v.Face = widget.PushRemark
	case model.PushCancelled:
		v.Face = widget.PushButton
	}
	c.Set(v)
}

// layersMost is how many layers a running row shows.
const layersMost = 10

// layersShown leaves out layers that need not be sent where there are too many.
func layersShown(g *model.Progress) []model.LayerProgress {
	if g == nil || len(g.Layers) <= layersMost {
		if g == nil {
			return nil
		}
		return g.Layers
	}
	var out []model.LayerProgress
	for _, idle := range []bool{false, true} {
		for _, l := range g.Layers {
			if (l.Tone == model.ToneFaint) == idle && len(out) < layersMost {
				out = append(out, l)
			}
		}
	}
	return out
}

// detail is what a row shows below itself.
func detail(r model.LocalRow) widget.DetailView {
	var v widget.DetailView
	switch {
	case r.State == model.PushFailed && r.Problem != nil:
		v.Problem, v.Fix, v.Command = r.Problem.Title, r.Problem.Fix, r.Problem.Command
		if r.Problem.Text != "" {
			v.Problem += ": " + r.Problem.Text
		}
	case r.State == model.PushRunning:
		for _, l := range layersShown(r.Progress) {
			v.Layers = append(v.Layers, widget.LayerLine{ID: l.ID, Text: l.Text, Part: l.Part, Idle: l.Tone == model.ToneFaint})
		}
	}
	return v
}

func detailHeight(r model.LocalRow) float32 { return detail(r).Height() }

// rowMenu is the context menu of a row.
func (p *Docker) rowMenu(i int, at fyne.Position) {
	r := p.drawn.Rows[i]
	if p.drawn.Checked > 1 && r.Checked {
		menuAt(p.table, at, item(p.drawn.PushChecked, p.m.PushChecked), item("Clear selection", func() { p.m.ClearSelection() }))
		return
	}
	p.m.Focus(r.Key)
	items := []*fyne.MenuItem{item("Push", func() { p.m.Push(r.Key) }), item("Change the name…", func() { p.edit(r.Key) })}
	if r.State == model.PushRunning {
		items = []*fyne.MenuItem{item("Cancel", func() { p.m.Cancel(r.Key) })}
	}
	items = append(items, fyne.NewMenuItemSeparator(), item("Copy id", func() { p.m.Copy(r.ID) }), item("Copy name", func() { p.m.Copy(r.Name) }))
	if r.Pull != "" {
		items = append(items, item("Copy pull command", func() { p.m.Copy(r.Pull) }))
	}
	menuAt(p.table, at, items...)
}
