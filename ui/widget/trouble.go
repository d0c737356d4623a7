package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Trouble is a problem in place: title, cause with fix, the command to paste, and
// what to press.
type Trouble struct {
	Composed
	title   *Text
	text    *Prose
	command *Command
}

// NewTrouble makes one; copied gets the command. The actions stand at the end.
func NewTrouble(copied func(string), actions ...fyne.CanvasObject) *Trouble {
	t := &Trouble{title: NewText("", BodyBold), text: NewProse(Quiet, 0), command: NewCommand("", copied)}
	side := container.NewVBox(NewIcon(theme.IconProblem, theme.Danger))
	body := Down(theme.Space, NoGrow, t.title, t.text, t.command)
	t.root = container.NewBorder(nil, nil, Pad(0, 10, 0, 0, side), container.NewVBox(Across(theme.Gap, NoGrow, actions...)), body)
	t.ExtendBaseWidget(t)
	return t
}

// Set shows a problem; empty parts are left out.
func (t *Trouble) Set(title, text, command string) {
	t.title.Set(title)
	t.text.Set(text)
	t.text.Hidden = text == ""
	t.command.Set(command)
	t.command.Hidden = command == ""
	t.root.Refresh()
}

// ReasonHeight is that of a Reason.
const ReasonHeight float32 = 24

// NewReason makes a line of a plan: what, how many, how much. The words need as
// many lines as they need, the figures stand at the first.
func NewReason(text, count, size string) fyne.CanvasObject {
	words := NewProse(Body, 0)
	words.Set(text)
	return container.New(reason{}, words, NewText(count, Quiet.Right()), Wide(60, NewText(size, Body.Right())))
}

type reason struct{}

func (reason) Layout(o []fyne.CanvasObject, size fyne.Size) {
	line := o[0].(*Prose).lineHeight()
	top := round((ReasonHeight - line) / 2)
	right := size.Width
	for _, figure := range []fyne.CanvasObject{o[2], o[1]} {
		w := likedWidth(figure)
		figure.Resize(fyne.NewSize(w, line))
		figure.Move(fyne.NewPos(right-w, top))
		right -= w + theme.Inset
	}
	o[0].Move(fyne.NewPos(0, top))
	o[0].Resize(fyne.NewSize(max(0, right), max(0, size.Height-2*top)))
}

func (reason) MinSize(o []fyne.CanvasObject) fyne.Size {
	words := o[0].(*Prose)
	return fyne.NewSize(160, ReasonHeight-words.lineHeight()+words.MinSize().Height)
}

// Warning is a remark to heed before one goes on, in as many lines as it needs.
type Warning struct {
	Composed
	text *Prose
}

// NewWarning makes one that says nothing, and is hidden.
func NewWarning() *Warning {
	w := newWarning(Body.In(theme.Warning))
	w.Hide()
	return w
}

// NewCaution makes one in quiet words, for a list of them.
func NewCaution(text string) *Warning {
	w := newWarning(Quiet)
	w.text.Set(text)
	return w
}

func newWarning(s Style) *Warning {
	w := &Warning{text: NewProse(s, 0)}
	w.root = container.NewBorder(nil, nil, Pad(1, theme.Gap, 0, 0, container.NewVBox(NewIcon(theme.IconWarning, theme.Warning))), nil, w.text)
	w.ExtendBaseWidget(w)
	return w
}

// Set says something; with nothing to say it hides.
func (w *Warning) Set(text string) {
	if text == w.text.text {
		return
	}
	w.text.Set(text)
	w.Hidden = text == ""
	w.root.Refresh()
}
