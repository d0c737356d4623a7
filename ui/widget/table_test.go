package widget_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"berth/ui/theme"
	"berth/ui/uitest"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

// fakeTable is a table over made-up rows that notes what it is told.
type fakeTable struct {
	table *widget.Table
	count int
	made  int
	state map[int]widget.RowState
	tall  map[int]float32
	now   time.Time
	said  []string
}

func newFakeTable(count int) *fakeTable {
	f := &fakeTable{count: count, state: map[int]widget.RowState{}, tall: map[int]float32{}, now: time.Unix(1e9, 0)}
	cell := func(key string, width float32, drop int, s widget.Style) widget.Column {
		return widget.Column{
			Key: key, Title: key, Width: width, Drop: drop, Right: s.Align == fyne.TextAlignTrailing, Sorts: true,
			New: func() fyne.CanvasObject { f.made++; return widget.NewText("", s) },
			Update: func(i int, c fyne.CanvasObject) {
				c.(*widget.Text).Set(fmt.Sprintf("%s %d", key, i))
				c.(*widget.Text).SetTip(fmt.Sprintf("tip of %s %d", key, i))
			},
		}
	}
	name := cell("name", 120, 0, widget.BodyBold)
	name.Grow = true
	f.table = widget.NewTable(name, cell("digest", 70, 2, widget.CodeQuiet), cell("platforms", 80, 3, widget.Quiet), cell("size", 60, 0, widget.Body.Right()))
	f.table.Count = func() int { return f.count }
	f.table.State = func(i int) widget.RowState { return f.state[i] }
	f.table.NewDetail = func() fyne.CanvasObject { return widget.NewText("details", widget.Quiet) }
	f.table.UpdateDetail = func(int, fyne.CanvasObject) {}
	f.table.DetailHeight = func(i int) float32 { return f.tall[i] }
	f.table.Now = func() time.Time { return f.now }
	say := func(what string) func(int) {
		return func(i int) { f.said = append(f.said, fmt.Sprintf("%s %d", what, i)) }
	}
	f.table.On = widget.TableEvents{
		Check: say("check"), CheckAll: func() { f.said = append(f.said, "check all") }, Focus: say("focus"), Toggle: say("toggle"), Range: say("range"), Open: say("open"),
		Move: func(by int, shift bool) { f.said = append(f.said, fmt.Sprintf("move %d %v", by, shift)) },
		Menu: func(i int, at fyne.Position) { f.said = append(f.said, fmt.Sprintf("menu %d", i)) },
		Sort: func(key string) { f.said = append(f.said, "sort "+key) },
		Key:  func(k fyne.KeyName) bool { f.said = append(f.said, "key "+string(k)); return true },
		Rune: func(r rune) { f.said = append(f.said, "rune "+string(r)) },
	}
	return f
}

func (f *fakeTable) expect(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(f.said, want) {
		t.Errorf("it said %q, want %q", f.said, want)
	}
	f.said = nil
}

// show puts the table on a canvas whose left upper corner is the table's.
func (f *fakeTable) show(t *testing.T, size fyne.Size) fyne.Canvas {
	t.Helper()
	uitest.App(theme.Dark)
	w := test.NewWindow(f.table)
	t.Cleanup(w.Close)
	w.SetPadded(false)
	w.Resize(size)
	return w.Canvas()
}

// rowAt is the place of row i in a table that is scrolled to its top.
func rowAt(i int) fyne.Position { return fyne.NewPos(60, 30+36*float32(i)+18) }

// clickWith clicks with keys held.
func clickWith(c fyne.Canvas, at fyne.Position, keys fyne.KeyModifier) {
	o := find[desktop.Mouseable](c, at)
	o.MouseDown(&desktop.MouseEvent{Modifier: keys})
	test.TapCanvas(c, at)
}

func TestAClickFocusesTogglesOrExtendsByTheKeysHeld(t *testing.T) {
	f := newFakeTable(20)
	c := f.show(t, fyne.NewSize(500, 300))
	test.TapCanvas(c, rowAt(2))
	f.expect(t, "focus 2")
	clickWith(c, rowAt(3), fyne.KeyModifierControl)
	f.expect(t, "toggle 3")
	clickWith(c, rowAt(5), fyne.KeyModifierShift)
	f.expect(t, "range 5")
	test.TapCanvas(c, fyne.NewPos(14, rowAt(4).Y))
	f.expect(t, "check 4")
	if c.Focused() != f.table {
		t.Error("the keyboard did not follow the click")
	}
	test.TapCanvas(c, fyne.NewPos(14, 15))
	f.expect(t, "check all")
}

