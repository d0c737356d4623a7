package page

import (
	"berth/ui/model"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
)

// newTable makes the table of tags.
func (r *repository) newTable(o Options) *widget.Table {
	m := r.m
	tag := func(i int) model.TagRow { return r.drawn.Tags[i] }
	name := func(i int) string { return tag(i).Name }
	t := widget.NewTable(
		widget.Column{
			Key: string(model.ColumnTag), Title: "Tag", Width: 120, Grow: true, Sorts: true,
			New: func() fyne.CanvasObject { return widget.NewNameCell() },
			Update: func(i int, c fyne.CanvasObject) {
				c.(*widget.NameCell).Set(tag(i).Name, tag(i).Attached, tag(i).Same, tag(i).SameFull)
				c.(*widget.NameCell).SetSigns(tag(i).Pinned, tag(i).Immutable)
			},
		},
		widget.Column{
			Key: "digest", Title: "Digest", Width: 58, Drop: 2,
			New:    func() fyne.CanvasObject { return widget.NewDigest(m.Copy) },
			Update: func(i int, c fyne.CanvasObject) { c.(*widget.Digest).Set(tag(i).Digest, tag(i).Short) },
		},
		text("platforms", "Platforms", 84, 3, widget.Quiet.Sized(12), func(i int) (string, string) { return tag(i).Platforms, tag(i).PlatformsFull }),
		sorted(number(string(model.ColumnSize), "Size", 52, 0, widget.Body, func(i int) (string, string) { return tag(i).Size, tag(i).SizeTip })),
		sorted(number(string(model.ColumnFrees), "Frees", 50, 1, widget.Quiet, func(i int) (string, string) {
			return tag(i).Frees, "What deleting only this tag would free"
		})),
		sorted(number(string(model.ColumnPushed), "Pushed", 80, 0, widget.Quiet, func(i int) (string, string) { return tag(i).Pushed, tag(i).PushedExact })),
	)
	t.Count = func() int {
		if r.drawn == nil {
			return 0
		}
		return len(r.drawn.Tags)
	}
	t.State = func(i int) widget.RowState {
		return widget.RowState{Checked: tag(i).Checked, Focused: tag(i).Focused && r.drawn.Checked == 0, Dimmed: tag(i).Dimmed}
	}
	t.On = widget.TableEvents{
		Check: func(i int) { m.Toggle(name(i)) }, CheckAll: m.SelectAll,
		Focus:  func(i int) { m.Focus(name(i)) },
		Toggle: func(i int) { m.Toggle(name(i)) },
		Range:  func(i int) { m.Range(name(i)) },
		Move:   m.MoveFocus,
		Open:   func(i int) { m.Focus(name(i)); m.CopyPull() },
		Menu:   r.tagMenu,
		Sort:   func(key string) { m.SortBy(model.Column(key)) },
		Key:    o.Key, Rune: o.Rune,
	}
	return t
}

// tagMenu is the context menu of a row.
func (r *repository) tagMenu(i int, at fyne.Position) {
	t := r.drawn.Tags[i]
	if !t.Checked {
		r.m.Focus(t.Name)
	}
	if r.drawn.Checked > 1 && t.Checked {
		menuAt(r.table, at, item("Delete "+model.Count(r.drawn.Checked, "tag"), r.m.Delete), item("Clear selection", func() { r.m.ClearSelection() }))
		return
	}
	pull := item("Copy pull command", func() { r.m.Focus(t.Name); r.m.CopyPull() })
	menuAt(r.table, at, pull,
		item("Copy digest", func() { r.m.Copy(t.Digest) }), fyne.NewMenuItemSeparator(),
		item("Pull to Docker", func() { r.m.Focus(t.Name); r.m.PullToDocker() }),
		item("Retag…", func() { r.askRetag(t.Name) }), r.pinItem(t), fyne.NewMenuItemSeparator(),
		item("Delete "+t.Name, func() { r.m.DeleteTag(t.Name) }))
}

// pinItem pins or unpins a tag.
func (r *repository) pinItem(t model.TagRow) *fyne.MenuItem {
	if t.Pinned != "" {
		return item("Unpin "+t.Name, func() { r.m.SetPin(t.Name, false) })
	}
	return item("Pin "+t.Name, func() { r.m.SetPin(t.Name, true) })
}

// text is a column of one text with its tooltip.
func text(key, title string, width float32, drop int, s widget.Style, of func(i int) (text, tip string)) widget.Column {
	return widget.Column{
		Key: key, Title: title, Width: width, Drop: drop,
		New: func() fyne.CanvasObject { return widget.NewText("", s) },
		Update: func(i int, c fyne.CanvasObject) {
			line, tip := of(i)
			c.(*widget.Text).Set(line)
			if tip == line {
				tip = ""
			}
			c.(*widget.Text).SetTip(tip)
		},
	}
}

// number is a text column aligned to the right.
func number(key, title string, width float32, drop int, s widget.Style, of func(i int) (text, tip string)) widget.Column {
	c := text(key, title, width, drop, s.Right(), of)
	c.Right = true
	return c
}

func sorted(c widget.Column) widget.Column { c.Sorts = true; return c }
