package page

import (
	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// CleanupModels are the models of the cards of the page Clean up.
type CleanupModels struct {
	Head   *model.Cleanup
	Trash  *model.Trash
	Rules  *model.Rules
	Verify *model.Verify
}

// Cleanup is the page that frees space: where it goes, rules, trash, verify. A
// sheet may take the place of the cards: history, preview, a rule.
type Cleanup struct {
	m      CleanupModels
	object *fyne.Container
	last   *widget.Button
	cards  *cardsLayout
	scroll *container.Scroll

	head    *headCard
	rules   *rulesCard
	trash   *trashCard
	verify  *verifyCard
	history *historySheet
	preview *verdictsSheet
	editor  *editorSheet
}

// NewCleanup makes the page.
func NewCleanup(m CleanupModels, o Options) *Cleanup {
	p := &Cleanup{m: m}
	p.last = widget.NewQuietButton("", m.Head.ShowHistory)
	p.head, p.rules, p.trash, p.verify = newHeadCard(m.Head), newRulesCard(m.Rules), newTrashCard(m.Trash, o), newVerifyCard(m.Verify)
	p.history, p.preview, p.editor = newHistorySheet(m.Head), newVerdictsSheet(m.Rules, o), newEditorSheet(m.Rules)
	p.cards = &cardsLayout{p: p}
	body := container.New(p.cards, p.head.object, p.rules.object, p.trash.object, p.verify.object)
	p.scroll = container.NewVScroll(body)
	header := widget.Pad(14, theme.Margin-theme.Gap, 10, theme.Margin, container.NewStack(widget.Gap(0, theme.SmallHeight), widget.Across(10, 0, widget.NewText("Clean up", widget.Title), p.last)))
	p.object = container.New(&cleanupLayout{p: p, body: body}, header, p.scroll, p.history.object, p.preview.object, p.editor.object)
	p.Refresh()
	return p
}

// Object is what stands in the window.
func (p *Cleanup) Object() fyne.CanvasObject { return p.object }

// Enter is called when the page is shown: Tab begins at its first button.
func (p *Cleanup) Enter() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(p.object); c != nil {
		c.Unfocus()
	}
}

// FocusFilter puts the keyboard into the filter of the preview, where it is open.
func (p *Cleanup) FocusFilter() {
	if p.preview.object.Visible() {
		p.preview.search.Focus()
	}
}

// Refresh shows the state of the models.
func (p *Cleanup) Refresh() {
	head, rules := p.m.Head.State(), p.m.Rules.State()
	p.last.SetLabel(head.Last)
	p.last.SetToolTip(head.LastExact)
	p.last.Hidden = head.Last == ""
	moved := p.head.update(head)
	moved = p.rules.update(rules) || moved
	moved = p.trash.update(p.m.Trash.State()) || moved
	moved = p.verify.update(p.m.Verify.State()) || moved
	moved = p.history.update(head.History) || moved
	moved = p.preview.update(rules.Verdicts) || moved
	opened := p.editor.drawn == nil && rules.Editor != nil
	moved = p.editor.update(rules.Editor) || moved
	sheet := head.History != nil || rules.Verdicts != nil || rules.Editor != nil
	moved = moved || p.scroll.Visible() == sheet
	hide(p.scroll, sheet)
	if moved {
		p.object.Refresh()
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(p.object); opened && c != nil {
		p.editor.fields[model.FieldRepositories].Focus(c)
	}
}

// cleanupLayout places the header, and below it the cards or a sheet.
type cleanupLayout struct {
	p    *Cleanup
	body *fyne.Container
}

func (l *cleanupLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	h := o[0].MinSize().Height
	o[0].Resize(fyne.NewSize(size.Width, h))
	rest := fyne.NewSize(size.Width, max(0, size.Height-h))
	l.p.cards.room = rest.Height
	l.p.cards.arrange(l.body.Objects, size.Width)
	for _, x := range o[1:] {
		x.Move(fyne.NewPos(0, h))
		x.Resize(rest)
	}
	l.p.scroll.Refresh()
}

func (l *cleanupLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(420, 240) }

// cardsLayout places the cards: head, rules beside trash, verify; one below the
// other where it is narrow.
type cardsLayout struct {
	p            *Cleanup
	room, height float32
}

const (
	cardGap float32 = 14
	// cardsWide is the width from which rules and trash stand side by side, and
	// cardsMost the width that they never exceed.
	cardsWide float32 = 820
	cardsMost float32 = 1500
	// snackRoom lets what scrolls come out from under the snackbar.
	snackRoom float32 = 48
)

func (l *cardsLayout) Layout(o []fyne.CanvasObject, size fyne.Size) { l.arrange(o, size.Width) }

func (l *cardsLayout) arrange(o []fyne.CanvasObject, width float32) {
	head, rules, trash, verify := o[0], o[1], o[2], o[3]
	w := min(cardsMost, width-2*theme.Margin)
	x := theme.Margin
	y := float32(2)
	put := func(c fyne.CanvasObject, left, wide float32) float32 {
		c.Move(fyne.NewPos(left, y))
		return widget.Fit(c, wide)
	}
	y += put(head, x, w) + cardGap
	if w >= cardsWide {
		left := float32(int((w - cardGap) * 0.617))
		right := w - cardGap - left
		h := put(rules, x, left)
		h = max(h, l.p.trash.height(trashRows), 200)
		trash.Move(fyne.NewPos(x+left+cardGap, y))
		trash.Resize(fyne.NewSize(right, h))
		rules.Resize(fyne.NewSize(left, h))
		y += h + cardGap
	} else {
		y += put(rules, x, w) + cardGap
		h := l.p.trash.height(trashRows)
		trash.Move(fyne.NewPos(x, y))
		trash.Resize(fyne.NewSize(w, h))
		y += h + cardGap
	}
	y += put(verify, x, w) + theme.Margin
	if y > l.room {
		y += snackRoom
	}
	l.height = y
}

func (l *cardsLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(400, l.height) }