func TestTwoClicksInShortOrderOpenARow(t *testing.T) {
	f := newFakeTable(20)
	c := f.show(t, fyne.NewSize(500, 300))
	test.TapCanvas(c, rowAt(1))
	test.TapCanvas(c, rowAt(1))
	f.expect(t, "focus 1", "focus 1", "open 1")
	test.TapCanvas(c, rowAt(1))
	f.now = f.now.Add(time.Second)
	test.TapCanvas(c, rowAt(1))
	f.expect(t, "focus 1", "focus 1")
}

func TestTheSecondButtonAsksForTheMenuAlsoOverACellThatTakesClicks(t *testing.T) {
	f := newFakeTable(20)
	c := f.show(t, fyne.NewSize(500, 300))
	find[fyne.SecondaryTappable](c, rowAt(3)).TappedSecondary(&fyne.PointEvent{})
	f.expect(t, "menu 3")
	find[fyne.SecondaryTappable](c, fyne.NewPos(14, rowAt(2).Y)).TappedSecondary(&fyne.PointEvent{})
	f.expect(t, "menu 2")
}

func TestADimmedRowTakesNoClicks(t *testing.T) {
	f := newFakeTable(20)
	f.state[1] = widget.RowState{Dimmed: true}
	c := f.show(t, fyne.NewSize(500, 300))
	test.TapCanvas(c, rowAt(1))
	f.expect(t)
}

func TestKeysMoveTheFocusAndOthersArePassedOn(t *testing.T) {
	f := newFakeTable(200)
	c := f.show(t, fyne.NewSize(500, 30+36*8))
	c.Focus(f.table)
	for _, k := range []fyne.KeyName{fyne.KeyDown, fyne.KeyUp, fyne.KeyPageDown, fyne.KeyPageUp, fyne.KeyHome, fyne.KeyEnd, fyne.KeySpace, fyne.KeyDelete} {
		f.table.TypedKey(&fyne.KeyEvent{Name: k})
	}
	f.table.TypedRune('/')
	f.expect(t, "move 1 false", "move -1 false", "move 7 false", "move -7 false", "move -1073741824 false", "move 1073741824 false",
		"key Space", "key Delete", "rune /")
}

func TestAHeaderSorts(t *testing.T) {
	f := newFakeTable(3)
	c := f.show(t, fyne.NewSize(500, 300))
	test.TapCanvas(c, fyne.NewPos(60, 15))
	f.expect(t, "sort name")
}

func TestANarrowTableLeavesColumnsOutInTheirOrder(t *testing.T) {
	f := newFakeTable(3)
	f.show(t, fyne.NewSize(500, 300))
	for _, x := range []struct {
		width             float32
		digest, platforms bool
	}{{500, false, false}, {400, false, true}, {300, true, true}, {200, true, true}} {
		f.table.Resize(fyne.NewSize(x.width, 300))
		if d, p := f.table.LeavesOut("digest"), f.table.LeavesOut("platforms"); d != x.digest || p != x.platforms {
			t.Errorf("at %v it leaves out digest %v, platforms %v", x.width, d, p)
		}
	}
	if f.table.LeavesOut("name") || f.table.LeavesOut("size") {
		t.Error("a column that must stay is gone")
	}
}

func TestOnlyTheRowsOneSeesAreMade(t *testing.T) {
	f := newFakeTable(1_000_000)
	f.show(t, fyne.NewSize(500, 30+36*10))
	if most := 4 * 13; f.made > most {
		t.Errorf("%d cells were made for ten rows in sight", f.made)
	}
	for i := 0; i < 1_000_000; i += 99_999 {
		f.table.ScrollTo(i)
	}
	if most := 4 * 26; f.made > most {
		t.Errorf("%d cells after scrolling: rows are not used again", f.made)
	}
}

func TestARefreshKeepsThePlaceThatIsScrolledTo(t *testing.T) {
	f := newFakeTable(500)
	c := f.show(t, fyne.NewSize(500, 300))
	f.table.ScrollTo(400)
	before := shownTexts(c)
	f.count++
	f.table.Refresh()
	if after := shownTexts(c); !slices.Equal(before, after) || !slices.Contains(after, "name 400") {
		t.Errorf("in sight were %v, then %v", before, after)
	}
}

func TestATallRowMovesTheRowsBelowIt(t *testing.T) {
	f := newFakeTable(10)
	f.tall[1] = 72
	c := f.show(t, fyne.NewSize(500, 400))
	test.TapCanvas(c, rowAt(4))
	f.expect(t, "focus 2")
	test.TapCanvas(c, rowAt(0))
	f.expect(t, "focus 0")
}

func TestARowShowsTheTooltipOfTheCellUnderThePointer(t *testing.T) {
	f := newFakeTable(10)
	c := f.show(t, fyne.NewSize(500, 300))
	row := find[desktop.Hoverable](c, rowAt(2))
	tip := row.(interface{ ToolTip() string })
	at := func(x float32) string {
		row.MouseMoved(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x, 18)}})
		return tip.ToolTip()
	}
	if got := at(60); got != "tip of name 2" {
		t.Errorf("over the name: %q", got)
	}
	if got := at(480); got != "tip of size 2" {
		t.Errorf("over the size: %q", got)
	}
	row.MouseOut()
}

