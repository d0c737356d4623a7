package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
)

// statusReply is what status prints. A data folder that was opened for the
// length of this command is not a running registry.
type statusReply struct {
	app.Status
	Running bool `json:"running"`
}

func (p *program) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Say whether Berth runs, where it answers and what it holds",
		Args:  want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				snap, err := s.Snapshot(ctx, app.SnapshotRequest{})
				if err != nil {
					return err
				}
				status, err := s.Status(ctx, app.StatusRequest{})
				if err != nil {
					return err
				}
				reply := statusReply{Status: status, Running: len(status.Listening) > 0}
				return p.print(reply, func() error { return p.printStatus(reply, snap) })
			})
		},
	}
}

// wrong names the first of what is wrong, and says how many more there are.
func wrong(problems []app.Problem) string {
	switch len(problems) {
	case 0:
		return ""
	case 1:
		return ": " + problems[0].Title
	}
	return fmt.Sprintf(": %s, and %s", problems[0].Title, plural(len(problems)-1, "more problem", "more problems"))
}

func (p *program) printStatus(s statusReply, snap app.Snapshot) error {
	var b strings.Builder
	u := snap.Usage
	alarmed := s.State == app.StateWarning
	field := func(name, value string) { fmt.Fprintf(&b, "%-12s %s\n", name, value) }
	if s.Running {
		state := string(s.State)
		if alarmed {
			state += wrong(snap.Problems)
		}
		field("State", state)
		field("Address", s.Address)
		field("Listening", strings.Join(s.Listening, " "))
		field("Process", fmt.Sprintf("%d, started %s", s.PID, p.ago(s.Started)))
		if s.Uploads > 0 {
			field("Uploads", fmt.Sprint(s.Uploads))
		}
	} else {
		field("State", "not running")
	}
	field("Data", s.Data)
	field("Holds", fmt.Sprintf("%s, %s, %s", plural(u.Repositories, "repository", "repositories"), plural(u.Tags, "tag", "tags"), size(u.Used)))
	if u.Trash > 0 {
		field("Trash", size(u.Trash))
	}
	if u.Total > 0 {
		field("Disk", fmt.Sprintf("%s free of %s", size(u.Free), size(u.Total)))
	}
	field("Version", s.Version)
	if _, err := fmt.Fprint(p.Out, b.String()); err != nil {
		return err
	}
	if alarmed {
		fmt.Fprintln(p.Err, "What to do about it: berth health")
	}
	if s.PortNotice != nil {
		fmt.Fprintln(p.Err, s.PortNotice.Title)
		p.printDetails(s.PortNotice)
	}
	return nil
}

func (p *program) health() *cobra.Command {
	return &cobra.Command{
		Use:   "health",
		Short: "List what is wrong and how to fix it",
		Args:  want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Health(ctx, app.HealthRequest{})
				if err != nil {
					return err
				}
				return p.print(reply, func() error {
					if len(reply.Problems) == 0 {
						_, err := fmt.Fprintln(p.Out, "All is well.")
						return err
					}
					for _, problem := range reply.Problems {
						if _, err := fmt.Fprintf(p.Out, "%s: %s\n", orDefault(problem.Severity, "error"), problem.Title); err != nil {
							return err
						}
						p.printDetails(&problem)
					}
					return nil
				})
			})
		},
	}
}

func (p *program) watch() *cobra.Command {
	return &cobra.Command{
		Use:   "watch",
		Short: "Print a line for each thing that changes",
		Args:  want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.running(cmd, func(ctx context.Context, s app.Service) error {
				for n, err := range s.Watch(ctx, app.WatchRequest{}) {
					if ctx.Err() != nil {
						return nil
					}
					if err != nil {
						return err
					}
					if err := p.print(n, func() error {
						_, err := fmt.Fprintln(p.Out, strings.TrimSpace(fmt.Sprintf("%-8s %s%s", n.Kind, n.Repository, n.Job)))
						return err
					}); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func (p *program) quit() *cobra.Command {
	return &cobra.Command{
		Use:   "quit",
		Short: "End the running Berth once uploads are done",
		Args:  want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.running(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Quit(ctx, app.QuitRequest{})
				if err != nil {
					return err
				}
				return p.print(reply, func() error {
					_, err := fmt.Fprintln(p.Out, "Berth is ending.")
					return err
				})
			})
		},
	}
}

func (p *program) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  want(0, 0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			v := p.Version
			return p.print(v, func() error {
				window := "with window"
				if !v.Window {
					window = "headless"
				}
				_, err := fmt.Fprintf(p.Out, "berth %s %s %s/%s %s\n", strings.TrimSpace(v.Version+" "+v.Commit), window, v.OS, v.Arch, v.Go)
				return err
			})
		},
	}
}
