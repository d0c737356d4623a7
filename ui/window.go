//go:build !headless

package ui

import (
	"context"
	"log/slog"
	"os"
	"sync"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"berth/ui/model"
	"berth/ui/page"
	"berth/ui/theme"
	"berth/ui/tray"
	"berth/ui/widget"
)

// The window's measures, and where its size is kept.
const (
	appID         = "berth"
	windowWidth   = 1120
	windowHeight  = 720
	windowLeast   = 320
	keyWidth      = "window.width"
	keyHeight     = "window.height"
	keyToldHiding = "told.hiding"
)

// runWindow shows the window, and beside it the tray if it was asked for, until
// ctx ends or a person quits. It has the main goroutine.
func runWindow(ctx context.Context, o Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Fyne makes its own folder in there, but not this one.
	if dir, err := os.UserCacheDir(); err == nil {
		_ = os.MkdirAll(dir, 0o700)
	}
	fyneapp.SetMetadata(fyne.AppMetadata{ID: appID, Name: "Berth", Version: o.Version})
	a := fyneapp.NewWithID(appID)
	a.Settings().SetTheme(theme.New(theme.System))
	a.SetIcon(theme.AppIcon())
	d := newDispatcher()
	defer d.close()
	var bell notifier
	defer bell.close()
	w := newWindow(ground{app: a, d: d, notify: notifyWith(&bell, o)}, o)
	defer w.models.Close()
	defer w.quit.wait()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { d.Do(w.end) })
	defer stop()

	startTray, stopTray := func() {}, func() {}
	if o.Tray {
		startTray, stopTray = tray.Beside(w.models.Tray)
	}
	a.Lifecycle().SetOnStarted(func() {
		startTray()
		wg.Go(func() { w.models.Run(ctx) })
		if o.Tray {
			wg.Go(func() { tray.WatchHost(ctx, func(present bool) { d.Do(func() { w.trayHost(present) }) }) })
		}
		o.Ready()
	})
	if o.Window {
		w.win.Show()
	}
	stopped := takeStopped(a)
	a.Run()
	stopped()
	stopTray() // the icon would stay behind on Windows
	return nil
}

// window is the window with all that surrounds the pages. Its fields belong to
// the goroutine of the window.
type window struct {
	app    fyne.App
	win    fyne.Window
	models *model.Models
	log    *slog.Logger
	quit   *quitting
	d      *dispatcher

	attached bool
	hosted   bool // the desktop shows tray icons, and ours is there
	told     bool // about a desktop without them
	quitting bool // a close is an end now

	frame *page.Frame
	pages map[model.Page]view
	shown model.Page
	keys  fyne.ShortcutHandler
}

// ground is what a window stands on besides its options. A nil spawn means
// goroutines.
type ground struct {
	app    fyne.App
	d      *dispatcher
	notify func(model.Notification)
	spawn  func(func())
}

func newWindow(g ground, o Options) *window {
	a, d := g.app, g.d
	w := &window{app: a, log: o.Logger, attached: o.Attached, d: d, win: a.NewWindow("Berth")}
	// The instance's end, or the context's, ends this face: Quit only asks.
	w.quit = &quitting{service: o.Service, end: func() { d.Do(w.end) }, log: o.Logger}
	mo := model.Options{
		Service: o.Service, User: userName(), Spawn: g.spawn, Window: true, Attached: o.Attached, Logger: o.Logger, ChooseFile: w.chooseFile,
		Copy:  func(text string) error { d.Do(func() { a.Clipboard().SetContent(text) }); return nil },
		Raise: func() { d.Do(w.raise) }, Quit: func() { d.Do(w.askQuit) }, Ended: func() { d.Do(w.end) },
	}
	if !o.Attached {
		mo.Notify = g.notify
	}
	w.models = model.New(mo)
	w.build()
	return w
}

