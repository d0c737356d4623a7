package page

import (
	"reflect"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// verifyCard says whether every byte is as it was pushed.
type verifyCard struct {
	m     *model.Verify
	drawn model.VerifyState
	first bool

	object      *widget.Surface
	icon        *widget.Icon
	title, text *widget.Text
	act, again  *widget.Button
	all         *widget.Button
	bar         *widget.Bar
	findings    *fyne.Container
	run         *runPanel
	aside       *fyne.Container
	asideText   *widget.Text
	waiting     *fyne.Container
	failed      *widget.Trouble
	whole       *fyne.Container
	asking      question
}

func newVerifyCard(m *model.Verify) *verifyCard {
	c := &verifyCard{m: m, first: true}
	c.icon = widget.NewSizedIcon(theme.IconShield, theme.Faint, 20)
	c.title, c.text = widget.NewText("", widget.BodyBold), widget.NewText("", widget.Caption.In(theme.Secondary))
	c.act = widget.NewButton("", "", widget.Normal, m.Act)
	c.again = widget.NewButton("Start over", theme.IconRefresh, widget.Ghost, m.Restart)
	c.all = widget.NewButton("Repair all", "", widget.Normal, func() { m.Repair(nil, "", "") })
	c.bar = widget.NewBar(4)
	c.findings = widget.Down(0, widget.NoGrow)
	c.run = newRunPanel(m.StopRepair)
	c.asideText = widget.NewText("", widget.Quiet.Sized(12))
	c.aside = widget.Across(theme.Gap, 1, widget.NewIcon(theme.IconInfo, theme.Secondary), widget.NewTips(c.asideText),
		widget.NewSmallButton("Free it…", "", widget.Ghost, m.AskFreeAside))
	c.waiting = waitingRows(36, widget.NewSkeleton(1, 36, 0.5, 0.2))
	c.failed = widget.NewTrouble(func(string) {}, widget.NewSmallButton("Try again", theme.IconRefresh, widget.Normal, m.Refresh))
	words := widget.Down(2, widget.NoGrow, c.title, widget.NewTips(c.text))
	c.whole = widget.Down(10, widget.NoGrow, widget.Across(theme.Inset, 1, c.icon, words, c.again, c.all, c.act), c.bar, c.findings, c.run.object, c.aside)
	c.object = widget.NewCard(widget.Pad(11, 16, 11, 16, container.NewStack(c.whole, c.failed, c.waiting)))
	return c
}

// update shows a state, and says whether the card needs another size.
func (c *verifyCard) update(st model.VerifyState) bool {
	before := c.drawn
	c.drawn = st
	if st.Repair != nil {
		c.run.set(st.Repair)
	}
	c.asking.set(c.object, st.Confirm, c.m.CancelFree, c.m.FreeAside)
	before.Repair, st.Repair = blank(before.Repair), blank(st.Repair)
	if !c.first && reflect.DeepEqual(before, st) {
		return false
	}
	first := c.first
	c.first = false
	c.whole.Hidden = st.Phase != model.PhaseReady
	c.waiting.Hidden = st.Phase != model.PhaseLoading
	c.failed.Hidden = st.Phase != model.PhaseFailed
	if p := st.Problem; p != nil {
		c.failed.Set(p.Title, sentences(p.Text, p.Fix), p.Command)
	}
	icon := theme.IconShield
	switch {
	case st.Sound:
		icon = theme.IconVerified
	case st.Tone == model.ToneDanger || st.Tone == model.ToneWarning:
		icon = theme.IconDamaged
	}
	c.icon.Set(icon, tone(st.Tone))
	c.title.Set(st.Title)
	c.text.Set(st.Text)
	c.act.SetLabel(st.Verb)
	c.act.SetIcon(map[string]theme.Icon{"Pause": theme.IconPause, "Resume": theme.IconPlay, "Verify": theme.IconShield}[st.Verb])
	c.again.Hidden, c.all.Hidden = !st.Again, st.RepairAll == ""
	c.bar.Hidden = st.Progress < 0
	c.bar.Set(widget.Part{Part: max(0, st.Progress), Color: theme.Accent})
	c.run.object.Hidden = st.Repair == nil
	c.aside.Hidden = st.Aside == ""
	c.asideText.Set(st.Aside)
	c.asideText.SetTip(st.AsideTip)
	if first || !reflect.DeepEqual(before.Findings, st.Findings) || before.Cut != st.Cut || (before.Repair == nil) != (st.Repair == nil) {
		c.findings.Objects = c.rows(st)
	}
	c.findings.Hidden = len(st.Findings) == 0
	c.object.Refresh()
	return first || before.Phase != st.Phase || before.Progress < 0 != (st.Progress < 0) || !reflect.DeepEqual(before.Findings, st.Findings) ||
		(before.Repair == nil) != (st.Repair == nil) || before.Aside != st.Aside
}

// rows are the findings, each with what helps.
func (c *verifyCard) rows(st model.VerifyState) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	for _, f := range st.Findings {
		text := widget.NewProse(widget.Quiet.Sized(12), 0)
		text.Set(f.Text)
		title := widget.NewText(f.Title, widget.BodyBold)
		title.SetTip(f.Tip)
		image := widget.NewText(f.Image, widget.Quiet)
		lines := []fyne.CanvasObject{widget.Across(theme.Gap, 1, widget.NewTips(title), widget.NewTips(image)), text}
		if f.Trouble != "" {
			trouble := widget.NewProse(widget.Quiet.Sized(12).In(theme.Danger), 0)
			trouble.Set(f.Trouble)
			lines = append(lines, trouble)
		}
		var buttons []fyne.CanvasObject
		if len(f.Fixes) > 0 && st.Repair == nil {
			best := f.Fixes[0]
			buttons = append(buttons, widget.NewSmallButton(best.Label, "", widget.Normal, func() { c.fix(f.ID, best) }))
		}
		if len(f.Fixes) > 1 && st.Repair == nil {
			var more *widget.Button
			more = widget.NewIconButton(theme.IconMore, "Other ways", func() { menuBelow(more, c.fixes(f)...) })
			buttons = append(buttons, more)
		}
		row := container.NewBorder(nil, nil, nil, widget.Pad(0, 0, 0, theme.Inset, container.NewCenter(widget.Across(theme.Space, widget.NoGrow, buttons...))),
			widget.Down(2, widget.NoGrow, lines...))
		out = append(out, widget.NewLine(), widget.Pad(theme.Gap, 0, theme.Gap, 32, row))
	}
	if st.Cut != "" {
		out = append(out, widget.Pad(0, 0, 0, 32, widget.NewText(st.Cut, widget.Quiet)))
	}
	return out
}

func (c *verifyCard) fixes(f model.FindingRow) []*fyne.MenuItem {
	var items []*fyne.MenuItem
	for _, x := range f.Fixes {
		items = append(items, item(x.Label, func() { c.fix(f.ID, x) }))
	}
	return items
}

// fix mends one finding; it asks for the address where one is needed.
func (c *verifyCard) fix(id string, x model.FixItem) {
	if !x.Ask {
		c.m.Repair([]string{id}, x.Fix, "")
		return
	}
	showPrompt(c.object, "From which registry", "https://registry.example.com", "Repair", c.m.CheckAddress, func(from string) {
		c.m.Repair([]string{id}, x.Fix, from)
	})
}
