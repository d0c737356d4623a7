package widget_test

import (
	"strings"
	"testing"

	"berth/ui/theme"
	"berth/ui/uitest"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// shown puts an object into a window of its least size, or of size.
func shown(t *testing.T, o fyne.CanvasObject, size fyne.Size) fyne.Canvas {
	t.Helper()
	w := test.NewWindow(o)
	t.Cleanup(w.Close)
	w.SetPadded(false)
	w.Resize(size.Max(o.MinSize()))
	return w.Canvas()
}

func key(o fyne.Focusable, names ...fyne.KeyName) {
	for _, n := range names {
		o.TypedKey(&fyne.KeyEvent{Name: n})
	}
}

func TestTextThatIsCutSaysTheWholeInItsTooltip(t *testing.T) {
	uitest.App(theme.Dark)
	text := widget.NewText("mirror/library/postgres", widget.Body)
	c := shown(t, text, fyne.NewSize(400, 20))
	if tip := text.Tip(); tip != "" {
		t.Errorf("with room it says %q", tip)
	}
	text.Resize(fyne.NewSize(80, 20))
	if tip := text.Tip(); tip != "mirror/library/postgres" {
		t.Errorf("cut, it says %q", tip)
	}
	if got := shownTexts(c)[0]; !strings.HasPrefix(got, "mirror") || !strings.HasSuffix(got, "…") {
		t.Errorf("it shows %q", got)
	}
	text.SetTip("pushed at noon")
	if tip := text.Tip(); tip != "pushed at noon" {
		t.Errorf("with a tooltip of its own it says %q", tip)
	}
}

func TestADigestCopiesTheWholeAndGrowsShortBeforeItIsCut(t *testing.T) {
	uitest.App(theme.Dark)
	copied := ""
	d := widget.NewDigest(func(s string) { copied = s })
	d.Set("sha256:9f2c41d7e5aa", "sha256:9f2c41d7…e5aa")
	c := shown(t, d, fyne.NewSize(300, 20))
	test.Tap(d)
	if copied != "sha256:9f2c41d7e5aa" {
		t.Errorf("copied %q", copied)
	}
	d.Resize(fyne.NewSize(64, 20))
	if got := shownTexts(c)[0]; got != "9f2c41d7" {
		t.Errorf("in a narrow column it shows %q", got)
	}
}

func TestACommandCopiesItsLine(t *testing.T) {
	uitest.App(theme.Dark)
	copied := ""
	cmd := widget.NewCommand("docker pull x", func(s string) { copied = s })
	shown(t, cmd, fyne.NewSize(300, 32))
	test.Tap(all[*widget.Button](cmd)[0])
	if copied != "docker pull x" {
		t.Errorf("copied %q", copied)
	}
}

func TestAButtonIsPressedByMouseAndKeysUnlessItIsOff(t *testing.T) {
	uitest.App(theme.Dark)
	n := 0
	b := widget.NewButton("Push", "", widget.Primary, func() { n++ })
	shown(t, b, fyne.Size{})
	test.Tap(b)
	key(b, fyne.KeySpace, fyne.KeyReturn, fyne.KeyDown)
	if n != 3 {
		t.Errorf("pressed %d times, want 3", n)
	}
	b.SetDisabled(true)
	test.Tap(b)
	key(b, fyne.KeySpace)
	if n != 3 {
		t.Error("a button that is off was pressed")
	}
}

func TestEscClearsTheFilterThenLeavesIt(t *testing.T) {
	uitest.App(theme.Dark)
	text, left := "", 0
	s := widget.NewSearch("Filter", func(v string) { text = v }, func() { left++ })
	c := shown(t, s, fyne.NewSize(200, 34))
	s.Focus()
	entry := c.Focused()
	if entry == nil {
		t.Fatal("the field did not get the keyboard")
	}
	test.Type(entry, "web")
	if text != "web" {
		t.Errorf("reported %q", text)
	}
	key(entry, fyne.KeyEscape)
	if text != "" || left != 0 {
		t.Errorf("after Esc: %q, left %d times", text, left)
	}
	key(entry, fyne.KeyEscape)
	key(entry, fyne.KeyDown)
	if left != 2 {
		t.Errorf("left %d times, want 2", left)
	}
	s.Set("from the model")
	if text != "" {
		t.Errorf("what the model said came back as %q", text)
	}
}

func TestANameIsEditedWhereItStands(t *testing.T) {
	uitest.App(theme.Dark)
	c := widget.NewTargetCell()
	var typed string
	edits, done := 0, 0
	c.Edit, c.Changed, c.Done = func() { edits++ }, func(s string) { typed = s }, func(bool) { done++ }
	c.Set("localhost:5000/", "acme/web:dev", "", false)
	canvas := shown(t, c, fyne.NewSize(300, 32))
	test.Tap(c)
	if edits != 1 {
		t.Fatalf("asked to edit %d times", edits)
	}
	c.Set("localhost:5000/", "acme/web:dev", "", true)
	entry := canvas.Focused()
	if entry == nil {
		t.Fatal("the entry did not get the keyboard")
	}
	test.Type(entry, "x")
	if typed != "x" {
		t.Errorf("the old name was not chosen: typed %q", typed)
	}
	c.Set("localhost:5000/", "x", "a name needs a repository", true)
	if c.Tip() != "a name needs a repository" {
		t.Errorf("the tooltip says %q", c.Tip())
	}
	key(entry, fyne.KeyReturn)
	if done != 1 {
		t.Errorf("editing ended %d times", done)
	}
}

func TestAPushCellOffersWhatItsStateAllows(t *testing.T) {
	uitest.App(theme.Dark)
	c := widget.NewPushCell()
	pushed, cancelled := 0, 0
	c.Push, c.Cancel = func() { pushed++ }, func() { cancelled++ }
	shown(t, c, fyne.NewSize(176, 32))
	press := func(v widget.PushView) {
		c.Set(v)
		for _, b := range all[*widget.Button](c) {
			test.Tap(b)
		}
	}
	press(widget.PushView{Face: widget.PushButton})
	press(widget.PushView{Face: widget.PushFailure, Text: "Failed"})
	if pushed != 2 || cancelled != 0 {
		t.Errorf("pushed %d, cancelled %d", pushed, cancelled)
	}
	press(widget.PushView{Face: widget.PushProgress})
	press(widget.PushView{Face: widget.PushProgress, Cancelling: true})
	press(widget.PushView{Face: widget.PushWaiting})
	press(widget.PushView{Face: widget.PushRemark, Text: "already in Berth"})
	press(widget.PushView{Face: widget.PushResult, Text: "Pushed"})
	if pushed != 2 || cancelled != 1 {
		t.Errorf("then pushed %d, cancelled %d", pushed, cancelled)
	}
}

func TestTheSnackbarTellsWhichLineWasMeant(t *testing.T) {
	uitest.App(theme.Dark)
	var acted, dismissed []int
	s := widget.NewSnackbar(func(id int) { acted = append(acted, id) }, func(id int) { dismissed = append(dismissed, id) })
	shown(t, s, fyne.NewSize(600, 200))
	s.Set([]widget.Snack{{ID: 4, Lead: "Copied", Progress: -1}, {ID: 7, Lead: "Deleted", Action: "Undo", Progress: -1}})
	for _, b := range all[*widget.Button](s) {
		test.Tap(b)
	}
	if len(acted) != 1 || acted[0] != 7 || len(dismissed) != 2 {
		t.Errorf("acted %v, dismissed %v", acted, dismissed)
	}
	s.Set(nil)
	if n := len(all[*widget.Button](s)); n != 0 {
		t.Errorf("an empty snackbar has %d buttons", n)
	}
}

func TestTheSnackbarLetsClicksThroughBesideItsLines(t *testing.T) {
	uitest.App(theme.Dark)
	n := 0
	below := widget.NewButton("below", "", widget.Normal, func() { n++ })
	s := widget.NewSnackbar(nil, nil)
	s.Set([]widget.Snack{{ID: 1, Lead: "Copied", Progress: -1}})
	c := shown(t, fyneStack(below, s), fyne.NewSize(600, 300))
	test.TapCanvas(c, fyne.NewPos(20, 20))
	if n != 1 {
		t.Error("the snackbar took a click that was not on it")
	}
}

func fyneStack(o ...fyne.CanvasObject) fyne.CanvasObject {
	return &fyne.Container{Layout: stacked{}, Objects: o}
}

type stacked struct{}

func (stacked) Layout(o []fyne.CanvasObject, size fyne.Size) {
	for _, x := range o {
		x.Resize(size)
	}
}
func (stacked) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(10, 10) }

