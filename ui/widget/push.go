package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// TargetCell is the name that a local image will get: the host, which is fixed,
// and the rest, which a click makes editable.
type TargetCell struct {
	Composed
	part
	// Changed gets every text as it is typed, and the old one after Esc. Done is
	// the end of editing; byKey says that the keyboard has no place to be now.
	Changed func(text string)
	Done    func(byKey bool)
	// Edit is called when a click asks to edit.
	Edit func()

	host, rest *Text
	label      *fyne.Container
	entry      *targetEntry
	editing    bool
	problem    string
	before     string // what Esc brings back
}

// NewTargetCell makes a cell.
func NewTargetCell() *TargetCell {
	c := &TargetCell{host: NewText("", CodeQuiet.In(theme.Faint)), rest: NewText("", Code)}
	c.entry = &targetEntry{}
	c.entry.ExtendBaseWidget(c.entry)
	c.entry.TextStyle = fyne.TextStyle{Monospace: true}
	c.entry.OnChanged = func(s string) { call(c.Changed, s) }
	c.entry.done = func(byKey, giveUp bool) {
		if !c.editing {
			return
		}
		if giveUp && c.entry.Text != c.before {
			call(c.Changed, c.before)
		}
		call(c.Done, byKey)
	}
	c.entry.Hide()
	c.host.SetAlt("…/")
	c.label = container.New(targetLayout{}, c.host, c.rest)
	c.root = container.NewStack(c.label, c.entry)
	c.ExtendBaseWidget(c)
	return c
}

// Set shows a name; problem says what is wrong with it, empty means nothing.
func (c *TargetCell) Set(host, rest, problem string, editing bool) {
	c.host.Set(host)
	c.rest.Set(rest)
	c.problem = problem
	style := Code
	if problem != "" {
		style = Code.In(theme.Danger)
	}
	c.rest.SetStyle(style)
	started := editing && !c.editing
	c.editing = editing
	c.label.Hidden, c.entry.Hidden = editing, !editing
	if started {
		c.before = rest
	}
	if editing && c.entry.Text != rest && started {
		report := c.entry.OnChanged
		c.entry.OnChanged = nil
		c.entry.SetText(rest)
		c.entry.OnChanged = report
	}
	c.root.Refresh()
	if started {
		c.focusEntry()
	}
}

// targetLayout shows all of the name, and of the host what there is room for.
type targetLayout struct{}

func (targetLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	host, rest := o[0].(*Text), o[1].(*Text)
	short := ceil(host.style.measure(host.alt).Width)
	room := size.Width - rest.Natural().Width
	w := min(host.Natural().Width, max(short, room))
	if w < host.Natural().Width {
		w = short
	}
	host.Resize(fyne.NewSize(w, size.Height))
	rest.Move(fyne.NewPos(w, 0))
	rest.Resize(fyne.NewSize(max(0, size.Width-w), size.Height))
}

// MinSize is as high as a row: a click anywhere in it edits.
func (targetLayout) MinSize([]fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(60, theme.RowHeight)
}

// focusEntry gives the entry the keyboard. The canvas is that of the cell: an
// entry that was never drawn has none of its own yet.
func (c *TargetCell) focusEntry() {
	if w := fyne.CurrentApp().Driver().CanvasForObject(c); w != nil {
		w.Focus(c.entry)
		c.entry.TypedShortcut(&fyne.ShortcutSelectAll{})
	}
}

// Tapped starts editing.
func (c *TargetCell) Tapped(*fyne.PointEvent) {
	if !c.editing && c.Edit != nil {
		c.Edit()
	}
}

// Cursor shows that it can be edited.
func (c *TargetCell) Cursor() desktop.Cursor { return desktop.TextCursor }

// Tip says what is wrong, or what a click does.
func (c *TargetCell) Tip() string {
	switch {
	case c.problem != "":
		return c.problem
	case c.editing:
		return ""
	}
	return c.host.Text() + c.rest.Text() + "\nClick to change the name"
}

func (c *TargetCell) join(hover func(bool), menu func(*fyne.PointEvent)) { c.part.join(hover, menu) }

type targetEntry struct {
	widget.Entry
	done func(byKey, giveUp bool)
}

// FocusLost ends editing.
func (e *targetEntry) FocusLost() {
	e.Entry.FocusLost()
	e.done(false, false)
}

// TypedKey ends editing on Enter, and gives it up on Esc.
func (e *targetEntry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		e.done(true, false)
	case fyne.KeyEscape:
		e.done(true, true)
	default:
		e.Entry.TypedKey(k)
	}
}

// TypedShortcut gives the window the shortcuts that are not about text.
func (e *targetEntry) TypedShortcut(s fyne.Shortcut) {
	e.Entry.TypedShortcut(s)
	passOn(e, s)
}

// PushFace says what a PushCell shows.
type PushFace int

// The faces.
const (
	PushButton   PushFace = iota // the button
	PushWaiting                  // asked, nothing known yet
	PushProgress                 // a bar with its words
	PushResult                   // done: a word with a tick
	PushRemark                   // nothing to do: a chip
	PushFailure                  // a word, and the button again
)

