package page

import (
	"reflect"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// rulesCard is the table of rules, the schedule, and the immutable tags.
type rulesCard struct {
	m     *model.Rules
	drawn model.RulesState
	first bool

	object    *widget.Surface
	lock      *lockMark
	add       *widget.Button
	list      *widget.RuleList
	empty     *widget.Prose
	note      *widget.Text
	warning   *widget.Warning
	preview   *widget.Button
	apply     *widget.Button
	next      *widget.Button
	run       *runPanel
	actions   *fyne.Container
	immutable *fyne.Container
	fixed     *lockMark
	addFixed  *widget.Button
	waiting   *fyne.Container
	failed    *widget.Trouble
	whole     *fyne.Container
}

const noRules = "Without rules no tag ever goes by itself. A rule says which tags stay, such as the newest 5 and what is younger than 7 days; the others go to the trash."

func newRulesCard(m *model.Rules) *rulesCard {
	c := &rulesCard{m: m, first: true, lock: newLockMark(), fixed: newLockMark()}
	c.add = widget.NewSmallButton("Add rule", theme.IconPlus, widget.Ghost, m.Add)
	c.list = widget.NewRuleList()
	c.list.On = widget.RuleEvents{Edit: m.Edit, Switch: m.Switch, Delete: m.Delete, Menu: c.menu}
	c.empty, c.note = widget.NewProse(widget.Quiet, 0), widget.NewText("", widget.Caption.In(theme.Secondary))
	c.empty.Set(noRules)
	c.warning = widget.NewWarning()
	c.preview = widget.NewButton("", theme.IconPreview, widget.Normal, m.ShowVerdicts)
	c.apply = widget.NewButton("Apply now", theme.IconPlay, widget.Normal, m.Apply)
	c.next = widget.NewQuietMenu("", c.schedule)
	c.next.SetToolTip("When clean-ups run by themselves")
	c.run = newRunPanel(m.Cancel)
	c.actions = widget.Across(theme.Gap, 2, c.preview, c.apply, widget.Gap(1, 1), c.next)
	c.immutable = widget.Flow(theme.Space, theme.Space)
	c.addFixed = widget.NewSmallButton("Add", theme.IconPlus, widget.Ghost, m.AddImmutable)
	c.waiting = waitingRows(160, widget.NewSkeleton(4, 40, 0.2, 0.4, 0.1, 0.1))
	c.failed = widget.NewTrouble(func(string) {}, widget.NewSmallButton("Try again", theme.IconRefresh, widget.Normal, m.Refresh))
	head := widget.Across(theme.Gap, 2, widget.NewText("Rules", widget.BodyBold), c.lock.object, widget.Gap(1, 1), c.add)
	c.whole = widget.Down(0, widget.NoGrow, c.list, widget.Pad(theme.Gap, theme.Gap, theme.Gap, 0, c.empty), widget.Pad(theme.Gap, 0, 0, theme.Gap, c.note),
		widget.Pad(10, theme.Gap, 0, theme.Gap, c.warning),
		widget.Pad(theme.Inset, 0, 0, 0, container.NewStack(c.actions, widget.Pad(0, theme.Gap, 0, theme.Gap, c.run.object))),
		widget.Pad(theme.Inset, 0, 0, 0, widget.NewLine()), widget.Pad(10, 0, 0, 0, c.immutable))
	c.object = widget.NewCard(widget.Pad(12, 16, 14, 16, widget.Down(2, widget.NoGrow, widget.Pad(0, 0, 0, 0, container.NewStack(widget.Gap(0, theme.SmallHeight), head)),
		container.NewStack(c.whole, c.failed, c.waiting))))
	return c
}

// update shows a state, and says whether the card needs another size.
func (c *rulesCard) update(st model.RulesState) bool {
	before := c.drawn
	c.drawn = st
	if st.Apply != nil {
		c.run.set(st.Apply)
	}
	before.Apply, st.Apply = blank(before.Apply), blank(st.Apply)
	before.Editor, st.Editor, before.Verdicts, st.Verdicts = nil, nil, nil, nil
	if !c.first && reflect.DeepEqual(before, st) {
		return false
	}
	c.first = false
	c.whole.Hidden = st.Phase != model.PhaseReady && st.Phase != model.PhaseEmpty
	c.waiting.Hidden = st.Phase != model.PhaseLoading
	c.failed.Hidden = st.Phase != model.PhaseFailed
	if p := st.Problem; p != nil {
		c.failed.Set(p.Title, sentences(p.Text, p.Fix), p.Command)
	}
	none := st.Phase == model.PhaseEmpty
	c.lock.set(st.Locked, "The rules")
	c.add.Hidden = st.Locked != "" || c.whole.Hidden
	c.list.Hidden = none
	hide(c.whole.Objects[1], !none)
	hide(c.whole.Objects[2], st.Note == "")
	c.note.Set(st.Note)
	c.warning.Set(st.Warning)
	hide(c.whole.Objects[3], st.Warning == "" || none)
	var items []widget.RuleItem
	for _, r := range st.Rows {
		items = append(items, widget.RuleItem{Applies: r.Applies, Keep: r.Keep, Tags: r.Tags, Frees: r.Frees, None: r.None, On: r.On, Tip: r.Tip})
	}
	c.list.Set(items, st.Locked != "")
	c.preview.SetLabel(st.Preview)
	c.preview.Hidden, c.apply.Hidden = none, none
	c.apply.SetDisabled(!st.CanApply)
	c.apply.SetLabel("Apply now")
	if st.Warning != "" {
		c.apply.SetLabel("Apply now…") // it asks in the preview
	}
	c.next.SetLabel(st.Next)
	c.actions.Hidden, c.run.object.Hidden = st.Apply != nil, st.Apply == nil
	c.setImmutable(st)
	c.object.Refresh()
	return true
}

func hide(o fyne.CanvasObject, hidden bool) {
	if hidden {
		o.Hide()
	} else {
		o.Show()
	}
}

// setImmutable shows the patterns of immutable tags, each with a cross.
func (c *rulesCard) setImmutable(st model.RulesState) {
	c.fixed.set(st.ImmutableLocked, "The immutable tags")
	label := widget.Across(6, widget.NoGrow, widget.NewIcon(theme.IconLock, theme.Secondary), widget.NewText("Immutable tags", widget.Quiet.Sized(12)), c.fixed.object)
	row := []fyne.CanvasObject{widget.Pad(4, theme.Gap, 4, 0, label)}
	for i, r := range st.Immutable {
		name := widget.NewPlainButton(r.Text, func() { c.m.EditImmutable(i) })
		name.SetToolTip(r.Tip)
		parts := []fyne.CanvasObject{name}
		if st.ImmutableLocked == "" {
			parts = append(parts, widget.NewTightButton(theme.IconClose, "No longer immutable", func() { c.m.DeleteImmutable(i) }))
		}
		row = append(row, widget.NewSurface(theme.Raised, theme.RadiusSmall, widget.Across(0, widget.NoGrow, parts...)))
	}
	if len(st.Immutable) == 0 {
		row = append(row, widget.Pad(6, 0, 6, 0, widget.NewText("none", widget.Quiet.In(theme.Faint).Sized(12))))
	}
	if st.ImmutableLocked == "" {
		row = append(row, c.addFixed)
	}
	c.immutable.Objects = row
}

func (c *rulesCard) menu(i int, at fyne.Position) {
	if c.drawn.Locked != "" || i >= len(c.drawn.Rows) {
		return
	}
	verb := "Switch on"
	if c.drawn.Rows[i].On {
		verb = "Switch off"
	}
	menuAt(c.list, at, item("Edit…", func() { c.m.Edit(i) }), item(verb, func() { c.m.Switch(i) }), fyne.NewMenuItemSeparator(), item("Delete rule", func() { c.m.Delete(i) }))
}

// schedule chooses when clean-ups run by themselves.
func (c *rulesCard) schedule() {
	s := c.drawn.Schedule
	locked := func(i *fyne.MenuItem, keys ...string) *fyne.MenuItem {
		for _, k := range keys {
			if origin, ok := s.Locked[k]; ok {
				i.Disabled = true
				i.Label += " (set by " + origin + ")"
				break
			}
		}
		return i
	}
	kindOrigin, kindLocked := s.Locked["schedule"]
	kind := func(label, k string) *fyne.MenuItem {
		i := checked(label, s.Kind == k, func() { c.m.SetSchedule(k, "") })
		i.Disabled = kindLocked
		return i
	}
	weekly := checked("Weekly", s.Kind == "weekly", nil)
	var days []*fyne.MenuItem
	for _, d := range []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		days = append(days, checked(title(d), s.Kind == "weekly" && s.Weekday == d, func() { c.m.SetSchedule("weekly", d) }))
	}
	weekly.ChildMenu = fyne.NewMenu("", days...)
	at := locked(item("At "+s.At+"…", func() {
		showPrompt(c.object, "At what time of day", s.At, "Save", c.m.CheckTime, c.m.SetTime)
	}), "at")
	at.Disabled = at.Disabled || s.Kind == "off"
	low := "When the disk is low…"
	items := []*fyne.MenuItem{kind("Off", "off"), kind("Daily", "daily")}
	if kindLocked {
		weekly.Disabled, weekly.ChildMenu = true, nil
		origin := item("Set by "+kindOrigin, nil)
		origin.Disabled = true
		items = append(items, weekly, origin)
	} else {
		items = append(items, locked(weekly, "weekday"))
	}
	items = append(items, fyne.NewMenuItemSeparator(), at, fyne.NewMenuItemSeparator())
	if s.Low != "" {
		low = "When less than " + s.Low + " is free…"
	}
	lowItem := locked(checked(low, s.Low != "", func() {
		showPrompt(c.object, "Also when less than this is free", "5GB or 10%", "Save", c.m.CheckLow, c.m.SetLow)
	}), "low")
	items = append(items, lowItem)
	if s.Low != "" && !lowItem.Disabled {
		items = append(items, item("Not when the disk is low", func() { c.m.SetLow("") }))
	}
	menuBelow(c.next, items...)
}

func title(s string) string { return string(s[0]-'a'+'A') + s[1:] }

// lockMark says that something cannot be changed here, and where it comes from.
type lockMark struct {
	object *widget.Tips
	text   *widget.Text
}

func newLockMark() *lockMark {
	l := &lockMark{text: widget.NewText("", widget.Caption.In(theme.Secondary))}
	l.object = widget.NewTips(widget.Across(theme.Space, widget.NoGrow, widget.NewSizedIcon(theme.IconLock, theme.Warning, 14), l.text))
	return l
}

func (l *lockMark) set(origin, what string) {
	l.object.Hidden = origin == ""
	l.text.Set("set by " + origin)
	l.text.SetTip(what + " come from " + origin + ", and cannot be changed here")
}
