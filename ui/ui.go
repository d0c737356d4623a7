//go:build !headless

package ui

import (
	"context"
	"log/slog"
	"os"
	"os/user"
	"runtime"
	"sync"

	"berth/app"
	"berth/ui/model"
	"berth/ui/tray"
)

// Run shows the faces until ctx ends, a person quits, or the instance ends. It
// must be called on the main goroutine, and once per process. When it returns
// nil the program should end; after [ErrNoDisplay] and [ErrNoGL] nothing was
// shown, and the registry may go on without a face.
func Run(ctx context.Context, o Options) error {
	o = o.filled()
	if err := Available(); err != nil {
		return err
	}
	if o.Background {
		return runTray(ctx, o, o.OpenWindow)
	}
	if !probe() {
		if !o.Tray {
			return ErrNoGL
		}
		o.Logger.Warn("window cannot open", "error", ErrNoGL)
		return runTray(ctx, o, nil)
	}
	return runWindow(ctx, o)
}

// Available says whether there is a desktop to show anything on: nil, or
// [ErrNoDisplay].
func Available() error {
	switch runtime.GOOS {
	case "windows", "darwin":
		return nil
	}
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return ErrNoDisplay
	}
	return nil
}

// runTray shows the tray alone. A nil open means that no window can be opened on
// this desktop.
func runTray(ctx context.Context, o Options, open func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var clip clipboard
	defer clip.Close()
	var bell notifier
	defer bell.close()
	notify := notifyWith(&bell, o)
	if open == nil {
		say := func() {
			notify(model.Notification{Title: "Berth runs without a window", Text: ErrNoGL.Error() + ". The registry, the tray and the berth command work.", Failed: true})
		}
		open = say
		say()
	}
	q := &quitting{service: o.Service, end: cancel, log: o.Logger}
	defer q.wait()
	models := model.New(model.Options{
		Service: o.Service, User: userName(), Copy: clip.Set, Notify: notify,
		Raise: open, Quit: q.instance, Ended: cancel, Logger: o.Logger,
	})
	defer models.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { models.Run(ctx) })
	wg.Go(func() {
		once := sync.OnceFunc(open)
		tray.WatchHost(ctx, func(present bool) {
			if !present {
				o.Logger.Warn("this desktop shows no tray icons")
				once()
			}
		})
	})
	o.Ready()
	tray.Run(ctx, models.Tray)
	return nil
}

// userName is the name by which this person is known to the registry on this
// machine.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// notifyWith shows notifications off the caller's goroutine's way: a desktop
// without them is not worth a word to the user.
func notifyWith(n *notifier, o Options) func(model.Notification) {
	return func(m model.Notification) {
		if err := n.notify(m); err != nil {
			o.Logger.Debug("no desktop notification", "error", err)
		}
	}
}

// quitting asks the instance to end.
type quitting struct {
	service app.Service
	end     func() // ends this face
	log     *slog.Logger
	wg      sync.WaitGroup
}

// instance asks the instance to end after what runs is done, and returns at
// once. The face stays until the instance says that it has, so that the tray is
// there as long as the registry is; only when it cannot be asked the face ends
// by itself. Asking again means: now.
func (q *quitting) instance() {
	q.wg.Go(func() {
		// The face's own context may end on the way; the wish stays.
		if _, err := q.service.Quit(context.Background(), app.QuitRequest{}); err != nil {
			q.log.Warn("quit", "error", err)
			q.end()
		}
	})
}

func (q *quitting) wait() { q.wg.Wait() }
