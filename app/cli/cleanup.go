package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"berth/app"
)

// mostRepositories is how many a plan shows to people.
const mostRepositories = 10

// cleanupFlags are those of berth cleanup.
type cleanupFlags struct {
	grace                                  time.Duration
	now, dry, keepUntagged, rules, history bool
}

func (p *program) cleanup() *cobra.Command {
	var f cleanupFlags
	c := &cobra.Command{
		Use:   "cleanup",
		Short: "Free what nothing needs, while pushes and pulls go on",
		Long: `Free what no tag, no image and nothing in the trash needs, while pushes and
pulls go on. The plan comes first: how much would go, from where, why, and what
stays. On a terminal you are asked then; Ctrl-C ends it between two steps, and
the receipt says what was done until then.

Deleted and overwritten tags are in the trash first: berth trash empty lets go
of them. Garbage must be as old as berth.cleanup.grace; --grace 0s takes all of
it, but for what a client was just promised.`,
		Example: "  berth cleanup\n  berth cleanup --dry-run\n  berth cleanup --now --grace 0s",
		Args:    want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var grace *time.Duration
			if cmd.Flags().Changed("grace") {
				grace = &f.grace
			}
			switch {
			case f.grace < 0:
				return usage(cmd, "--grace cannot be negative")
			case f.dry && f.now:
				return usage(cmd, "--dry-run frees nothing, and --now does; choose one")
			case f.history:
				return p.with(cmd, p.cleanups)
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error { return p.cleanUp(ctx, s, f, grace) })
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := c.Flags()
	flags.BoolVarP(&f.dry, "dry-run", "n", false, "show the plan, and free nothing")
	flags.BoolVarP(&f.now, "now", "y", false, "do not ask")
	flags.DurationVar(&f.grace, "grace", 0, "how old garbage must be, such as 30m or 0s (default berth.cleanup.grace)")
	flags.BoolVar(&f.keepUntagged, "keep-untagged", false, "leave manifests that have no tag")
	flags.BoolVar(&f.rules, "rules", false, "apply the rules first; what they drop goes to the trash")
	flags.BoolVar(&f.history, "history", false, "list past clean-ups, and when the next is due")
	return c
}

// cleanUp shows a plan, asks, and carries it out.
func (p *program) cleanUp(ctx context.Context, s app.Service, f cleanupFlags, grace *time.Duration) error {
	plan, err := s.PlanCleanup(ctx, app.PlanCleanupRequest{Grace: grace, KeepUntagged: f.keepUntagged})
	if err != nil {
		return err
	}
	if f.dry {
		return p.print(plan, func() error { return p.printPlan(plan) })
	}
	if !p.json {
		if err := p.printPlan(plan); err != nil {
			return err
		}
		if !f.rules && plan.Frees == 0 && plan.Blobs+plan.Manifests+plan.Links+plan.Uploads == 0 {
			return nil
		}
		if p.In != nil && !f.now && !p.agreed(ctx, fmt.Sprintf("Free %s now?", size(plan.Frees))) {
			_, err := fmt.Fprintln(p.Err, "Nothing was freed.")
			return err
		}
	}
	started, err := s.RunCleanup(ctx, app.RunCleanupRequest{Plan: plan.ID, Rules: f.rules})
	if err != nil {
		return err
	}
	j, err := p.waitFor(ctx, s, started.ID, p.display())
	if err != nil {
		return err
	}
	return p.cleaned(j)
}

// cleaned prints the receipt, however the job ended.
func (p *program) cleaned(j app.Job) error {
	if j.Receipt != nil {
		if err := p.print(j.Receipt, func() error { return p.printReceipt(*j.Receipt) }); err != nil {
			return err
		}
	}
	switch {
	case j.State == app.JobFailed && j.Problem != nil:
		return j.Problem
	case j.State != app.JobDone:
		return &app.Problem{
			Code: "cancelled", Severity: "error", Exit: exitError, Title: "The clean-up was cancelled",
			Text: "What was freed until then is gone; the rest is as it was.", Fix: "To go on:", Command: "berth cleanup",
		}
	}
	return nil
}

// agreed asks a person; no answer is a yes, the end of the input is a no.
func (p *program) agreed(ctx context.Context, question string) bool {
	fmt.Fprint(p.Err, question+" [Y/n] ")
	answers := make(chan string, 1)
	go func() {
		answer, err := bufio.NewReader(p.In).ReadString('\n')
		if err != nil {
			answer = "n"
		}
		answers <- strings.ToLower(strings.TrimSpace(answer))
	}()
	select {
	case answer := <-answers:
		return answer == "" || answer == "y" || answer == "yes"
	case <-ctx.Done():
		fmt.Fprintln(p.Err)
		return false
	}
}

// things counts what went or would go.
func things(blobs, manifests, links, uploads int) string {
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{{blobs, "blob", "blobs"}, {manifests, "manifest", "manifests"}, {links, "link", "links"}, {uploads, "upload", "uploads"}} {
		if part.n > 0 {
			parts = append(parts, plural64(int64(part.n), part.one, part.many))
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func (p *program) printPlan(plan app.CleanupPlan) error {
	var b strings.Builder
	if plan.Blobs+plan.Manifests+plan.Links+plan.Uploads == 0 {
		b.WriteString("Nothing can be freed now.\n")
	} else {
		fmt.Fprintf(&b, "A clean-up frees %s: %s\n", size(plan.Frees), things(plan.Blobs, plan.Manifests, plan.Links, plan.Uploads))
		t := table{head: []string{">FREES", ">COUNT", "WHY"}}
		for _, r := range plan.Why {
			t.add(size(r.Bytes), humanize.Comma(int64(r.Count)), r.Text)
		}
		b.WriteString("\n")
		if err := t.write(&b); err != nil {
			return err
		}
	}
	if n := len(plan.Repositories); n > 0 {
		t := table{head: []string{">FREES", ">MANIFESTS", ">BLOBS", "REPOSITORY"}}
		for _, r := range plan.Repositories[:min(n, mostRepositories)] {
			t.add(size(r.Bytes), humanize.Comma(int64(r.Manifests)), humanize.Comma(int64(r.Blobs)), r.Name)
		}
		b.WriteString("\n")
		if err := t.write(&b); err != nil {
			return err
		}
		if n > mostRepositories {
			fmt.Fprintf(&b, "and %s more\n", humanize.Comma(int64(n-mostRepositories)))
		}
	}
	t := table{head: []string{">STAYS", ">COUNT", "WHY"}}
	t.add(size(plan.InUse), "", "images need it")
	for _, r := range plan.Stays {
		t.add(size(r.Bytes), humanize.Comma(int64(r.Count)), r.Text)
	}
	b.WriteString("\n")
	if err := t.write(&b); err != nil {
		return err
	}
	if _, err := fmt.Fprint(p.Out, b.String()); err != nil {
		return err
	}
	p.printProblems("Left alone", plan.Problems)
	return nil
}

func (p *program) printProblems(what string, problems []string) {
	for _, text := range problems {
		fmt.Fprintf(p.Err, "%s: %s\n", what, text)
	}
}

func (p *program) printReceipt(r app.CleanupReceipt) error {
	line := fmt.Sprintf("Freed %s: %s", size(r.Freed), things(r.Blobs, r.Manifests, r.Links, r.Uploads))
	if took := r.Ended.Sub(r.Began).Round(100 * time.Millisecond); took > 0 {
		line += ", in " + took.String()
	}
	if r.Dropped > 0 {
		line += "\nDropped by rules, into the trash: " + plural(r.Dropped, "tag", "tags")
	}
	for _, k := range r.Kept {
		line += fmt.Sprintf("\nKept %s: %s", strings.TrimPrefix(fmt.Sprintf("%s, %s", humanize.Comma(int64(k.Count)), size(k.Bytes)), "0, "), k.Text)
	}
	_, err := fmt.Fprintln(p.Out, line)
	p.printProblems("Not done", r.Problems)
	return err
}

// cleanups lists past ones.
func (p *program) cleanups(ctx context.Context, s app.Service) error {
	reply, err := s.Cleanups(ctx, app.CleanupsRequest{})
	if err != nil {
		return err
	}
	return p.print(reply, func() error {
		if len(reply.Receipts) == 0 {
			fmt.Fprintln(p.Err, "Nothing was cleaned up yet.")
		} else {
			t := table{head: []string{"WHEN", "BY", ">FREED", ">BLOBS", ">MANIFESTS", ">UPLOADS", "TOOK", "HOW IT ENDED"}}
			for _, r := range reply.Receipts {
				t.add(p.ago(r.Began), r.By, size(r.Freed), humanize.Comma(int64(r.Blobs)), humanize.Comma(int64(r.Manifests)),
					humanize.Comma(int64(r.Uploads)), r.Ended.Sub(r.Began).Round(100*time.Millisecond).String(), outcome(r))
			}
			if err := t.write(p.Out); err != nil {
				return err
			}
		}
		next := "none, the schedule is " + reply.Schedule
		if !reply.Next.IsZero() {
			next = reply.Next.Local().Format("Mon 2006-01-02 15:04") + ", " + reply.Schedule
		}
		fmt.Fprintln(p.Err, "Next: "+next)
		return nil
	})
}

func outcome(r app.CleanupReceipt) string {
	switch {
	case r.Cancelled:
		return "cancelled"
	case len(r.Problems) > 0:
		return plural(len(r.Problems), "problem", "problems")
	}
	return "done"
}
