// Berth is a container registry for the desktop. This file picks its face: no
// argument means window and tray, a verb means the command line. It wires the
// rooms together and holds nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"berth/app"
	"berth/app/cli"
	"berth/app/config"
	"berth/app/control"
	"berth/ui"
)

// version is set by the linker; see the Makefile.
var version = ""

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup wants it to be
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	code := cli.Run(ctx, deps(), os.Args[1:])
	stop()
	os.Exit(code)
}

func deps() cli.Deps {
	d := cli.Deps{
		Version:  build(),
		Dial:     dial,
		Open:     open,
		Serve:    serve,
		Window:   window,
		Attach:   attachOnly,
		Collect:  collect,
		Load:     load,
		Out:      os.Stdout,
		Err:      os.Stderr,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())),
	}
	if d.Terminal && term.IsTerminal(int(os.Stdin.Fd())) {
		d.In = os.Stdin
	}
	return d
}

func build() cli.Version {
	v := cli.Version{
		Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Window: !errors.Is(ui.Available(), ui.ErrHeadless),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Commit = s.Value[:min(12, len(s.Value))]
			}
		}
	}
	if v.Version == "" {
		v.Version = "devel"
	}
	return v
}

func load(w cli.Where) (*config.Config, error) {
	return config.Load(w.Config, os.Environ(), config.Flags{Data: w.Data, Addr: w.Addr})
}

// dial reaches the running instance.
func dial(ctx context.Context, w cli.Where) (app.Service, func() error, error) {
	cfg, err := load(w)
	if err != nil {
		return nil, nil, err
	}
	client, err := control.Dial(ctx, cfg.Data())
	if errors.Is(err, control.ErrNotRunning) {
		return nil, nil, cli.ErrNoInstance
	}
	if err != nil {
		return nil, nil, err
	}
	return client, client.Close, nil
}

// open works on the data folder without serving anything. Only problems are
// logged, since a person waits for an answer; and is told when it takes long.
func open(ctx context.Context, w cli.Where) (app.Service, func() error, error) {
	cfg, err := load(w)
	if err != nil {
		return nil, nil, err
	}
	if w.Data != "" && !w.Make {
		if err := app.CheckData(cfg); err != nil {
			return nil, nil, err
		}
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	core, err := app.Open(ctx, app.Options{Config: cfg, Logger: log, Version: build().Version, Alone: true})
	if err != nil {
		return nil, nil, err
	}
	told := func() {
		fmt.Fprintln(os.Stderr, "Berth is reading the folder once, since it has no index yet; Ctrl-C stops.")
	}
	return core.ForCommand(told), core.Close, nil
}

// collect does what distribution's garbage-collect does.
func collect(ctx context.Context, w cli.Where, o app.CollectOptions) error {
	cfg, err := load(w)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	return app.CollectAlone(ctx, app.Options{Config: cfg, Logger: log, Version: build().Version}, o)
}

// instance opens the data folder to serve it. A command may have the folder
// for a moment, or an instance that is ending: it waits for them a little, but
// not for an instance that answers. Access gets the access log, unless the
// configuration is against it; nil means none.
func instance(ctx context.Context, w cli.Where, access io.Writer) (*running, error) {
	cfg, err := load(w)
	if err != nil {
		return nil, err
	}
	if err := app.CheckAddress(ctx, cfg); err != nil {
		return nil, err
	}
	r := &running{}
	r.log, r.closeLog = app.OpenLog(os.Stderr, cfg)
	o := app.Options{Config: cfg, Logger: r.log, Version: build().Version, Control: control.Open, AccessLog: access}
	for try := 1; ; try++ {
		var err error
		r.Core, err = app.Open(ctx, o)
		if err == nil {
			return r, nil
		}
		if p, ok := errors.AsType[*app.Problem](err); !ok || p.Code != "data_locked" || try == lockTries || answers(ctx, cfg) {
			return nil, errors.Join(err, r.closeLog())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), r.closeLog())
		case <-time.After(lockPause):
		}
	}
}

// running is an instance with its log, which is closed after it.
type running struct {
	*app.Core
	log      *slog.Logger
	closeLog func() error
}

// Close closes both.
func (r *running) Close() error { return errors.Join(r.Core.Close(), r.closeLog()) }

// How long instance waits for a folder that is in use.
const (
	lockTries = 30
	lockPause = 100 * time.Millisecond
)

// answers says whether an instance serves the data folder.
func answers(ctx context.Context, cfg *config.Config) bool {
	client, err := control.Dial(ctx, cfg.Data())
	return err == nil && client.Close() == nil
}

// serve runs the registry until ctx ends.
func serve(ctx context.Context, w cli.Where, ready func(app.Status)) error {
	signal.Ignore(syscall.SIGPIPE) // a registry goes on when nobody reads its access log any more
	core, err := instance(ctx, w, os.Stdout)
	if err != nil {
		return err
	}
	return run(ctx, core, ready)
}

// run runs an instance to its end, and closes it.
func run(ctx context.Context, core *running, ready func(app.Status)) error {
	ended := make(chan struct{})
	told := make(chan struct{})
	go func() {
		defer close(told)
		select {
		case <-core.Ready():
			if s, err := core.Status(context.WithoutCancel(ctx), app.StatusRequest{}); err == nil {
				ready(s)
			}
			giveBack(core.log, ended)
		case <-ended:
		}
	}()
	err := core.Run(ctx)
	close(ended)
	<-told
	return errors.Join(err, core.Close())
}