func TestAPartOfABarIsNeverTooThinToSee(t *testing.T) {
	uitest.App(theme.Dark)
	b := widget.NewBar(6, widget.Part{Part: 0.0001, Color: theme.Accent}, widget.Part{Part: 0, Color: theme.Warning})
	img := uitest.Draw(b, fyne.NewSize(200, 6), theme.Dark)
	want := theme.New(theme.Dark).Color(theme.Accent, 0)
	r, g, bl, _ := img.At(1, 3).RGBA()
	wr, wg, wb, _ := want.RGBA()
	if r>>8 != wr>>8 || g>>8 != wg>>8 || bl>>8 != wb>>8 {
		t.Errorf("the first point is %v, want %v", img.At(1, 3), want)
	}
}

func TestTheListOfRepositoriesAnswersMouseAndKeys(t *testing.T) {
	uitest.App(theme.Dark)
	l := widget.NewRepoList()
	l.Count, l.Item = func() int { return 30 }, func(i int) widget.RepoItem { return widget.RepoItem{Name: "x", Dimmed: i == 2} }
	selected, moved, menu := -1, 0, -1
	var other []fyne.KeyName
	l.On = widget.ListEvents{
		Select: func(i int) { selected = i }, Move: func(by int) { moved += by },
		Menu: func(i int, _ fyne.Position) { menu = i }, Key: func(k fyne.KeyName) bool { other = append(other, k); return true },
	}
	c := shown(t, l, fyne.NewSize(240, 300))
	test.TapCanvas(c, fyne.NewPos(40, 54+20))
	if selected != 1 || c.Focused() != l {
		t.Errorf("selected %d, focused %v", selected, c.Focused())
	}
	test.TapCanvas(c, fyne.NewPos(40, 2*54+20))
	if selected != 1 {
		t.Error("a dimmed row was selected")
	}
	find[fyne.SecondaryTappable](c, fyne.NewPos(40, 20)).TappedSecondary(&fyne.PointEvent{})
	key(l, fyne.KeyDown, fyne.KeyDown, fyne.KeyUp, fyne.KeyReturn)
	if menu != 0 || moved != 1 || len(other) != 1 || other[0] != fyne.KeyReturn {
		t.Errorf("menu %d, moved %d, others %v", menu, moved, other)
	}
}
