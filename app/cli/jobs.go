package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) jobs() *cobra.Command {
	c := &cobra.Command{
		Use:   "jobs",
		Short: "List what runs and what ran lately: pushes, pulls, imports, clean-ups",
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
					_, err := fmt.Fprintf(p.Out, "%s %s: %s\n", verbs[reply.Job.Kind].noun, what(reply.Job), reply.Job.State)
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
	t := table{head: []string{"ID", "JOB", "OF", "STATE", ">DONE", "STARTED", "HOW IT GOES"}}
	for _, j := range reply.Jobs {
		t.add(j.ID, kindOf(j.Kind), what(j), string(j.State), percent(j), p.ago(j.Started), going(j))
	}
	return t.write(p.Out)
}

// kindOf is what a person calls a kind of job.
func kindOf(k app.JobKind) string {
	switch k {
	case app.JobCleanup:
		return "clean-up"
	case app.JobVerify:
		return "verification"
	}
	return string(k)
}

// what says what a job works on.
func what(j app.Job) string {
	switch j.Kind { // the titles of these are for a window
	case app.JobRules:
		return "all tags"
	case app.JobCleanup:
		return "unused data"
	}
	return j.Title
}

// going says in a few words how far a job is, and what came of it. Done and
// Total of an application of rules are tags, and bytes otherwise.
func going(j app.Job) string {
	switch {
	case j.Problem != nil:
		return j.Problem.Title
	case j.State == app.JobRunning && j.Kind == app.JobRules && j.Total > 0:
		return fmt.Sprintf("looked at %s of %s", humanize.Comma(j.Done), plural64(j.Total, "tag", "tags"))
	case j.State == app.JobRunning && j.Total > 0:
		return strings.TrimPrefix(j.Note+", "+figures(j.Done, j.Total, j.Rate), ", ")
	case j.State == app.JobRunning:
		return j.Note
	case j.Receipt != nil && j.Kind == app.JobRules:
		return "dropped " + plural64(int64(j.Receipt.Dropped), "tag", "tags")
	case j.Receipt != nil:
		return came(*j.Receipt)
	case j.State == app.JobDone && len(j.Repairs) > 0:
		return repairs(j.Repairs)
	}
	return ""
}

// came says what came of a clean-up.
func came(r app.CleanupReceipt) string {
	text := "freed " + size(r.Freed)
	if how := outcome(r); how != "done" && how != "cancelled" {
		text += ", " + strings.TrimPrefix(strings.TrimPrefix(how, "done, "), "cancelled, ")
	}
	return text
}

func repairs(all []app.Repair) string {
	mended := 0
	for _, r := range all {
		if r.Problem == nil {
			mended++
		}
	}
	return fmt.Sprintf("mended %d of %s", mended, plural(len(all), "finding", "findings"))
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
