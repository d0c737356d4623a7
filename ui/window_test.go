//go:build ci

package ui

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/storage"
	"fyne.io/fyne/v2/test"

	"berth/app"
	"berth/app/apptest"
	"berth/ui/model"
	"berth/ui/theme"
)

// desk is a window on a desktop that a test turns by hand.
type desk struct {
	manual
	*window
	t    *testing.T
	fake *apptest.Fake
	told []model.Notification
	quit bool
}

// quitApp notes that the app was asked to end, which the test app ignores.
type quitApp struct {
	fyne.App
	quit *bool
}

func (a quitApp) Quit() { *a.quit = true }

// openDesk opens a window over a fake instance. Fyne has one current app, so
// these tests do not run in parallel.
func openDesk(t *testing.T, change ...func(*Options)) *desk {
	t.Helper()
	a := test.NewApp()
	a.Settings().SetTheme(theme.New(theme.Dark))
	d := &desk{t: t, fake: apptest.New()}
	o := Options{Service: d.fake, Window: true, Tray: true}.filled()
	for _, c := range change {
		c(&o)
	}
	disp := d.dispatcher()
	d.window = newWindow(ground{
		app: quitApp{a, &d.quit}, d: disp, spawn: func(f func()) { f() },
		notify: func(n model.Notification) { d.told = append(d.told, n) },
	}, o)
	t.Cleanup(func() {
		d.window.quit.wait()
		d.models.Close()
		disp.close()
	})
	d.win.Show()
	d.models.Refresh()
	d.settle()
	return d
}

// settle draws until nothing is left to draw.
func (d *desk) settle() {
	d.t.Helper()
	for range 100 {
		drawn := d.turn()
		d.pass()
		if drawn == 0 && len(d.queue)+len(d.later) == 0 {
			return
		}
	}
	d.t.Fatal("the window draws for ever")
}

// asked waits for the instance's answer to Quit.
func (d *desk) asked() int {
	d.window.quit.wait()
	d.settle()
	return len(d.fake.Calls("Quit"))
}

func (d *desk) ctrl(key fyne.KeyName) {
	d.shortcut(&desktop.CustomShortcut{KeyName: key, Modifier: fyne.KeyModifierShortcutDefault})
}

func (d *desk) shortcut(s fyne.Shortcut) {
	d.keys.TypedShortcut(s)
	d.settle()
}

func (d *desk) tags() []string {
	var out []string
	for _, r := range d.models.Images.State().Repo.Tags {
		out = append(out, r.Name)
	}
	return out
}

func TestCtrlAndADigitShowsAPage(t *testing.T) {
	d := openDesk(t)
	d.ctrl(fyne.Key2)
	if d.shown != model.PageDocker {
		t.Errorf("Ctrl+2 shows %s", d.shown)
	}
	d.ctrl(fyne.Key4)
	if d.shown != model.PageCleanup {
		t.Errorf("Ctrl+4 shows %s", d.shown)
	}
	d.ctrl(fyne.Key1)
	if d.shown != model.PageImages {
		t.Errorf("Ctrl+1 shows %s", d.shown)
	}
}

func TestEscClosesOneThingAfterTheOtherOnCleanUp(t *testing.T) {
	d := openDesk(t)
	d.ctrl(fyne.Key4)
	d.models.Cleanup.Plan()
	d.models.Rules.ShowVerdicts()
	d.settle()
	d.key(fyne.KeyEscape)
	if d.models.Rules.State().Verdicts != nil || d.models.Cleanup.State().Plan == nil {
		t.Fatal("Esc closed more than the sheet, or nothing")
	}
	d.key(fyne.KeyEscape)
	if d.models.Cleanup.State().Plan != nil {
		t.Error("the plan is still there")
	}
}

func TestPPinsTheFocusedTag(t *testing.T) {
	d := openDesk(t)
	d.rune('p')
	d.settle()
	if n := len(d.fake.Calls("Pin")); n != 1 {
		t.Fatalf("pinned %d times", n)
	}
	if r := d.models.Images.State().Repo; r.Tags[r.Focus].Pinned == "" {
		t.Error("it has no sign")
	}
}

func TestATagIsDeletedAndBroughtBackWithKeys(t *testing.T) {
	d := openDesk(t)
	d.models.Images.SelectRepository("acme/checkout")
	d.key(fyne.KeyHome)
	d.key(fyne.KeyDown)
	d.key(fyne.KeyUp)
	gone := d.tags()[0]
	d.key(fyne.KeyDelete)
	d.settle()
	if slices.Contains(d.tags(), gone) {
		t.Fatalf("Delete left %s", gone)
	}
	d.shortcut(&fyne.ShortcutUndo{})
	if !slices.Contains(d.tags(), gone) {
		t.Errorf("Ctrl+Z did not bring %s back", gone)
	}
}

func TestTheKeysOfSelection(t *testing.T) {
	d := openDesk(t)
	repo := func() *model.RepoView { return d.models.Images.State().Repo }
	d.key(fyne.KeySpace)
	if repo().Checked != 1 {
		t.Errorf("Space checked %d rows", repo().Checked)
	}
	d.shortcut(&fyne.ShortcutSelectAll{})
	if !repo().AllChecked {
		t.Error("Ctrl+A did not check all")
	}
	d.key(fyne.KeyEscape)
	if repo().Checked != 0 {
		t.Error("Esc left rows checked")
	}
	d.models.Images.SetFilter("acme")
	d.key(fyne.KeyEscape)
	if got := d.models.Images.State().Filter; got != "" {
		t.Errorf("Esc left the filter %q", got)
	}
	if d.key(fyne.KeyF9) {
		t.Error("a key without a meaning counts as used")
	}
}

