package widget

import (
	"berth/ui/theme"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Empty is the state of a list without rows: what it means and what to do.
type Empty struct {
	Composed
	title, text *Text
	icon        *Icon
	actions     *fyne.Container
}

// NewEmpty makes an empty state with buttons.
func NewEmpty(icon theme.Icon, title, text string, actions ...fyne.CanvasObject) *Empty {
	e := &Empty{
		icon: NewSizedIcon(icon, theme.Faint, 36), title: NewText(title, Section.Center()), text: NewText(text, Quiet.Center()),
		actions: Across(theme.Gap, NoGrow, actions...),
	}
	e.root = container.NewCenter(Down(theme.Gap, NoGrow,
		container.NewCenter(e.icon), Gap(0, 4), wide(e.title), wide(e.text), Gap(0, theme.Gap), container.NewCenter(e.actions)))
	e.ExtendBaseWidget(e)
	return e
}

// Set changes what it says.
func (e *Empty) Set(icon theme.Icon, title, text string) {
	e.icon.Set(icon, theme.Faint)
	e.title.Set(title)
	e.text.Set(text)
	e.root.Refresh()
}

// wide keeps room for a centred line that changes.
func wide(o fyne.CanvasObject) fyne.CanvasObject { return Wide(380, o) }

// ProblemPanel says what is wrong: title, cause, fix and, where there is one,
// the command to paste.
type ProblemPanel struct {
	Composed
	title     *Text
	text, fix *Prose
	command   *Command
	retry     *Button
	rest      *fyne.Container
}

// NewProblemPanel makes a panel; copied gets the command, retry tries again.
func NewProblemPanel(copied func(string), retry func()) *ProblemPanel {
	p := &ProblemPanel{
		title: NewText("", Section), text: NewProse(Quiet, 460), fix: NewProse(Body, 460),
		command: NewCommand("", copied), retry: NewButton("Try again", theme.IconRefresh, Normal, retry),
	}
	p.rest = Down(theme.Inset, NoGrow, p.text, p.fix, p.command, Across(0, NoGrow, p.retry))
	p.root = container.NewCenter(Wide(520, NewCard(Pad(20, 24, 20, 20, container.NewBorder(nil, nil,
		Pad(0, 12, 0, 0, container.NewVBox(NewSizedIcon(theme.IconWarning, theme.Danger, 24))), nil,
		Down(theme.Gap, NoGrow, p.title, p.rest))))))
	p.ExtendBaseWidget(p)
	return p
}

// Set shows a problem; empty parts are left out.
func (p *ProblemPanel) Set(title, text, fix, command string) {
	p.title.Set(title)
	p.text.Set(text)
	p.fix.Set(fix)
	p.command.Set(command)
	p.text.Hidden, p.fix.Hidden, p.command.Hidden = text == "", fix == "", command == ""
	p.root.Refresh()
}

// Banner is a problem above a page: in one line when it is short, else its title
// above the rest, so that no title is ever cut for the sake of what follows.
type Banner struct {
	Composed
	title   *Text
	text    *Text
	words   *bannerWords
	copy    *Button
	surface *Surface
	icon    *Icon
	command string
	tips    *Tips
}

// NewBanner makes a banner; copied gets the command, dismiss hides the banner.
func NewBanner(copied func(string), dismiss func()) *Banner {
	b := &Banner{title: NewText("", BodyBold), text: NewText("", Body), icon: NewIcon(theme.IconWarning, theme.Warning)}
	b.copy = NewSmallButton("Copy command", theme.IconCopy, Ghost, func() { call(copied, b.command) })
	b.copy.height = 24
	hide := NewIconButton(theme.IconClose, "Hide", dismiss)
	hide.height = 24
	b.tips = NewTips(b.text)
	b.words = &bannerWords{}
	b.surface = NewSurface(theme.WarningBg, theme.RadiusControl, Pad(6, 6, 6, 12,
		Across(theme.Gap, 1, b.icon, container.New(b.words, NewTips(b.title), b.tips), b.copy, hide)))
	b.root = b.surface
	b.ExtendBaseWidget(b)
	return b
}

// bannerLine is the width that a banner in one line may have: what a window of
// the usual size has room for.
const bannerLine float32 = 640

// bannerWords places title and text of a banner.
type bannerWords struct{ stacked bool }

func (l *bannerWords) Layout(o []fyne.CanvasObject, size fyne.Size) {
	title, text := o[0], o[1]
	w, h := min(size.Width, liked(title).Width), title.MinSize().Height
	if l.stacked {
		title.Move(fyne.NewPos(0, 0))
		title.Resize(fyne.NewSize(w, h))
		text.Move(fyne.NewPos(0, h+2))
		text.Resize(fyne.NewSize(size.Width, text.MinSize().Height))
		return
	}
	title.Move(fyne.NewPos(0, round((size.Height-h)/2)))
	title.Resize(fyne.NewSize(w, h))
	text.Move(fyne.NewPos(w+theme.Gap, round((size.Height-text.MinSize().Height)/2)))
	text.Resize(fyne.NewSize(max(0, size.Width-w-theme.Gap), text.MinSize().Height))
}

func (l *bannerWords) MinSize(o []fyne.CanvasObject) fyne.Size {
	title, text := o[0].MinSize(), o[1].MinSize()
	if l.stacked {
		return fyne.NewSize(max(title.Width, text.Width), title.Height+2+text.Height)
	}
	return fyne.NewSize(title.Width+theme.Gap+text.Width, max(title.Height, text.Height))
}

// Set shows a problem.
func (b *Banner) Set(title, text, command string, serious bool) {
	fill, fore := theme.WarningBg, theme.Warning
	if serious {
		fill, fore = theme.DangerBg, theme.Danger
	}
	b.surface.Fill = fill
	b.icon.Set(theme.IconWarning, fore)
	b.title.SetStyle(BodyBold.In(fore))
	b.title.Set(title)
	b.text.Set(text)
	b.command = command
	b.copy.Hidden = command == ""
	b.words.stacked = text != "" && b.title.Natural().Width+theme.Gap+b.text.Natural().Width > bannerLine
	b.surface.Refresh()
}

// Skeleton stands in for rows that are being fetched.
type Skeleton struct {
	Composed
}

// NewSkeleton makes so many rows of a height; widths are those of the bars in a
// row, as parts of the whole.
func NewSkeleton(rows int, height float32, widths ...float32) *Skeleton {
	s := &Skeleton{}
	var lines []fyne.CanvasObject
	for i := range rows {
		lines = append(lines, newSkeletonRow(height, i, widths))
	}
	s.root = container.New(&down{grow: NoGrow}, lines...)
	s.ExtendBaseWidget(s)
	return s
}

// MinSize is small: rows that do not fit are cut off.
func (s *Skeleton) MinSize() fyne.Size { return fyne.NewSize(60, 36) }

func newSkeletonRow(height float32, i int, widths []float32) fyne.CanvasObject {
	var bars []fyne.CanvasObject
	for range widths {
		bars = append(bars, NewSurface(theme.Raised, theme.RadiusSmall, nil))
	}
	return container.New(&skeletonRow{height: height, widths: widths, shift: i}, bars...)
}

// skeletonRow places the bars of a row; no two rows in succession look alike.
type skeletonRow struct {
	height float32
	widths []float32
	shift  int
}

func (l *skeletonRow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	x, gap := theme.Gap, float32(16)
	room := size.Width - 2*theme.Gap - gap*float32(len(objects)-1)
	for i, o := range objects {
		cell := room * l.widths[i]
		part := 0.55 + 0.15*float32((l.shift*7+i*5)%4)
		o.Move(fyne.NewPos(x, round((size.Height-10)/2)))
		o.Resize(fyne.NewSize(max(8, cell*min(1, part)), 10))
		x += cell + gap
	}
}

func (l *skeletonRow) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(60, l.height) }
