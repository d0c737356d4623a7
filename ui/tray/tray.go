package tray

import (
	"context"
	"sync"
	"time"

	"berth/app"
	"berth/ui/model"
)

// pace is the shortest time between two drawings: a menu that changes faster
// cannot be read, and some panels close an open menu that changes.
const pace = time.Second

// Model is what the tray shows; a [model.Tray] is one.
type Model interface {
	State() model.TrayState
	Subscribe(f func()) (cancel func())
	Click(id string)
}

// Area is the notification area: one icon with a flat menu. Its methods are
// called one at a time.
type Area interface {
	SetIcon(state app.State)
	// SetTooltip names the icon.
	SetTooltip(text string)
	// Clear empties the menu.
	Clear()
	// Add appends a line. One without click is disabled; the function that comes
	// back changes its text in place.
	Add(text string, click func()) (setText func(string))
	// Separator appends a rule.
	Separator()
}

// Tray draws a model on an area.
type Tray struct {
	model Model
	area  Area

	mu    sync.Mutex // guards what follows, and orders calls of area
	drawn bool
	shown model.TrayState
	texts []func(string)
}

// New makes a tray that shows nothing before Run or Draw.
func New(m Model, a Area) *Tray { return &Tray{model: m, area: a} }

// Run draws the model, and again after every change, until ctx ends.
func (t *Tray) Run(ctx context.Context) {
	wake := make(chan struct{}, 1)
	cancel := t.model.Subscribe(func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		t.Draw()
		select {
		case <-ctx.Done():
			return
		case <-wake:
			timer.Reset(pace)
		}
	}
}

// Draw shows the state of now. Lines that only changed their words change in
// place; the menu is built anew only when lines came or went.
func (t *Tray) Draw() {
	t.mu.Lock()
	defer t.mu.Unlock()
	st := t.model.State()
	if !t.drawn || st.Icon != t.shown.Icon {
		t.area.SetIcon(st.Icon)
	}
	if !t.drawn || st.Tooltip != t.shown.Tooltip {
		t.area.SetTooltip(st.Tooltip)
	}
	old := t.shown
	t.shown = st
	switch {
	case t.drawn && sameShape(old.Lines, st.Lines):
		for i, l := range st.Lines {
			if l.Text != old.Lines[i].Text {
				t.texts[i](l.Text)
			}
		}
	default:
		t.build(st.Lines)
	}
	t.drawn = true
}

func (t *Tray) build(lines []model.TrayLine) {
	t.area.Clear()
	t.texts = make([]func(string), len(lines))
	for i, l := range lines {
		switch {
		case l.Separator():
			t.area.Separator()
		case l.ID == "":
			t.texts[i] = t.area.Add(l.Text, nil)
		default:
			t.texts[i] = t.area.Add(l.Text, func() { t.click(i) })
		}
	}
}

// click does what the line at i says now: in place it may have become another.
func (t *Tray) click(i int) {
	t.mu.Lock()
	id := ""
	if i < len(t.shown.Lines) {
		id = t.shown.Lines[i].ID
	}
	t.mu.Unlock()
	if id != "" {
		t.model.Click(id)
	}
}

// sameShape is true when b can be shown by changing the words of a.
func sameShape(a, b []model.TrayLine) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Separator() != b[i].Separator() || (a[i].ID == "") != (b[i].ID == "") {
			return false
		}
	}
	return true
}
