package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// DetailView is what a PushDetail shows: the layers of a running push, or why
// one failed.
type DetailView struct {
	Layers                []LayerLine
	Problem, Fix, Command string
}

// Height is what the view needs; 0 for an empty one.
func (v DetailView) Height() float32 {
	switch {
	case v.Problem != "":
		h := float32(16 + LayerPadding)
		if v.Fix != "" {
			h += 22
		}
		if v.Command != "" {
			h += 38
		}
		return h
	case len(v.Layers) > 0:
		return float32(len(v.Layers))*LayerHeight + LayerPadding
	}
	return 0
}

// PushDetail stands below a row that pushes, or that failed to.
type PushDetail struct {
	Composed
	layers       *LayerLines
	problem, fix *Text
	command      *Command
	why          *fyne.Container
}

// NewPushDetail makes a block; copied gets the command of a problem.
func NewPushDetail(copied func(string)) *PushDetail {
	d := &PushDetail{
		layers: NewLayerLines(), problem: NewText("", Body.In(theme.Danger)), fix: NewText("", Quiet), command: NewCommand("", copied),
	}
	d.why = Down(6, NoGrow, NewTips(d.problem), NewTips(d.fix), d.command)
	d.root = container.NewStack(d.layers, d.why)
	d.ExtendBaseWidget(d)
	return d
}

// Set shows a view.
func (d *PushDetail) Set(v DetailView) {
	d.layers.Hidden, d.why.Hidden = v.Problem != "", v.Problem == ""
	if v.Problem == "" {
		d.layers.Set(v.Layers)
		return
	}
	d.problem.Set(v.Problem)
	d.fix.Set(v.Fix)
	d.command.Set(v.Command)
	d.fix.Hidden, d.command.Hidden = v.Fix == "", v.Command == ""
	d.root.Refresh()
}
