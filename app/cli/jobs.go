package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) jobs() *cobra.Command {
	c := &cobra.Command{
		Use:   "jobs",
		Short: "List running and recent pushes, pulls and imports",
		Args:  want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Jobs(ctx, app.JobsRequest{})
				if err != nil {
					return err
				}
				return p.print(reply, func() error { return p.printJobs(reply) })
			})
		},
	}
	c.AddCommand(&cobra.Command{
		Use:   "cancel ID",
		Short: "Stop a job",
		Args:  want(1, 1, "the ID of a job"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.running(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Cancel(ctx, app.CancelRequest{ID: args[0]})
				if err != nil {
					return err
				}
				return p.print(reply, func() error {
					_, err := fmt.Fprintf(p.Out, "%s %s: %s\n", verbs[reply.Job.Kind].noun, reply.Job.Title, reply.Job.State)
					return err
				})
			})
		},
	})
	return c
}

func (p *program) printJobs(reply app.JobsReply) error {
	if len(reply.Jobs) == 0 {
		fmt.Fprintln(p.Err, "Nothing is running, and nothing ran lately.")
		return nil
	}
	t := table{head: []string{"ID", "JOB", "IMAGE", "STATE", ">DONE", "STARTED", "PROBLEM"}}
	for _, j := range reply.Jobs {
		problem := ""
		if j.Problem != nil {
			problem = j.Problem.Title
		}
		t.add(j.ID, string(j.Kind), j.Title, string(j.State), percent(j), p.ago(j.Started), problem)
	}
	return t.write(p.Out)
}

func percent(j app.Job) string {
	switch {
	case j.State == app.JobDone:
		return "100 %"
	case j.Total <= 0:
		return "-"
	}
	return fmt.Sprintf("%d %%", min(99, j.Done*100/j.Total))
}
