package page

import (
	"reflect"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// spaceColors are those of the parts of the disk.
var spaceColors = map[model.SpaceKind]fyne.ThemeColorName{
	model.SpaceImages: theme.Accent, model.SpaceShared: theme.AccentDim, model.SpaceTrash: theme.Info,
	model.SpaceUploads: theme.Secondary, model.SpaceLoose: theme.Warning, model.SpaceQuarantine: theme.Danger,
}

// headCard says where space goes and what can be freed; the plan, the clean-up
// that runs, and its receipt unfold in it.
type headCard struct {
	m     *model.Cleanup
	drawn model.CleanupState
	first bool

	object   *widget.Surface
	figures  *fyne.Container
	headline *widget.Text
	text     *widget.Text
	free     *widget.Button
	bar      *widget.Bar
	legend   *fyne.Container
	note     *widget.Text
	stage    *fyne.Container
	run      *runPanel
	waiting  *fyne.Container
	failed   *widget.Trouble
	next     *widget.Button // what goes on from the plan
	whole    *fyne.Container
}

func newHeadCard(m *model.Cleanup) *headCard {
	c := &headCard{m: m, first: true}
	c.headline = widget.NewText("", widget.Style{Face: widget.Strong, Size: 26})
	c.text = widget.NewText("", widget.Quiet)
	c.free = widget.NewButton("", theme.IconFree, widget.Primary, m.Plan)
	c.bar = widget.NewBar(14)
	c.legend = widget.Flow(26, theme.Gap)
	c.note = widget.NewText("", widget.Caption.In(theme.Secondary))
	c.stage = container.NewStack()
	c.run = newRunPanel(m.Cancel)
	title := widget.Across(theme.Gap, 1, widget.Whole(260, c.headline), widget.Pad(7, 0, 0, 0, widget.NewTips(c.text)), c.free)
	c.figures = widget.Down(theme.Inset, widget.NoGrow, title, c.bar, widget.Pad(1, 0, 0, 0, c.legend), c.note)
	c.waiting = waitingRows(96, widget.NewSkeleton(2, 48, 0.4, 0.2, 0.2))
	c.failed = widget.NewTrouble(m.CopyFix, widget.NewButton("Try again", theme.IconRefresh, widget.Normal, m.Refresh))
	c.whole = widget.Down(16, widget.NoGrow, c.figures, widget.NewLine(), c.stage)
	c.object = widget.NewCard(widget.Pad(18, theme.Margin, 18, theme.Margin, container.NewStack(c.whole, c.failed, c.waiting)))
	return c
}

// waitingRows is a skeleton of a height.
func waitingRows(height float32, s *widget.Skeleton) *fyne.Container {
	return container.NewStack(widget.Gap(0, height), s)
}

// update shows a state, and says whether the card needs another size.
func (c *headCard) update(st model.CleanupState) bool {
	before := c.drawn
	c.drawn = st
	if before.Run != nil && st.Run != nil {
		c.run.set(st.Run)
	}
	before.Run, st.Run = blank(before.Run), blank(st.Run)
	before.History, st.History = nil, nil
	if !c.first && reflect.DeepEqual(before, st) {
		return false
	}
	c.first = false
	c.whole.Hidden = st.Phase != model.PhaseReady
	c.waiting.Hidden = st.Phase != model.PhaseLoading
	c.failed.Hidden = st.Phase != model.PhaseFailed
	if p := st.Problem; p != nil {
		c.failed.Set(p.Title, sentences(p.Text, p.Fix), p.Command)
	}
	c.headline.Set(st.Headline)
	c.text.Set(st.Text)
	c.note.Set(st.Note)
	c.note.Hidden = st.Note == ""
	c.free.SetLabel(st.Free)
	c.free.SetVariant(widget.Normal)
	c.free.SetIcon(theme.IconSearch)
	if st.CanFree {
		c.free.SetVariant(widget.Primary)
		c.free.SetIcon(theme.IconFree)
	}
	if st.Stage == model.StageLooking {
		c.free.SetLabel("Looking…")
	}
	c.free.SetDisabled(st.Stage == model.StageLooking)
	c.free.Hidden = st.Stage != model.StageIdle && st.Stage != model.StageLooking && st.Stage != model.StageDone || st.Stage == model.StageDone && !st.CanFree
	var parts []widget.Part
	var legend []fyne.CanvasObject
	for _, s := range st.Parts {
		parts = append(parts, widget.Part{Part: s.Part, Color: spaceColors[s.Kind]})
		legend = append(legend, widget.Legend(spaceColors[s.Kind], s.Label+" "+s.Size, s.Tip))
	}
	c.bar.Set(parts...)
	c.legend.Objects = legend
	c.setStage(st)
	c.object.Refresh()
	c.passFocus()
	return true
}

// passFocus gives the keyboard on from the button that the plan replaces to the
// one that carries it out.
func (c *headCard) passFocus() {
	canvas := fyne.CurrentApp().Driver().CanvasForObject(c.object)
	if canvas == nil || !c.free.Hidden || canvas.Focused() != fyne.Focusable(c.free) {
		return
	}
	if c.next == nil {
		canvas.Unfocus()
		return
	}
	canvas.Focus(c.next)
}

// blank leaves of a run only that there is one: how far it is changes often.
func blank(r *model.RunView) *model.RunView {
	if r == nil {
		return nil
	}
	return &model.RunView{}
}

func (c *headCard) setStage(st model.CleanupState) {
	var o fyne.CanvasObject
	c.next = nil
	switch {
	case st.Plan != nil:
		o = c.plan(st.Plan)
	case st.Stage == model.StageRunning:
		c.run.set(c.drawn.Run)
		o = c.run.object
	case st.Receipt != nil:
		o = c.receipt(st.Receipt)
	case st.Stage == model.StageFailed && st.Trouble != nil:
		t := widget.NewTrouble(c.m.CopyFix, widget.NewSmallButton("Look again", theme.IconRefresh, widget.Normal, c.m.Plan),
			widget.NewIconButton(theme.IconClose, "Hide", c.m.Dismiss))
		t.Set(st.Trouble.Title, sentences(st.Trouble.Text, st.Trouble.Fix), st.Trouble.Command)
		o = t
	}
	c.stage.Objects = nil
	if o != nil {
		c.stage.Objects = []fyne.CanvasObject{o}
	}
	c.stage.Hidden = o == nil
	c.whole.Objects[1].(*widget.Surface).Hidden = o == nil
}

// sentences joins a cause and what to do.
func sentences(text, fix string) string {
	switch {
	case text == "" || fix == "":
		return text + fix
	case text[len(text)-1] == '.':
		return text + " " + fix
	}
	return text + ". " + fix
}

func reasons(caption string, rows []model.ReasonRow) fyne.CanvasObject {
	lines := []fyne.CanvasObject{widget.Pad(0, 0, 4, 0, widget.NewText(caption, widget.Caption.In(theme.Secondary)))}
	for _, r := range rows {
		lines = append(lines, widget.NewReason(r.Text, r.Count, r.Size))
	}
	return widget.Down(0, widget.NoGrow, lines...)
}

func problemLines(list []string) fyne.CanvasObject {
	var lines []fyne.CanvasObject
	for i, s := range list {
		if i == 6 && len(list) > 7 {
			lines = append(lines, widget.NewText("and "+model.Number(len(list)-6)+" more", widget.Quiet))
			break
		}
		lines = append(lines, widget.NewCaution(s))
	}
	return widget.Down(theme.Space, widget.NoGrow, lines...)
}

// plan is what a clean-up would do, and the two ways on.
func (c *headCard) plan(v *model.PlanView) fyne.CanvasObject {
	title := []fyne.CanvasObject{widget.NewText(v.Title, widget.BodyBold), widget.NewTips(widget.NewText(v.Facts, widget.Quiet))}
	cancel := widget.NewButton("Cancel", "", widget.Ghost, c.m.Dismiss)
	if v.Free == "" {
		cancel = widget.NewButton("Close", "", widget.Normal, c.m.Dismiss)
		c.next = cancel
	}
	title = append(title, cancel)
	if v.Free != "" {
		c.next = widget.NewButton(v.Free, theme.IconFree, widget.Primary, c.m.Run)
		title = append(title, c.next)
	}
	var left, right []fyne.CanvasObject
	if len(v.Why) > 0 {
		left = append(left, reasons("What goes, and why", v.Why))
	}
	if len(v.Stays) > 0 {
		right = append(right, reasons("What stays", v.Stays))
	}
	if len(v.Repositories) > 0 {
		right = append(right, reasons("Where from", v.Repositories))
		if len(left) > 0 && len(v.Why) <= len(v.Stays) {
			left, right = append(left, right[len(right)-1]), right[:len(right)-1]
		}
	}
	lines := []fyne.CanvasObject{widget.Across(theme.Gap, 1, title...)}
	columns := widget.Halves(40, 620, widget.Down(theme.Inset, widget.NoGrow, left...), widget.Down(theme.Inset, widget.NoGrow, right...))
	if len(left) == 0 || len(right) == 0 {
		columns = widget.Down(theme.Inset, widget.NoGrow, append(left, right...)...)
	}
	lines = append(lines, columns)
	if len(v.Problems) > 0 {
		lines = append(lines, widget.NewText("Left alone, since it could not be understood", widget.Caption.In(theme.Secondary)), problemLines(v.Problems))
	}
	return widget.Down(theme.Inset, widget.NoGrow, lines...)
}

// receipt is what a clean-up did.
func (c *headCard) receipt(v *model.ReceiptView) fyne.CanvasObject {
	icon, color := theme.IconDone, theme.OK
	switch v.Tone {
	case model.ToneWarning:
		icon, color = theme.IconWarning, theme.Warning
	case model.ToneInfo:
		icon, color = theme.IconInfo, theme.Info
	}
	facts := widget.NewProse(widget.Quiet, 0)
	facts.Set(v.Facts)
	words := widget.Flow(10, 2, widget.Pad(1, 0, 1, 0, widget.Whole(400, widget.NewText(v.Title, widget.BodyBold))), facts)
	lines := []fyne.CanvasObject{container.NewBorder(nil, nil, widget.Pad(4, 10, 0, 0, container.NewVBox(widget.NewSizedIcon(icon, color, 20))),
		widget.Pad(0, 0, 0, 10, container.NewVBox(widget.NewIconButton(theme.IconClose, "Hide", c.m.Dismiss))), widget.Pad(4, 0, 0, 0, words))}
	if len(v.Kept) > 0 {
		lines = append(lines, widget.Pad(0, 0, 0, 30, reasons("What stayed, and why", v.Kept)))
	}
	if len(v.Problems) > 0 {
		lines = append(lines, widget.Pad(0, 0, 0, 30, problemLines(v.Problems)))
	}
	return widget.Down(theme.Gap, widget.NoGrow, lines...)
}

// runPanel shows a job in place: what it does, how far it is, and how to stop it.
type runPanel struct {
	object      *fyne.Container
	title, text *widget.Text
	bar         *widget.Bar
	stop        *widget.Button
}

func newRunPanel(stop func()) *runPanel {
	r := &runPanel{title: widget.NewText("", widget.BodyBold), text: widget.NewText("", widget.Quiet), bar: widget.NewBar(6)}
	r.stop = widget.NewSmallButton("Cancel", "", widget.Ghost, stop)
	r.object = widget.Down(theme.Gap, widget.NoGrow, widget.Across(theme.Gap, 1, r.title, widget.NewTips(r.text), r.stop), r.bar)
	return r
}

func (r *runPanel) set(v *model.RunView) {
	if v == nil {
		return
	}
	r.title.Set(v.Title)
	r.text.Set(v.Text)
	r.bar.Set(widget.Part{Part: max(0, v.Progress), Color: theme.Accent})
	r.stop.SetDisabled(v.Stopping || v.Job == "")
	r.object.Refresh()
}
