package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"berth/app"
	"berth/app/config"
)

// Where says which data folder and which address are meant, as given on the
// command line; an empty field leaves the choice to configuration.
type Where struct {
	// Config is the path of a config.yml.
	Config string
	// Data is the storage root.
	Data string
	// Addr is the address to listen at, such as "127.0.0.1:0".
	Addr string
	// Make says that a folder that is not there yet may be made.
	Make bool
}

// Deps is what the verbs need of the outside.
type Deps struct {
	// Version is the version of the program.
	Version Version
	// Dial reaches the instance that owns the data folder. It fails with
	// ErrNoInstance when there is none. The function it gives ends the
	// connection.
	Dial func(ctx context.Context, w Where) (app.Service, func() error, error)
	// Open opens the data folder in this process, without listening; the
	// function it gives lets go of the folder.
	Open func(ctx context.Context, w Where) (app.Service, func() error, error)
	// Serve runs the registry until ctx ends, calling ready once it answers.
	Serve func(ctx context.Context, w Where, ready func(app.Status)) error
	// Window runs the face of the desktop until it is quit: window and tray,
	// or the tray alone when background is set.
	Window func(ctx context.Context, w Where, background bool) error
	// Attach shows a window of the running instance, and does nothing when
	// there is none.
	Attach func(ctx context.Context, w Where) error
	// Collect does what distribution's garbage-collect does, on a folder that
	// no instance owns.
	Collect func(ctx context.Context, w Where, o app.CollectOptions) error
	// Load reads the configuration and starts nothing.
	Load func(w Where) (*config.Config, error)

	// Out takes results, Err everything else.
	Out, Err io.Writer
	// Terminal is true when a person watches Err, so that it may hold a bar.
	Terminal bool
	// In is where a person types answers; nil when nobody does, so that what
	// cannot be undone needs --yes.
	In io.Reader
	// Now is the clock for relative dates; nil means time.Now.
	Now func() time.Time
}

// Version says which build this is.
type Version struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Window  bool   `json:"window"`
}

// program is one run of the command line.
type program struct {
	Deps
	where      Where
	json       bool
	background bool
	attach     bool
}

// Run executes one command line, without the name of the program, and gives
// the exit code. What went wrong has been printed.
func Run(ctx context.Context, d Deps, args []string) int {
	if d.Now == nil {
		d.Now = time.Now
	}
	p := &program{Deps: d}
	root := p.root()
	root.SetArgs(args)
	root.SetErr(d.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	// A bad flag ends parsing before --json is seen.
	for _, a := range args {
		p.json = p.json || a == "--json"
	}
	return p.report(err)
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "berth",
		Short: "A container registry for your desktop",
		Long: `Berth is a container registry with a window and a tray icon.

Without a command, berth shows its window and tray; when Berth runs already,
it raises the window that is there. A command works with the running Berth,
or, when none runs, directly on the data folder.`,
		Example: `  berth                                  window, tray and registry
  berth push app:dev                     push a local Docker image
  berth ls                               what is in the registry
  berth serve --addr 127.0.0.1:5000      the registry alone, for a server`,
		Args:          unknownCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.attach {
				return p.Attach(cmd.Context(), p.where)
			}
			return p.Window(cmd.Context(), p.where, p.background)
		},
	}
	all := root.PersistentFlags()
	all.StringVar(&p.where.Data, "data", "", "storage root (default $BERTH_DATA, else the user's data folder)")
	all.BoolVar(&p.json, "json", false, "print JSON")
	flags := root.Flags()
	flags.BoolVar(&p.background, "background", false, "registry and tray only; the window opens on demand")
	flags.StringVar(&p.where.Addr, "addr", "", "address to listen at (default localhost:5000)")
	flags.BoolVar(&p.attach, "attach", false, "a window of the running instance, and nothing without one")
	if err := flags.MarkHidden("attach"); err != nil {
		panic(err) // the line above defines it
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, flagText(err)) })
	root.AddGroup(
		&cobra.Group{ID: "images", Title: "Images:"},
		&cobra.Group{ID: "upkeep", Title: "Space and order:"},
		&cobra.Group{ID: "engine", Title: "Docker and files:"},
		&cobra.Group{ID: "program", Title: "The program:"},
	)
	group(root, "images", p.ls(), p.tags(), p.inspect(), p.tag(), p.rm(), p.trash(), p.restore())
	group(root, "upkeep", p.upkeep()...)
	group(root, "engine", p.local(), p.push(), p.pull(), p.importer(), p.jobs())
	group(root, "program", p.serve(), p.open(), p.status(), p.health(), p.watch(), p.quit(), p.config(), p.version())
	root.SetHelpCommandGroupID("program")
	root.SetCompletionCommandGroupID("program")
	root.SetOut(p.Out) // the completions keep what is set when they are made
	refuseUnknownShell(root)
	return root
}

func group(root *cobra.Command, id string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = id
		root.AddCommand(c)
	}
}
