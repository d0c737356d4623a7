package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// part is embedded in widgets that take clicks and may stand in a row: Fyne
// tells only the topmost widget, so a part passes on what is the row's.
type part struct {
	onHover func(bool)
	onMenu  func(*fyne.PointEvent)
}

// joiner is a widget that can stand in a row.
type joiner interface {
	join(hover func(bool), menu func(*fyne.PointEvent))
}

func (p *part) join(hover func(bool), menu func(*fyne.PointEvent)) { p.onHover, p.onMenu = hover, menu }

// TappedSecondary asks the row for its menu.
func (p *part) TappedSecondary(e *fyne.PointEvent) {
	if p.onMenu != nil {
		p.onMenu(e)
	}
}

func (p *part) over(on bool) {
	if p.onHover != nil {
		p.onHover(on)
	}
}

// joinAll tells every part below o about its row.
func joinAll(o fyne.CanvasObject, hover func(bool), menu func(*fyne.PointEvent)) {
	switch o := o.(type) {
	case joiner:
		o.join(hover, menu)
	case *fyne.Container:
		for _, c := range o.Objects {
			joinAll(c, hover, menu)
		}
	case *Surface:
		if o.Content != nil {
			joinAll(o.Content, hover, menu)
		}
	}
}

// Tips shows the tooltip of what it holds: of the Tipper under the pointer. It
// is for texts that stand outside of a table.
type Tips struct {
	hinted
	content fyne.CanvasObject
}

// NewTips wraps an object.
func NewTips(content fyne.CanvasObject) *Tips {
	t := &Tips{content: content}
	t.ExtendBaseWidget(t)
	return t
}

// Natural is what the content likes.
func (t *Tips) Natural() fyne.Size {
	return fyne.NewSize(likedWidth(t.content), t.content.MinSize().Height)
}

// MouseIn is called by Fyne.
func (t *Tips) MouseIn(e *desktop.MouseEvent) {
	t.SetToolTip(tipAt(t.content, e.Position))
	t.hinted.MouseIn(e)
}

// MouseMoved is called by Fyne.
func (t *Tips) MouseMoved(e *desktop.MouseEvent) {
	if tip := tipAt(t.content, e.Position); tip != t.ToolTip() {
		t.MouseIn(e)
		return
	}
	t.hinted.MouseMoved(e)
}

// CreateRenderer is called by Fyne.
func (t *Tips) CreateRenderer() fyne.WidgetRenderer { return &holder{t.content} }

// tipAt finds the tooltip of the deepest Tipper at a place.
func tipAt(o fyne.CanvasObject, at fyne.Position) string {
	switch o := o.(type) {
	case Tipper:
		return o.Tip()
	case interface{ tipAt(fyne.Position) string }:
		return o.tipAt(at)
	}
	box, ok := o.(*fyne.Container)
	if !ok {
		return ""
	}
	for _, c := range box.Objects {
		p, s := c.Position(), c.Size()
		if !c.Visible() || at.X < p.X || at.Y < p.Y || at.X >= p.X+s.Width || at.Y >= p.Y+s.Height {
			continue
		}
		if tip := tipAt(c, at.Subtract(p)); tip != "" {
			return tip
		}
	}
	return ""
}

// holder renders one object.
type holder struct{ o fyne.CanvasObject }

func (h *holder) Layout(size fyne.Size)        { h.o.Resize(size) }
func (h *holder) MinSize() fyne.Size           { return h.o.MinSize() }
func (h *holder) Refresh()                     { h.o.Refresh() }
func (h *holder) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{h.o} }
func (h *holder) Destroy()                     {}