func BenchmarkTableScroll(b *testing.B) {
	uitest.App(theme.Dark)
	f := newFakeTable(1_000_000)
	w := test.NewWindow(f.table)
	defer w.Close()
	w.Resize(fyne.NewSize(900, 700))
	for i := 0; b.Loop(); i++ {
		f.table.ScrollTo((i * 7919) % 1_000_000)
	}
}

func BenchmarkTableRefresh(b *testing.B) {
	uitest.App(theme.Dark)
	f := newFakeTable(5000)
	w := test.NewWindow(f.table)
	defer w.Close()
	w.Resize(fyne.NewSize(900, 700))
	for b.Loop() {
		f.table.Refresh()
	}
}

func TestATooltipGoesWithWhatItTellsOf(t *testing.T) {
	uitest.App(theme.Dark)
	c := widget.NewPushCell()
	shown(t, c, fyne.NewSize(176, 32))
	c.Set(widget.PushView{Face: widget.PushProgress})
	var stop *widget.Button
	for _, b := range all[*widget.Button](c) {
		if b.ToolTip() == "Cancel" {
			stop = b
		}
	}
	over := &desktop.MouseEvent{}
	stop.MouseIn(over)
	if !stop.HasTip() {
		t.Fatal("no tooltip is on its way")
	}
	c.Set(widget.PushView{Face: widget.PushButton})
	if stop.HasTip() {
		t.Error("it outlives its button")
	}
	stop.MouseIn(over)
	test.Tap(stop)
	if stop.HasTip() {
		t.Error("it outlives the click")
	}
	stop.MouseIn(over)
	widget.HideTip()
	if stop.HasTip() {
		t.Error("it outlives what opens above")
	}
}

func TestABannerNeverCutsItsTitle(t *testing.T) {
	uitest.App(theme.Dark)
	b := widget.NewBanner(nil, nil)
	b.Set("Port 5000 is taken, so Berth answers at localhost:5001", "It is used by the container “registry” (registry:2). Use localhost:5001 in names of images.", "docker stop registry", false)
	shown(t, b, fyne.NewSize(660, b.MinSize().Height))
	var read []string
	for _, x := range all[*widget.Text](b) {
		if x.Size().Width >= x.Natural().Width {
			read = append(read, x.Text())
		}
	}
	if len(read) == 0 || read[0] != "Port 5000 is taken, so Berth answers at localhost:5001" {
		t.Errorf("whole are only %q", read)
	}
}

func TestAColumnTakesWhatItWantsOfTheSpareWidth(t *testing.T) {
	uitest.App(theme.Dark)
	for _, c := range []struct{ want, first, second float32 }{{0, 100, 268}, {150, 150, 218}, {900, 184, 184}} {
		var widths [2]float32
		col := func(i int) widget.Column {
			return widget.Column{
				Key: fmt.Sprint(i), Width: 100, New: func() fyne.CanvasObject { return widget.NewText("", widget.Body) },
				Update: func(_ int, o fyne.CanvasObject) { o.(*widget.Text).Set(fmt.Sprint("cell ", i)) },
			}
		}
		one, two := col(0), col(1)
		one.Want, two.Grow = func() float32 { return c.want }, true
		table := widget.NewTable(one, two)
		table.Count, table.State = func() int { return 1 }, func(int) widget.RowState { return widget.RowState{} }
		shown(t, table, fyne.NewSize(428, 200))
		for _, x := range all[*widget.Text](table) {
			for i := range widths {
				if x.Text() == fmt.Sprint("cell ", i) {
					widths[i] = x.Size().Width
				}
			}
		}
		if widths != [2]float32{c.first, c.second} {
			t.Errorf("wanting %v: %v, want %v and %v", c.want, widths, c.first, c.second)
		}
	}
}

func TestTheNoteOfARowIsNeverCutForItsText(t *testing.T) {
	uitest.App(theme.Dark)
	r := widget.NewInfoRow(nil)
	shown(t, r, fyne.NewSize(576, 32))
	for _, note := range []string{"", "only this tag", "shared by 11 tags", "only this tag", "shared by 1234 tags"} {
		r.Set(widget.Info{Lead: "1", LeadWidth: 16, Text: "COPY file:3fe3cedb10952b626a6d59d23fa934731aa533e27 in /usr/local/bin/checkout", Mono: true, Note: note, Right: "1.3 GB"})
		for _, x := range all[*widget.Text](r) {
			if x.Text() == note && x.Size().Width < x.Natural().Width {
				t.Errorf("%q has %v of %v", note, x.Size().Width, x.Natural().Width)
			}
		}
	}
}
