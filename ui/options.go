package ui

import (
	"errors"
	"log/slog"

	"berth/app"
)

// The reasons why [Run] shows no window. The registry goes on without it.
var (
	// ErrHeadless: this binary was built without a window.
	ErrHeadless = errors.New("this build of Berth has no window and no tray")
	// ErrNoDisplay: there is no desktop to show anything on.
	ErrNoDisplay = errors.New("there is no display: DISPLAY and WAYLAND_DISPLAY are not set")
	// ErrNoGL: the desktop gives no OpenGL, which the window needs. The tray was
	// shown if it was asked for.
	ErrNoGL = errors.New("the window needs OpenGL 2.1, which this display does not give")
)

// Options say which faces [Run] shows. Service is required.
type Options struct {
	Service app.Service
	// Window opens the window now.
	Window bool
	// Tray shows the tray icon.
	Tray bool
	// Background keeps Fyne out of this process: only the tray is shown, and
	// OpenWindow opens the window, in a process of its own.
	Background bool
	// Attached is true for a window over another process's instance: quitting
	// closes the window only, and the instance tells of pushes on the desktop.
	Attached bool
	// OpenWindow starts a window process; required with Background. It must
	// return at once.
	OpenWindow func()
	// Ready is called once the faces are shown.
	Ready   func()
	Logger  *slog.Logger
	Version string
}

func (o Options) filled() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	for _, f := range []*func(){&o.OpenWindow, &o.Ready} {
		if *f == nil {
			*f = func() {}
		}
	}
	return o
}
