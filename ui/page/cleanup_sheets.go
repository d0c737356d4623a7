package page

import (
	"reflect"

	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// newSheet takes the place of the cards: a way back, a title, and a body that
// fills the rest.
func newSheet(name string, back func(), title fyne.CanvasObject, body fyne.CanvasObject, actions ...fyne.CanvasObject) *fyne.Container {
	label := widget.NewText(name, widget.BodyBold)
	named := widget.Whole(200, label)
	named.Hidden = name == ""
	head := append([]fyne.CanvasObject{widget.NewSmallButton("Clean up", theme.IconBack, widget.Ghost, back), named, title}, actions...)
	s := widget.Pad(0, theme.Margin, theme.Margin, theme.Margin, widget.NewCard(widget.Pad(10, 16, 12, 10,
		container.NewBorder(widget.Pad(0, 0, 10, 0, widget.Across(theme.Inset, 2, head...)), nil, nil, nil, body))))
	s.Hide()
	return s
}

// historySheet lists past clean-ups.
type historySheet struct {
	m       *model.Cleanup
	drawn   *model.HistoryView
	object  *fyne.Container
	next    *widget.Text
	table   *widget.Table
	waiting *widget.Skeleton
	none    *widget.Empty
	failed  *widget.ProblemPanel
}

func newHistorySheet(m *model.Cleanup) *historySheet {
	s := &historySheet{m: m, next: widget.NewText("", widget.Quiet)}
	row := func(i int) model.PastCleanup { return s.drawn.Rows[i] }
	facts := text("facts", "What went", 120, 0, widget.Quiet, func(i int) (string, string) { return row(i).Facts, "" })
	facts.Grow = true
	s.table = widget.NewTable(
		text("when", "When", 100, 0, widget.Body, func(i int) (string, string) { return row(i).When, row(i).WhenExact }),
		number("freed", "Freed", 64, 0, widget.BodyBold, func(i int) (string, string) { return row(i).Freed, "" }), facts,
		text("by", "By", 80, 1, widget.Quiet, func(i int) (string, string) { return row(i).By, "" }),
		text("problems", "", 80, 2, widget.Quiet.In(theme.Warning), func(i int) (string, string) { return row(i).Problems, row(i).ProblemsFull }))
	s.table.Plain = true
	s.table.Count = func() int {
		if s.drawn == nil {
			return 0
		}
		return len(s.drawn.Rows)
	}
	s.table.State = func(int) widget.RowState { return widget.RowState{} }
	s.table.On = widget.TableEvents{Key: func(k fyne.KeyName) bool { return k == fyne.KeyEscape && m.Escape() }}
	s.waiting = widget.NewSkeleton(6, theme.RowHeight, 0.2, 0.1, 0.4)
	s.none = widget.NewEmpty(theme.IconCleanup, "No clean-up yet", "What clean-ups freed, and why they kept what, is listed here.")
	s.failed = widget.NewProblemPanel(m.CopyFix, m.ShowHistory)
	s.object = newSheet("Past clean-ups", m.CloseHistory, s.next, container.NewStack(s.table, s.waiting, s.none, s.failed))
	return s
}

func (s *historySheet) update(v *model.HistoryView) bool {
	before := s.drawn
	if reflect.DeepEqual(before, v) {
		return false
	}
	s.drawn = v
	s.object.Hidden = v == nil
	if v == nil {
		return true
	}
	s.next.Set(v.Next)
	showPhase(v.Phase, s.table, s.waiting, s.none, s.failed)
	if p := v.Problem; p != nil {
		s.failed.Set(p.Title, p.Text, p.Fix, p.Command)
	}
	s.table.Refresh()
	s.object.Refresh()
	return true
}

// showPhase shows the one of four that a phase asks for.
func showPhase(p model.Phase, ready, waiting, none, failed fyne.CanvasObject) {
	hide(ready, p != model.PhaseReady)
	hide(waiting, p != model.PhaseLoading)
	hide(none, p != model.PhaseEmpty && p != model.PhaseNoMatch)
	hide(failed, p != model.PhaseFailed)
}

// verdictsSheet says what the rules would do, and why.
type verdictsSheet struct {
	m       *model.Rules
	drawn   *model.VerdictsView
	object  *fyne.Container
	title   *widget.Text
	warning *widget.Warning
	search  *widget.Search
	rule    *widget.Button
	kept    *widget.Button
	apply   *widget.Button
	cut     *widget.Text
	table   *widget.Table
	waiting *widget.Skeleton
	none    *widget.Empty
	failed  *widget.ProblemPanel
}

func newVerdictsSheet(m *model.Rules, o Options) *verdictsSheet {
	s := &verdictsSheet{m: m, title: widget.NewText("", widget.Quiet), cut: widget.NewText("", widget.Quiet)}
	s.search = widget.NewSearch("Filter tags", m.FilterVerdicts, s.focus)
	s.rule = widget.NewMenuButton("All rules", s.ruleMenu)
	s.kept = widget.NewButton("Show what stays", theme.IconShow, widget.Normal, func() {
		if s.drawn != nil {
			m.ShowKept(s.drawn.Dropped)
		}
	})
	s.apply = widget.NewSmallButton("Apply now", theme.IconPlay, widget.Primary, m.ApplyVerdicts)
	row := func(i int) model.VerdictRow { return s.drawn.Rows[i] }
	because := text("because", "Because", 140, 0, widget.Quiet, func(i int) (string, string) { return row(i).Because, "" })
	because.Grow = true
	name := text("tag", "Tag", 170, 0, widget.BodyBold, func(i int) (string, string) { return row(i).Name, row(i).Tip })
	name.Want = func() float32 {
		w := float32(0)
		for i := range s.table.Count() {
			w = max(w, widget.BodyBold.Width(row(i).Name))
			if i > 60 {
				break
			}
		}
		return min(w, 280) // the reason needs the room more
	}
	s.table = widget.NewTable(name, widget.Column{
		Key: "verdict", Title: "", Width: 46, New: func() fyne.CanvasObject { return widget.NewChip("", widget.ChipQuiet) },
		Update: func(i int, c fyne.CanvasObject) {
			t := widget.ChipWarning
			if row(i).Keep {
				t = widget.ChipAccent
			}
			c.(*widget.Chip).Set(row(i).Verdict, t)
		},
	}, because,
		text("rule", "Rule", 76, 3, widget.Quiet, func(i int) (string, string) { return row(i).Rule, "" }),
		number("size", "Size", 56, 2, widget.Body, func(i int) (string, string) { return row(i).Size, "" }))
	s.table.Plain = true
	s.table.Count = func() int {
		if s.drawn == nil {
			return 0
		}
		return len(s.drawn.Rows)
	}
	s.table.State = func(int) widget.RowState { return widget.RowState{} }
	s.table.On = widget.TableEvents{Key: o.Key, Rune: o.Rune}
	s.waiting = widget.NewSkeleton(8, theme.RowHeight, 0.24, 0.08, 0.4, 0.1)
	s.none = widget.NewEmpty(theme.IconPreview, "", "")
	s.failed = widget.NewProblemPanel(func(string) {}, m.ShowVerdicts)
	s.warning = widget.NewWarning()
	tools := widget.Pad(0, 0, theme.Gap, 6, widget.Down(theme.Gap, widget.NoGrow, widget.Across(theme.Gap, 0, s.search, s.rule, s.kept), s.warning))
	s.object = newSheet("Preview", m.CloseVerdicts, widget.NewTips(s.title), container.NewBorder(tools, widget.Pad(theme.Gap, 0, 0, theme.Gap, s.cut), nil, nil,
		container.NewStack(s.table, s.waiting, s.none, s.failed)), widget.Pad(0, 6, 0, 0, s.apply))
	return s
}

func (s *verdictsSheet) focus() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(s.table); c != nil {
		c.Focus(s.table)
	}
}

