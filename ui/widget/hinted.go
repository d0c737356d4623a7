package widget

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	tooltip "github.com/dweymouth/fyne-tooltip/widget"
)

// hinted is embedded in widgets with a tooltip. Other than its base it takes a
// tooltip back when what it says is no longer so, or when the widget goes: Fyne
// tells a widget of the pointer only when that moves.
type hinted struct {
	tooltip.ToolTipWidget
	at fyne.Position // of the pointer, in the window
}

// hint is the widget whose tooltip is shown or on its way. Like all widgets it
// belongs to the goroutine of the window.
var hint *hinted

// HideTip takes the tooltip away that is shown or on its way. Call it before
// something opens over the window: tooltips find no place there.
func HideTip() {
	if hint != nil {
		hint.MouseOut()
	}
}

// MouseIn is called by Fyne.
func (h *hinted) MouseIn(e *desktop.MouseEvent) {
	HideTip()
	hint, h.at = h, e.AbsolutePosition
	h.ToolTipWidget.MouseIn(e)
}

// MouseMoved is called by Fyne.
func (h *hinted) MouseMoved(e *desktop.MouseEvent) {
	h.at = e.AbsolutePosition
	h.ToolTipWidget.MouseMoved(e)
}

// MouseOut is called by Fyne.
func (h *hinted) MouseOut() {
	if hint == h {
		hint = nil
	}
	h.ToolTipWidget.MouseOut()
}

// SetToolTip changes the tooltip, and takes the old one away.
func (h *hinted) SetToolTip(text string) {
	if text != h.ToolTip() {
		h.MouseOut()
	}
	h.ToolTipWidget.SetToolTip(text)
}

// Hide takes the tooltip away with the widget.
func (h *hinted) Hide() {
	h.MouseOut()
	h.ToolTipWidget.Hide()
}

// HasTip says whether the tooltip of the widget is shown or on its way.
func (h *hinted) HasTip() bool { return hint == h && h.ToolTip() != "" }
