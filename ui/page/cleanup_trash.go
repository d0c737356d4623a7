package page

import (
	"reflect"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// trashRows is how many rows the card shows before it scrolls.
const trashRows = 6

// trashCard lists what can be restored.
type trashCard struct {
	m     *model.Trash
	drawn model.TrashState
	first bool

	object    *widget.Surface
	keep      *widget.Text
	list      *widget.TrashList
	restore   *widget.Button
	restoreIt *widget.Button
	empty     *widget.Button
	clear     *widget.Button
	foot      *fyne.Container
	none      *widget.Empty
	waiting   *widget.Skeleton
	failed    *widget.Trouble
	asking    question
}

func newTrashCard(m *model.Trash, o Options) *trashCard {
	c := &trashCard{m: m, first: true}
	c.keep = widget.NewText("", widget.Quiet.Sized(12))
	c.list = widget.NewTrashList()
	c.list.Count = func() int { return len(c.drawn.Rows) }
	c.list.Focus = func() int { return c.drawn.Focus }
	c.list.Item = c.item
	c.list.On = widget.TrashEvents{
		Toggle: func(i int) { m.Toggle(c.drawn.Rows[i].ID) }, Act: func(i int) { m.Restore(c.drawn.Rows[i].ID) },
		Move: m.MoveFocus, Menu: c.menu, Key: c.key(o), Rune: o.Rune,
	}
	c.restore = widget.NewSmallButton("Restore all", theme.IconUndo, widget.Ghost, m.RestoreAll)
	c.restoreIt = widget.NewSmallButton("Restore", theme.IconUndo, widget.Normal, m.RestoreChecked)
	c.empty = widget.NewSmallButton("Empty trash…", theme.IconTrash, widget.Ghost, m.AskEmpty)
	c.clear = widget.NewIconButton(theme.IconClose, "Clear the selection", func() { m.ClearSelection() })
	c.none = widget.NewEmpty(theme.IconTrash, "The trash is empty", "Deleted tags can be restored from here.")
	c.waiting = widget.NewSkeleton(4, widget.TrashHeight, 0.6, 0.2, 0.2)
	c.failed = widget.NewTrouble(func(string) {}, widget.NewSmallButton("Try again", theme.IconRefresh, widget.Normal, m.Refresh))
	head := widget.Pad(0, theme.Gap, 0, theme.Gap, container.NewStack(widget.Gap(0, 28), widget.Across(theme.Gap, 1, widget.NewText("Trash", widget.BodyBold), widget.Gap(1, 1), c.keep)))
	c.foot = widget.Across(0, 1, c.restore, widget.Gap(1, 1), c.restoreIt, c.empty, c.clear)
	c.object = widget.NewCard(widget.Pad(12, theme.Gap, theme.Gap, theme.Gap, container.NewBorder(head, c.foot, nil, nil,
		container.NewStack(c.list, c.waiting, c.none, widget.Pad(theme.Gap, theme.Gap, 0, theme.Gap, c.failed)))))
	return c
}

// height is that of the card with so many rows at most.
func (c *trashCard) height(most int) float32 {
	rows := min(most, max(3, len(c.drawn.Rows)))
	return 12 + 28 + theme.Space*2 + float32(rows)*widget.TrashHeight + theme.SmallHeight + theme.Gap + theme.Space
}

// key gives the list its own keys before the window's.
func (c *trashCard) key(o Options) func(fyne.KeyName) bool {
	return func(k fyne.KeyName) bool {
		if k == fyne.KeyDelete {
			c.m.AskEmpty()
			return true
		}
		return o.Key != nil && o.Key(k)
	}
}

func (c *trashCard) item(i int) widget.TrashItem {
	r := c.drawn.Rows[i]
	it := widget.TrashItem{
		Short: r.Short, Name: r.Name, Detail: r.Detail, Size: r.Size, Tip: r.Tip, Action: "Restore", Warned: r.Taken, Marked: r.Checked, Focused: r.Focused, Dimmed: r.Dimmed,
	}
	return it
}

func (c *trashCard) menu(i int, at fyne.Position) {
	r := c.drawn.Rows[i]
	if c.drawn.Checked > 1 && r.Checked {
		menuAt(c.list, at, item("Restore "+model.Count(c.drawn.Checked, "selected"), c.m.RestoreChecked), item("Delete for good…", c.m.AskEmpty))
		return
	}
	as := item("Restore as…", func() {
		showPrompt(c.object, "Restore under which tag", r.As, "Restore", model.CheckTag, func(tag string) { c.m.RestoreAs(r.ID, tag) })
	})
	as.Disabled = !r.Tag
	menuAt(c.list, at, item("Restore", func() { c.m.Restore(r.ID) }), as, fyne.NewMenuItemSeparator(), item("Select", func() { c.m.Toggle(r.ID) }), item("Select all", c.m.SelectAll))
}

// update shows a state, and says whether the card needs another size.
func (c *trashCard) update(st model.TrashState) bool {
	before := c.drawn
	c.drawn = st
	c.asking.set(c.object, st.Confirm, c.m.CancelEmpty, c.m.Empty)
	if !c.first && reflect.DeepEqual(before, st) {
		return false
	}
	first := c.first
	c.first = false
	ready := st.Phase == model.PhaseReady
	c.list.Hidden, c.foot.Hidden = !ready, !ready
	c.none.Hidden = st.Phase != model.PhaseEmpty
	c.waiting.Hidden = st.Phase != model.PhaseLoading
	c.failed.Hidden = st.Phase != model.PhaseFailed
	if p := st.Problem; p != nil {
		c.failed.Set(p.Title, sentences(p.Text, p.Fix), p.Command)
	}
	marked := st.Checked > 0
	c.keep.Set(st.Keep)
	c.restore.SetLabel("Restore all")
	c.empty.SetLabel("Empty trash…")
	if marked {
		c.keep.Set(st.CheckedText)
		c.empty.SetLabel("Delete for good…")
	}
	c.restore.Hidden, c.restoreIt.Hidden, c.clear.Hidden = marked, !marked, !marked
	c.list.Refresh()
	if st.Focus >= 0 && st.Focus != before.Focus {
		c.list.ScrollTo(st.Focus)
	}
	c.object.Refresh()
	return first || before.Phase != st.Phase || len(before.Rows) != len(st.Rows)
}