func (s *verdictsSheet) ruleMenu() {
	items := []*fyne.MenuItem{checked("All rules", s.drawn.Rule == "", func() { s.m.ChooseRule("") })}
	for _, r := range s.drawn.Rules {
		items = append(items, checked(r, s.drawn.Rule == r, func() { s.m.ChooseRule(r) }))
	}
	menuBelow(s.rule, items...)
}

func (s *verdictsSheet) update(v *model.VerdictsView) bool {
	if reflect.DeepEqual(s.drawn, v) {
		return false
	}
	s.drawn = v
	s.object.Hidden = v == nil
	if v == nil {
		return true
	}
	s.title.Set(v.Title)
	s.warning.Set(v.Warning)
	s.apply.Hidden = !v.CanApply
	s.search.Set(v.Filter)
	s.rule.SetLabel("All rules")
	if v.Rule != "" {
		s.rule.SetLabel(v.Rule)
	}
	s.kept.SetLabel("Show what stays")
	if !v.Dropped {
		s.kept.SetLabel("Only what goes")
	}
	s.cut.Set(v.Cut)
	s.cut.Hidden = v.Cut == ""
	showPhase(v.Phase, s.table, s.waiting, s.none, s.failed)
	if v.Phase == model.PhaseNoMatch {
		s.none.Set(theme.IconSearch, "Nothing matches", "No tag that would go is called so. Show what stays to see all.")
	} else {
		s.none.Set(theme.IconDone, "Nothing would go", "Every tag is kept by the rules.")
	}
	if p := v.Problem; p != nil {
		s.failed.Set(p.Title, p.Text, p.Fix, p.Command)
	}
	s.table.Refresh()
	s.object.Refresh()
	return true
}