// startIsOver is how long after the registry answers its memory is given back.
const startIsOver = time.Second

func giveBack(log *slog.Logger, ended <-chan struct{}) {
	select {
	case <-ended:
	case <-time.After(startIsOver):
		if err := app.GiveBack(); err != nil {
			log.Debug("what the start needed stays in memory", "error", err)
		}
	}
}

// window shows the faces of the desktop: over the running instance, if there is
// one, else over one of its own.
func window(ctx context.Context, w cli.Where, background bool) error {
	s, closeService, err := dial(ctx, w)
	if err == nil {
		return errors.Join(attach(ctx, s, background), closeService())
	}
	if !errors.Is(err, cli.ErrNoInstance) {
		return err
	}
	core, err := instance(ctx, w, nil)
	if p, ok := errors.AsType[*app.Problem](err); ok && p.Code == "data_locked" {
		// Two clicks on the launcher: the first is answering by now.
		if s, closeService, failed := dial(ctx, w); failed == nil {
			return errors.Join(attach(ctx, s, background), closeService())
		}
	}
	if err != nil {
		return err
	}
	if err := ui.Available(); err != nil {
		sayNoFace(err)
		return run(ctx, core, sayAddress)
	}
	return faces(ctx, core, w, background)
}

// attachOnly is the window of an instance that started this process for it. It
// never owns the folder: when the instance is gone, so is the window.
func attachOnly(ctx context.Context, w cli.Where) error {
	s, closeService, err := dial(ctx, w)
	if errors.Is(err, cli.ErrNoInstance) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(attach(ctx, s, false), closeService())
}

// attach raises the window of the running instance, or shows one here.
func attach(ctx context.Context, s app.Service, background bool) error {
	if background {
		status, err := s.Status(ctx, app.StatusRequest{})
		if err == nil {
			fmt.Fprintln(os.Stderr, "berth: already running at "+status.Address)
		}
		return err
	}
	reply, err := s.OpenWindow(ctx, app.OpenWindowRequest{})
	if err != nil || reply.Raised {
		return err
	}
	err = ui.Run(ctx, ui.Options{Service: s, Window: true, Attached: true, Version: build().Version})
	if errors.Is(err, ui.ErrNoDisplay) || errors.Is(err, ui.ErrHeadless) || errors.Is(err, ui.ErrNoGL) {
		return &app.Problem{
			Code: "no_window", Severity: "error", Title: "No window can be shown here", Text: err.Error() + ".",
			Fix: "Berth is running; ask it on the command line:", Command: "berth status", Exit: 1,
		}
	}
	return err
}

// faces runs an instance with window and tray. The faces have the main
// goroutine, as the desktop demands. When they cannot be shown, the registry
// goes on without.
func faces(ctx context.Context, core *running, w cli.Where, background bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	shown, hide := context.WithCancel(ctx)
	defer hide()
	result := make(chan error, 1)
	go func() {
		result <- run(ctx, core, sayAddress)
		hide()
	}()
	// What cannot serve shows no face first, but a slow start does.
	select {
	case <-core.Ready():
	case <-shown.Done():
		return <-result
	case <-time.After(startPatience):
	}
	err := ui.Run(shown, ui.Options{
		Service: core.Core, Window: !background, Tray: true, Background: background,
		OpenWindow: func() {
			if shown.Err() == nil {
				spawn(core.log, w)
			}
		},
		Logger: core.log, Version: build().Version,
	})
	if err != nil && shown.Err() == nil {
		sayNoFace(err)
	} else {
		cancel()
	}
	return <-result
}

// startPatience is how long faces wait for the registry.
const startPatience = 2 * time.Second

// spawn starts a window in a process of its own, which attaches to this one.
func spawn(log *slog.Logger, w cli.Where) {
	program, err := os.Executable()
	if err != nil {
		log.Error("window cannot start", "error", err)
		return
	}
	cmd := exec.Command(program, spawnArgs(w)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		log.Error("window cannot start", "error", err)
		return
	}
	go func() {
		if err := cmd.Wait(); err != nil {
			log.Warn("window ended", "error", err)
		}
	}()
}

// spawnArgs is the command line of a window that attaches to this instance. The
// environment, which may name a config.yml, goes along by itself.
func spawnArgs(w cli.Where) []string {
	args := []string{"--attach"}
	if w.Data != "" {
		args = append(args, "--data", w.Data)
	}
	if w.Addr != "" {
		args = append(args, "--addr", w.Addr)
	}
	return args
}

func sayAddress(s app.Status) {
	fmt.Fprintln(os.Stderr, "berth: ready at "+s.Address)
	if s.PortNotice != nil {
		fmt.Fprintln(os.Stderr, "berth: "+s.PortNotice.Error())
	}
}

// sayNoFace is the one line about a desktop that is not there.
func sayNoFace(err error) {
	if errors.Is(err, ui.ErrNoDisplay) {
		fmt.Fprintln(os.Stderr, "berth: "+app.NoWindow().Title+".")
		return
	}
	fmt.Fprintln(os.Stderr, "berth: "+strings.TrimSuffix(err.Error(), ".")+"; the registry runs without it.")
}
