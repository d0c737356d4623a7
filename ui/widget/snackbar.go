package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Snack is what a Snackbar line shows.
type Snack struct {
	ID int
	// Icon may be empty. Lead, Strong and Rest follow each other.
	Icon               theme.Icon
	Color              fyne.ThemeColorName
	Lead, Strong, Rest string
	Action, Hint       string
	// Progress is between 0 and 1, or negative for none.
	Progress float32
}

// Snackbar is the stack of short messages at the foot of the window.
type Snackbar struct {
	Composed
	// Act and Dismiss get the ID of a line.
	Act, Dismiss func(id int)
	box          *fyne.Container
	lines        []*snackLine
}

// NewSnackbar makes an empty one.
func NewSnackbar(act, dismiss func(id int)) *Snackbar {
	s := &Snackbar{Act: act, Dismiss: dismiss, box: container.New(&snackLayout{})}
	s.root = s.box
	s.ExtendBaseWidget(s)
	return s
}

// Set shows these lines, the newest at the bottom.
func (s *Snackbar) Set(list []Snack) {
	for len(s.lines) < len(list) {
		l := s.newLine()
		s.lines = append(s.lines, l)
		s.box.Add(l.root)
	}
	for i, l := range s.lines {
		if i >= len(list) {
			l.root.Hide()
			continue
		}
		l.root.Show()
		l.set(list[i])
	}
	s.box.Refresh()
}

type snackLine struct {
	snack              Snack
	icon               *Icon
	lead, strong, rest *Text
	named              *fyne.Container
	action             *Button
	hint               *Text
	bar                *Bar
	root               *Surface
}

func (s *Snackbar) newLine() *snackLine {
	l := &snackLine{
		icon: NewIcon(theme.IconInfo, theme.SnackText), bar: NewBar(3),
		lead: NewText("", Body.In(theme.SnackText)), strong: NewText("", BodyBold.In(theme.SnackText)),
		rest: NewText("", Body.In(theme.SnackText)), hint: NewText("", Body.In(theme.SnackFaint)),
	}
	l.bar.track = theme.SnackTrack
	l.action = NewSmallButton("", "", Link, func() { call(s.Act, l.snack.ID) })
	l.action.colors = &buttonColors{theme.SnackLink, theme.SnackText}
	hide := NewIconButton(theme.IconClose, "", func() { call(s.Dismiss, l.snack.ID) })
	hide.colors = &buttonColors{theme.SnackFaint, theme.SnackText}
	hide.height = 24
	l.named = Whole(360, l.strong)
	words := NewTips(Across(0, NoGrow, l.lead, l.named, l.rest))
	line := Across(theme.Inset, NoGrow, l.icon, words, Gap(0, 0), l.action, l.hint, hide)
	l.root = NewSurface(theme.Snack, theme.RadiusControl,
		Pad(5, 8, 5, 16, Down(3, NoGrow, line, l.bar)))
	l.root.Shadow = true
	return l
}

func (l *snackLine) set(v Snack) {
	l.snack = v
	l.icon.Hidden = v.Icon == ""
	if v.Icon != "" {
		l.icon.Set(v.Icon, v.Color)
	}
	l.lead.Set(v.Lead)
	l.strong.Set(v.Strong)
	l.rest.Set(v.Rest)
	l.lead.Hidden, l.named.Hidden, l.rest.Hidden = v.Lead == "", v.Strong == "", v.Rest == ""
	l.action.Hidden = v.Action == ""
	l.action.SetLabel(v.Action)
	l.hint.Hidden = v.Hint == ""
	l.hint.Set(v.Hint)
	l.bar.Hidden = v.Progress < 0
	if v.Progress >= 0 {
		l.bar.Set(Part{v.Progress, theme.SnackLink})
	}
	l.root.Refresh()
}

// snackLayout centres lines at the foot of what it is given, each as wide as it
// likes.
type snackLayout struct{}

const snackMargin float32 = 20

func (snackLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := size.Height - snackMargin
	for i := len(objects) - 1; i >= 0; i-- {
		o := objects[i]
		if !o.Visible() {
			continue
		}
		w := min(likedWidth(o), size.Width-2*snackMargin)
		h := o.MinSize().Height
		y -= h
		o.Move(fyne.NewPos(round((size.Width-w)/2), round(y)))
		o.Resize(fyne.NewSize(w, h))
		y -= theme.Gap
	}
}

func (snackLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(1, 1) }

// likedWidth is the width at which nothing inside o is cut.
func likedWidth(o fyne.CanvasObject) float32 {
	switch o := o.(type) {
	case natural:
		return o.Natural().Width
	case *Surface:
		if o.Content != nil {
			return likedWidth(o.Content)
		}
	case *fyne.Container:
		least := o.MinSize().Width
		if _, ok := o.Layout.(*whole); ok {
			return least
		}
		var more float32
		_, isAcross := o.Layout.(*across)
		for _, c := range o.Objects {
			if !c.Visible() {
				continue
			}
			d := likedWidth(c) - c.MinSize().Width
			if isAcross {
				more += d
			} else {
				more = max(more, d+c.MinSize().Width-widest(o))
			}
		}
		return least + max(0, more)
	}
	return o.MinSize().Width
}

// widest is the least width of the widest object in a container.
func widest(c *fyne.Container) float32 {
	var w float32
	for _, o := range c.Objects {
		if o.Visible() {
			w = max(w, o.MinSize().Width)
		}
	}
	return w
}
