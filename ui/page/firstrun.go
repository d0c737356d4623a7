package page

import (
	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// firstRun is the Images page of a registry without images: it works, and this
// is the next step.
type firstRun struct {
	m           *model.Images
	object      *fyne.Container
	title, text *widget.Text
	commands    *fyne.Container
	choose      *widget.Button
	bring       *widget.Button
	drop        *widget.Text
}

func newFirstRun(m *model.Images) *firstRun {
	f := &firstRun{
		m: m, title: widget.NewText("", widget.Title.Center()), text: widget.NewText("", widget.Quiet.Center()),
		commands: widget.Down(theme.Gap, widget.NoGrow), drop: widget.NewText("", widget.Quiet.In(theme.Faint).Center()),
	}
	f.choose = widget.NewButton("", theme.IconPush, widget.Primary, m.ShowDocker)
	f.bring = widget.NewButton("", theme.IconImport, widget.Normal, m.ChooseImport)
	f.object = container.NewCenter(widget.Wide(460, widget.Down(0, widget.NoGrow,
		container.NewCenter(widget.NewSizedIcon(theme.IconAnchor, theme.Accent, 44)), widget.Gap(0, 16),
		f.title, widget.Gap(0, 8), f.text, widget.Gap(0, 18), f.commands, widget.Gap(0, 22),
		container.NewCenter(widget.Across(theme.Gap, widget.NoGrow, f.choose, f.bring)), widget.Gap(0, 18), f.drop)))
	return f
}

func (f *firstRun) set(v model.FirstRun) {
	f.title.Set(v.Title)
	f.text.Set(v.Text)
	f.choose.SetLabel(v.Choose)
	f.bring.SetLabel(v.Import)
	f.drop.Set(v.Drop)
	for len(f.commands.Objects) < len(v.Commands) {
		f.commands.Add(widget.NewCommand("", f.m.Copy))
	}
	f.commands.Objects = f.commands.Objects[:len(v.Commands)]
	for i, line := range v.Commands {
		f.commands.Objects[i].(*widget.Command).Set(line)
	}
	f.object.Refresh()
}
