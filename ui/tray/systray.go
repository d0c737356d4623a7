package tray

import (
	"context"
	"sync"
	"time"

	"fyne.io/systray"

	"berth/app"
	"berth/assets"
)

// Run shows the tray in a process without a window, until ctx ends. It must be
// called on the main goroutine, which macOS demands, and once per process.
func Run(ctx context.Context, m Model) {
	t := New(m, area{})
	prepare(t)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	stop := context.AfterFunc(ctx, systray.Quit)
	defer stop()
	systray.Run(func() {
		t.Draw()
		wg.Go(func() { t.Run(ctx) })
	}, cancel)
}

// Beside shows the tray in a process whose main loop is a window toolkit's.
// Start is called on the main goroutine once that loop is about to run, stop
// when it has ended; once per process.
func Beside(m Model) (start, stop func()) {
	t := New(m, area{})
	prepare(t)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	begin, end := systray.RunWithExternalLoop(func() {
		t.Draw()
		wg.Go(func() { t.Run(ctx) })
	}, nil)
	return begin, func() {
		cancel()
		end()
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(time.Second): // on macOS what it draws may wait for the main goroutine, which is here
		}
	}
}

// area is the real notification area.
type area struct{}

// SetIcon survives the end of the session bus, where systray panics: a desktop
// that goes away must not take the registry with it.
func (area) SetIcon(s app.State) {
	defer func() { _ = recover() }()
	systray.SetIcon(icon(assets.TrayIcon(assets.TrayState(s))))
}

// SetTooltip is what Windows and macOS show, and panels that follow the
// specification; the others show the title, which SetTitle sets.
func (area) SetTooltip(text string) { systray.SetTooltip(text) }

func (area) Clear() { systray.ResetMenu() }

func (area) Separator() { systray.AddSeparator() }

func (area) Add(text string, click func()) func(string) {
	item := systray.AddMenuItem(label(text), "")
	if click == nil {
		item.Disable()
	} else {
		// ResetMenu closes the channel, which ends this goroutine.
		go func() {
			for range item.ClickedCh {
				click()
			}
		}()
	}
	return func(s string) { item.SetTitle(label(s)) }
}
