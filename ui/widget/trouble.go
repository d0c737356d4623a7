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

// NewReason makes a line of a plan: what, how many, how much.
func NewReason(text, count, size string) fyne.CanvasObject {
	return container.NewStack(Gap(0, ReasonHeight), NewTips(Across(theme.Inset, 0, NewText(text, Body), NewText(count, Quiet.Right()), Wide(60, NewText(size, Body.Right())))))
}