func TestCtrlCCopiesThePullCommand(t *testing.T) {
	d := openDesk(t)
	d.shortcut(&fyne.ShortcutCopy{})
	if got := d.app.Clipboard().Content(); !strings.HasPrefix(got, "docker pull localhost:5000/") {
		t.Errorf("on Images it copied %q", got)
	}
	d.ctrl(fyne.Key2)
	d.key(fyne.KeyHome)
	d.shortcut(&fyne.ShortcutCopy{})
	if got := d.app.Clipboard().Content(); !strings.HasPrefix(got, "localhost:5000/") {
		t.Errorf("on Docker it copied %q", got)
	}
}

func TestEnterPushesTheFocusedImage(t *testing.T) {
	d := openDesk(t)
	d.ctrl(fyne.Key2)
	d.key(fyne.KeyHome)
	d.key(fyne.KeyEnter)
	if n := len(d.fake.Calls("Push")); n != 1 {
		t.Errorf("pushed %d times", n)
	}
}

func TestSlashPutsTheKeyboardIntoTheFilter(t *testing.T) {
	d := openDesk(t)
	d.win.Canvas().Unfocus()
	d.rune('/')
	if d.win.Canvas().Focused() == nil {
		t.Error("nothing has the focus")
	}
	d.rune('x') // means nothing
}

func TestClosingHidesToTheTrayAndSaysSoOnce(t *testing.T) {
	d := openDesk(t)
	d.trayHost(true)
	d.close()
	d.raise()
	d.close()
	if d.quit || len(d.fake.Calls("Quit")) != 0 {
		t.Error("closing quits although there is a tray")
	}
	if len(d.told) != 1 {
		t.Errorf("told %d times that Berth goes on, want once", len(d.told))
	}
}

func TestQuittingAsksTheInstanceAndWaitsForItsEnd(t *testing.T) {
	d := openDesk(t)
	d.trayHost(true)
	d.ctrl(fyne.KeyQ)
	if n := d.asked(); n != 1 {
		t.Fatalf("the instance was asked %d times", n)
	}
	if d.quit {
		t.Error("the face ended before the instance did")
	}
	d.end()
	if !d.quit {
		t.Error("the face outlives the instance")
	}
	d.quit = false
	d.close()
	if !d.quit {
		t.Error("closing while quitting goes to the tray")
	}
}

func TestAnInstanceThatCannotBeAskedDoesNotHoldTheFace(t *testing.T) {
	d := openDesk(t)
	d.fake.Fail("Quit", &app.Problem{Code: "gone", Title: "gone"})
	d.askQuit()
	d.asked()
	if !d.quit {
		t.Error("the face goes on")
	}
}

func TestAnAttachedWindowClosesAlone(t *testing.T) {
	for _, end := range []func(*desk){(*desk).pressClose, (*desk).pressQuit} {
		d := openDesk(t, func(o *Options) { o.Attached, o.Tray = true, false })
		end(d)
		if !d.quit || len(d.fake.Calls("Quit")) != 0 {
			t.Errorf("ended: %v; asked the instance to quit: %d times", d.quit, len(d.fake.Calls("Quit")))
		}
	}
}

func (d *desk) pressClose() { d.close() }
func (d *desk) pressQuit()  { d.askQuit() }

func TestADesktopWithoutATrayIsToldOnceAndClosingQuits(t *testing.T) {
	d := openDesk(t)
	d.trayHost(false)
	d.trayHost(false)
	n := 0
	for _, toast := range d.models.Shell.State().Toasts {
		if strings.Contains(toast.Text(), "shows no tray icons") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("said so %d times", n)
	}
	d.close()
	if n := d.asked(); n != 1 {
		t.Errorf("the instance was asked %d times", n)
	}
}

func TestADroppedFileIsImported(t *testing.T) {
	d := openDesk(t)
	d.ctrl(fyne.Key2)
	web, err := storage.ParseURI("https://example.com/x")
	if err != nil {
		t.Fatal(err)
	}
	d.dropped(fyne.Position{}, []fyne.URI{storage.NewFileURI("/tmp/app.tar"), web})
	d.settle()
	if n := len(d.fake.Calls("Import")); n != 1 {
		t.Fatalf("imported %d times", n)
	}
	if got := d.fake.Calls("Import")[0].Request.(app.ImportRequest).Path; got != "/tmp/app.tar" {
		t.Errorf("imported %s", got)
	}
	if d.shown != model.PageImages {
		t.Errorf("it shows %s", d.shown)
	}
}

func TestTheSizeOfTheWindowIsRemembered(t *testing.T) {
	d := openDesk(t)
	d.win.Resize(fyne.NewSize(900, 600))
	d.keepSize()
	if got := d.app.Preferences().Float(keyWidth); got != 900 {
		t.Errorf("kept a width of %v", got)
	}
}

func TestTabBeginsAtThePageAndNotAtTheNavigation(t *testing.T) {
	d := openDesk(t)
	d.ctrl(fyne.Key4)
	d.settle()
	c := d.win.Canvas()
	c.FocusNext()
	c.FocusNext()
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	d.settle()
	if st := d.models.Cleanup.State(); st.Plan == nil {
		t.Fatalf("the second button of the page is to look for what can go: %+v", st)
	}
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if len(d.fake.Calls("RunCleanup")) != 1 {
		t.Error("Enter again frees what the plan says")
	}
}