func (w *window) build() {
	w.frame = page.NewFrame(w.models.Shell)
	w.pages = newViews(w.models, page.Options{Key: w.key, Rune: w.rune})
	w.win.SetPadded(false)
	w.win.SetContent(widget.TipLayer(w.frame.Object(), w.win.Canvas()))
	p := w.app.Preferences()
	w.win.Resize(fyne.NewSize(
		float32(max(windowLeast, p.FloatWithFallback(keyWidth, windowWidth))),
		float32(max(windowLeast, p.FloatWithFallback(keyHeight, windowHeight)))))
	w.win.CenterOnScreen()
	w.win.SetCloseIntercept(w.close)
	w.win.SetOnDropped(w.dropped)
	w.addShortcuts()
	w.drawShell()
	w.d.bind(w.models.Shell.Subscribe, w.drawShell)
	w.d.bind(w.models.Images.Subscribe, w.pages[model.PageImages].Refresh)
	w.d.bind(w.models.Docker.Subscribe, w.pages[model.PageDocker].Refresh)
	for _, subscribe := range []func(func()) func(){
		w.models.Cleanup.Subscribe, w.models.Trash.Subscribe, w.models.Rules.Subscribe, w.models.Verify.Subscribe,
	} {
		w.d.bind(subscribe, w.pages[model.PageCleanup].Refresh)
	}
}

// drawShell shows what surrounds the pages, and the page that was chosen.
func (w *window) drawShell() {
	st := w.models.Shell.State()
	w.frame.Refresh()
	if st.Page != w.shown {
		w.shown = st.Page
		w.frame.SetPage(w.pages[st.Page].Object())
		w.pages[st.Page].Refresh()
		w.pages[st.Page].Enter()
	}
}

// raise brings the window to the front.
func (w *window) raise() {
	w.win.Show()
	w.win.RequestFocus()
}

// close is the button of the frame and Ctrl+W: to the tray where there is one.
func (w *window) close() {
	w.keepSize()
	switch {
	case w.quitting:
		w.leave()
	case w.attached:
		w.end()
	case w.hosted:
		w.win.Hide()
		w.tellHiding()
	default:
		w.askQuit()
	}
}

// tellHiding says, once ever, that closing is not quitting.
func (w *window) tellHiding() {
	if p := w.app.Preferences(); !p.Bool(keyToldHiding) {
		p.SetBool(keyToldHiding, true)
		w.models.Tray.Notify(model.Notification{Title: "Berth goes on in the tray", Text: "Images can still be pushed and pulled. Quit is in the menu of the tray, and on Ctrl+Q."})
	}
}

// askQuit ends the instance, or only this window when it is attached to one.
func (w *window) askQuit() {
	w.keepSize()
	w.quitting = true
	if w.attached {
		w.end()
		return
	}
	w.win.Hide()
	w.quit.instance()
}

// end ends this face.
func (w *window) end() {
	w.keepSize()
	w.quitting = true
	w.leave()
}

// leave ends Fyne's loop, when nobody hands on work to it any more.
func (w *window) leave() {
	w.d.close()
	w.app.Quit()
}

// trayHost learns whether the desktop shows tray icons. Without one the window
// is the only face, so it opens, and says so once.
func (w *window) trayHost(present bool) {
	w.hosted = present
	if present || w.told {
		return
	}
	w.told = true
	w.log.Warn("this desktop shows no tray icons")
	text := "This desktop shows no tray icons, so closing the window quits Berth"
	if os.Getenv("XDG_CURRENT_DESKTOP") == "GNOME" || os.Getenv("XDG_CURRENT_DESKTOP") == "ubuntu:GNOME" {
		text += ". GNOME shows them with the extension AppIndicator"
	}
	w.models.Shell.Toast(model.Toast{Tone: model.ToneWarning, Lead: text, Action: "OK"})
	w.win.Show()
}

// keepSize remembers the size of the window for the next start.
func (w *window) keepSize() {
	s := w.win.Canvas().Size()
	if s.Width < windowLeast || s.Height < windowLeast {
		return
	}
	p := w.app.Preferences()
	for key, v := range map[string]float32{keyWidth: s.Width, keyHeight: s.Height} {
		// Fyne writes the file anew each time, and not in one go.
		if p.Float(key) != float64(v) {
			p.SetFloat(key, float64(v))
		}
	}
}