// PushView is what a PushCell shows.
type PushView struct {
	Face PushFace
	// Text is "4 of 7 layers · 52 MB/s", a result, or a remark.
	Text, Percent string
	Part          float32
	// Tip is the tooltip of a result.
	Tip        string
	Cancelling bool
}

// PushCell is the last column of a local image.
type PushCell struct {
	Composed
	// Push and Cancel are what its buttons do.
	Push, Cancel func()

	button   *Button
	progress *fyne.Container
	words    *Text
	percent  *Text
	stop     *Button
	bar      *Bar
	result   *fyne.Container
	mark     *Icon
	said     *Text
	chip     *Chip
	tip      *Tipped
}

// NewPushCell makes a cell.
func NewPushCell() *PushCell {
	c := &PushCell{}
	c.button = NewSmallButton("Push", theme.IconPush, Normal, func() { run(c.Push) })
	c.words = NewText("", Caption.In(theme.Secondary))
	c.percent = NewText("", Caption.In(theme.Secondary))
	c.stop = NewIconButton(theme.IconClose, "Cancel", func() { run(c.Cancel) })
	c.stop.height = 18
	c.bar = NewBar(5)
	c.progress = Down(2, NoGrow, Across(6, 0, c.words, c.percent, c.stop), c.bar)
	c.mark, c.said = NewIcon(theme.IconDone, theme.OK), NewText("", Body)
	c.tip = NewTipped(Across(6, NoGrow, c.mark, c.said))
	c.chip = NewChip("", ChipQuiet)
	c.result = Across(theme.Gap, 0, Gap(0, 0), c.tip, c.chip, c.button)
	c.root = container.NewStack(c.progress, c.result)
	c.ExtendBaseWidget(c)
	return c
}

func run(f func()) {
	if f != nil {
		f()
	}
}

// Set shows a view.
func (c *PushCell) Set(v PushView) {
	c.progress.Hidden = v.Face != PushProgress
	if c.progress.Hidden {
		c.stop.hinted.MouseOut()
	}
	c.result.Hidden = v.Face == PushProgress
	c.tip.Hidden = v.Face != PushResult && v.Face != PushFailure
	c.button.Hidden = v.Face != PushButton && v.Face != PushFailure && v.Face != PushWaiting
	c.button.SetDisabled(v.Face == PushWaiting)
	c.chip.Hidden = v.Face != PushRemark
	c.button.SetLabel("Push")
	switch v.Face {
	case PushWaiting:
		c.button.SetLabel("Starting…")
	case PushProgress:
		c.words.Set(v.Text)
		c.percent.Set(v.Percent)
		c.bar.Set(Part{v.Part, theme.Accent})
		c.stop.SetDisabled(v.Cancelling)
	case PushResult:
		c.mark.Set(theme.IconDone, theme.OK)
		c.said.SetStyle(Body.In(theme.OK))
		c.said.Set(v.Text)
	case PushFailure:
		c.mark.Set(theme.IconProblem, theme.Danger)
		c.said.SetStyle(Body.In(theme.Danger))
		c.said.Set(v.Text)
		c.button.SetLabel("Again")
	case PushRemark:
		c.chip.Set(v.Text, ChipQuiet)
	}
	c.tip.SetTip(v.Tip)
	c.root.Refresh()
}

// LayerLine is one layer of a running push.
type LayerLine struct {
	ID, Text string
	Part     float32
	// Idle is a layer that need not be sent.
	Idle bool
}

// LayerHeight is that of a line of LayerLines, LayerPadding what goes round all.
const (
	LayerHeight  float32 = 20
	LayerPadding float32 = 12
)

// LayerLines shows the layers of a running push, one a line.
type LayerLines struct {
	Composed
	lines []*layerLine
	box   *fyne.Container
}

// NewLayerLines makes an empty block.
func NewLayerLines() *LayerLines {
	l := &LayerLines{box: Down(0, NoGrow)}
	l.root = Pad(0, 0, 0, 0, l.box)
	l.ExtendBaseWidget(l)
	return l
}

type layerLine struct {
	id, text *Text
	bar      *Bar
	root     fyne.CanvasObject
}

// Set shows layers.
func (l *LayerLines) Set(lines []LayerLine) {
	for len(l.lines) < len(lines) {
		n := &layerLine{id: NewText("", CodeQuiet), text: NewText("", Quiet.Sized(12).Right()), bar: NewBar(4)}
		n.root = container.NewStack(Gap(0, LayerHeight), Across(20, 1, Wide(92, n.id), n.bar, Wide(112, n.text)))
		l.lines = append(l.lines, n)
		l.box.Add(n.root)
	}
	for i, n := range l.lines {
		if i >= len(lines) {
			n.root.Hide()
			continue
		}
		v := lines[i]
		n.root.Show()
		n.id.Set(v.ID)
		n.text.Set(v.Text)
		color := theme.Accent
		if v.Idle {
			color = theme.Faint
		}
		n.bar.Set(Part{v.Part, color})
	}
	l.box.Refresh()
}
