package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) serve() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve [CONFIG.YML]",
		Short: "Run the registry alone, without window and tray",
		Long: `Run the registry until it is interrupted. One line with its address goes to
standard output once it answers, and then a line for each request, unless
log.accesslog.disabled is set; the log goes to standard error. A config.yml has
the form of the CNCF distribution registry; without one, the file that
$REGISTRY_CONFIGURATION_PATH names is read. REGISTRY_* variables override it.`,
		Example: `  berth serve --addr 127.0.0.1:0 --data /srv/berth
  berth serve /etc/distribution/config.yml
  berth config check /etc/distribution/config.yml`,
		Args: want(0, 1, "one config.yml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.where.Config = first(args)
			return p.Serve(cmd.Context(), p.where, p.ready)
		},
	}
	c.Flags().StringVar(&p.where.Addr, "addr", "", "address to listen at (default localhost:5000); port 0 takes a free one")
	return c
}

// ready prints the one line that a script waits for.
func (p *program) ready(s app.Status) {
	_ = p.print(s, func() error {
		_, err := fmt.Fprintf(p.Out, "berth is ready at %s\n", s.Address)
		return err
	})
	if s.PortNotice != nil && !p.json {
		fmt.Fprintln(p.Err, "berth: "+s.PortNotice.Title)
		p.printDetails(s.PortNotice)
	}
}

func (p *program) open() *cobra.Command {
	return &cobra.Command{
		Use:   "open",
		Short: "Raise the window of the running Berth",
		Args:  want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.running(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.OpenWindow(ctx, app.OpenWindowRequest{})
				if err != nil {
					return err
				}
				return p.print(reply, func() error {
					if !reply.Raised {
						fmt.Fprintln(p.Err, "The running Berth has no window; berth without a command attaches one.")
					}
					return nil
				})
			})
		},
	}
}
