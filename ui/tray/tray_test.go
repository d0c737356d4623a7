package tray

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"berth/app"
	"berth/ui/model"
)

// fakeArea writes down what is drawn on it.
type fakeArea struct {
	log    []string
	lines  []string
	clicks []func()
}

func (a *fakeArea) SetIcon(s app.State) { a.log = append(a.log, "icon "+string(s)) }
func (a *fakeArea) SetTooltip(s string) { a.log = append(a.log, "tip "+s) }
func (a *fakeArea) Separator()          { a.add("--", nil) }
func (a *fakeArea) Clear() {
	a.log = append(a.log, "clear")
	a.lines, a.clicks = nil, nil
}

func (a *fakeArea) add(text string, click func()) int {
	a.lines = append(a.lines, text)
	a.clicks = append(a.clicks, click)
	return len(a.lines) - 1
}

func (a *fakeArea) Add(text string, click func()) func(string) {
	i := a.add(text, click)
	return func(s string) {
		a.log = append(a.log, fmt.Sprintf("text %d %s", i, s))
		a.lines[i] = s
	}
}

// fakeModel is a tray model that a test sets.
type fakeModel struct {
	model.Signal
	mu      sync.Mutex // guards what follows
	state   model.TrayState
	clicked []string
	change  func()
}

func (m *fakeModel) State() model.TrayState {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

func (m *fakeModel) Subscribe(f func()) func() { m.change = f; return func() { m.change = nil } }
func (m *fakeModel) Click(id string)           { m.clicked = append(m.clicked, id) }

func (m *fakeModel) set(icon app.State, lines ...model.TrayLine) {
	m.mu.Lock()
	m.state = model.TrayState{Icon: icon, Tooltip: "Berth", Lines: lines}
	m.mu.Unlock()
}

var basic = []model.TrayLine{{Text: "Running"}, {}, {ID: "open", Text: "Open"}, {ID: "quit", Text: "Quit"}}

func TestTheMenuIsDrawnFromTheModel(t *testing.T) {
	t.Parallel()
	a, m := &fakeArea{}, &fakeModel{}
	m.set(app.StateRunning, basic...)
	New(m, a).Draw()
	if got := strings.Join(a.lines, "|"); got != "Running|--|Open|Quit" {
		t.Errorf("menu %s", got)
	}
	if a.clicks[0] != nil || a.clicks[1] != nil || a.clicks[2] == nil {
		t.Error("the wrong lines take clicks")
	}
	a.clicks[2]()
	if !slices.Equal(m.clicked, []string{"open"}) {
		t.Errorf("clicked %v", m.clicked)
	}
}

func TestTheSameMenuIsNotDrawnAgain(t *testing.T) {
	t.Parallel()
	a, m := &fakeArea{}, &fakeModel{}
	m.set(app.StateRunning, basic...)
	tray := New(m, a)
	tray.Draw()
	a.log = nil
	tray.Draw()
	if len(a.log) != 0 {
		t.Errorf("drew %v", a.log)
	}
}

func TestNewWordsChangeInPlaceAndAClickMeansTheNewLine(t *testing.T) {
	t.Parallel()
	a, m := &fakeArea{}, &fakeModel{}
	m.set(app.StateRunning, basic...)
	tray := New(m, a)
	tray.Draw()
	a.log = nil
	lines := slices.Clone(basic)
	lines[2] = model.TrayLine{ID: "copy:x", Text: "Copy x"}
	m.set(app.StateBusy, lines...)
	tray.Draw()
	if got := strings.Join(a.log, "|"); got != "icon busy|text 2 Copy x" {
		t.Errorf("drew %s", got)
	}
	a.clicks[2]()
	if !slices.Equal(m.clicked, []string{"copy:x"}) {
		t.Errorf("clicked %v", m.clicked)
	}
}

func TestALineMoreBuildsTheMenuAnewAndOldClicksAreSafe(t *testing.T) {
	t.Parallel()
	a, m := &fakeArea{}, &fakeModel{}
	m.set(app.StateRunning, basic...)
	tray := New(m, a)
	tray.Draw()
	old := a.clicks[3]
	m.set(app.StateRunning, basic[:2]...)
	tray.Draw()
	old()
	if len(m.clicked) != 0 {
		t.Errorf("a line that is gone did %v", m.clicked)
	}
	m.set(app.StateRunning, model.TrayLine{ID: "a", Text: "Disabled became a line"}, model.TrayLine{})
	tray.Draw()
	if a.clicks[0] == nil {
		t.Error("the line takes no click")
	}
}

func TestABusyModelIsDrawnOnceASecondAndItsEndIsShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, m := &fakeArea{}, &fakeModel{}
		m.set(app.StateRunning, basic...)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			New(m, a).Run(ctx)
		}()
		synctest.Wait()
		for i := range 100 {
			lines := slices.Clone(basic)
			lines[0].Text = fmt.Sprintf("Pushing %d%%", i+1)
			m.set(app.StateBusy, lines...)
			m.change()
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(2 * pace)
		synctest.Wait()
		if n := len(a.log); n < 6 || n > 12 {
			t.Errorf("five seconds of change were drawn in %d steps: %v", n, a.log)
		}
		if a.lines[0] != "Pushing 100%" {
			t.Errorf("the end is not shown: %s", a.lines[0])
		}
		cancel()
		<-done
	})
}
