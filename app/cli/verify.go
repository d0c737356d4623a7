package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"berth/app"
	"berth/app/config"
)

func (p *program) verify() *cobra.Command {
	var r app.VerifyRequest
	var rate string
	var status, detach bool
	c := &cobra.Command{
		Use:   "verify",
		Short: "Read every blob again, and check every link",
		Long: `Read every blob again and compare it with its digest, then check that every
link leads somewhere and that each image has all its parts. Pushes and pulls go
on meanwhile. A damaged blob is moved into the quarantine and counts as missing,
so that the next push brings it back; nothing is deleted.

Ctrl-C pauses; the next berth verify goes on from there, also after a restart.
The exit code is 0 when everything is sound, and 1 when something was found;
berth repair mends it.`,
		Example: "  berth verify\n  berth verify --rate max\n  berth verify --status",
		Args:    want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if r.Rate, err = parseRate(cmd, rate); err != nil {
				return err
			}
			switch {
			case status && (detach || r.Restart || r.LookOnly || rate != ""):
				return usage(cmd, "--status only looks, and goes with no other flag")
			case status:
				return p.with(cmd, func(ctx context.Context, s app.Service) error { return p.verified(ctx, s) })
			case detach:
				return p.running(cmd, func(ctx context.Context, s app.Service) error { return p.verifyDetached(ctx, s, r) })
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error { return p.runVerify(ctx, s, r) })
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := c.Flags()
	f.BoolVar(&r.Restart, "restart", false, "begin anew, also where an earlier one was paused")
	f.StringVar(&rate, "rate", "", "how much is read a second, such as 64MB, or max (default berth.verify.rate)")
	f.BoolVar(&r.LookOnly, "look-only", false, "leave damaged blobs where they are")
	f.BoolVar(&status, "status", false, "show what the last one found, or how far it is")
	f.BoolVar(&detach, "detach", false, "start it in the running Berth, and do not wait")
	return c
}

// parseRate reads bytes a second; max is -1, and nothing is 0.
func parseRate(cmd *cobra.Command, s string) (int64, error) {
	switch s {
	case "":
		return 0, nil
	case "max":
		return -1, nil
	}
	n, err := config.ParseRate(s)
	if err != nil {
		return 0, usage(cmd, err.Error()+", or max")
	}
	return n, nil
}

func (p *program) verifyDetached(ctx context.Context, s app.Service, r app.VerifyRequest) error {
	started, err := s.Verify(ctx, r)
	if err != nil {
		return err
	}
	return p.print(started, func() error {
		_, err := fmt.Fprintf(p.Out, "The verification runs as job %s\nTo see how far it is: berth verify --status\nTo pause it: berth jobs cancel %s\n", started.ID, started.ID)
		return err
	})
}

// runVerify verifies, shows how far it is, and then what was found.
func (p *program) runVerify(ctx context.Context, s app.Service, r app.VerifyRequest) error {
	started, err := s.Verify(ctx, r)
	if err != nil {
		return err
	}
	show := p.display()
	if l, ok := show.(*lines); ok {
		show = &tenths{p: l.p, said: -1}
	}
	j, err := p.waitFor(ctx, s, started.ID, show)
	switch {
	case err != nil:
		return err
	case j.State == app.JobFailed && j.Problem != nil:
		return j.Problem
	case j.State != app.JobDone:
		return &app.Problem{
			Code: "paused", Severity: "warning", Exit: exitError, Title: "The verification is paused",
			Text: "Blobs that were read whole (" + percent(j) + ") are not read again; one that was being read begins anew.", Fix: "To go on:", Command: "berth verify",
		}
	}
	return p.verified(ctx, s)
}

// verified prints the last verification; findings are a problem, for the exit
// code.
func (p *program) verified(ctx context.Context, s app.Service) error {
	v, err := s.Verification(ctx, app.VerificationRequest{})
	if err != nil {
		return err
	}
	if err := p.print(v, func() error { return p.printVerification(v) }); err != nil {
		return err
	}
	n := len(v.Findings) + v.Cut
	if n == 0 {
		return nil
	}
	problem := &app.Problem{
		Code: "findings", Severity: "error", Exit: exitError, Title: plural(n, "thing is wrong", "things are wrong"), Text: "Nothing was deleted.",
	}
	if slices.ContainsFunc(v.Findings, func(f app.Finding) bool { return len(f.Fixes) > 0 }) {
		problem.Fix, problem.Command = "To mend what can be mended:", "berth repair"
	}
	if len(v.Findings) == 0 {
		problem.Fix, problem.Command = "What was listed is mended. To list the rest:", "berth verify --restart"
	}
	return problem
}

func (p *program) printVerification(v app.Verification) error {
	var b strings.Builder
	b.WriteString(p.verificationLine(v) + "\n")
	if len(v.Quarantined) > 0 {
		var bytes int64
		for _, q := range v.Quarantined {
			bytes += q.Size
		}
		fmt.Fprintf(&b, "In the quarantine: %s, %s\n", plural(len(v.Quarantined), "damaged blob", "damaged blobs"), size(bytes))
	}
	if len(v.Findings) > 0 {
		b.WriteString("\n")
		t := table{head: []string{"ID", "IMAGE", "HELPS", "WHAT IS WRONG"}}
		for _, f := range v.Findings {
			t.add(f.ID, findingName(f), helps(f), f.Text)
		}
		if err := t.write(&b); err != nil {
			return err
		}
	}
	if v.Cut > 0 {
		fmt.Fprintf(&b, "and %s more, which are not listed here\n", humanize.Comma(int64(v.Cut)))
	}
	_, err := fmt.Fprint(p.Out, b.String())
	return err
}

// verificationLine says in a sentence how it stands.
func (p *program) verificationLine(v app.Verification) string {
	blobs, bytes := humanize.Comma(v.Blobs), size(v.Bytes)
	read := fmt.Sprintf("%s of %s blobs read, %s of %s", blobs, humanize.Comma(v.TotalBlobs), bytes, size(v.TotalBytes))
	switch v.State {
	case app.VerifyNever:
		return "Nothing was verified yet. To read everything again: berth verify"
	case app.VerifyRunning:
		return fmt.Sprintf("Verifying since %s: %s", p.ago(v.Started), read)
	case app.VerifyPaused:
		if v.Interrupted {
			return p.interruptedLine(v, read)
		}
		return fmt.Sprintf("Paused: %s. To go on: berth verify", read)
	}
	what := fmt.Sprintf("%s (%s) and %s in %s verified, %s", plural64(v.Blobs, "blob", "blobs"), bytes,
		plural64(v.Links, "link", "links"), plural64(v.Repositories, "repository", "repositories"), p.ago(v.Ended))
	switch {
	case len(v.Findings)+v.Cut > 0:
		return what
	case !v.Complete:
		return what + "; some of it could not be looked at"
	}
	return "All " + what + "; nothing missing, nothing damaged"
}

// interruptedLine is about one that nobody paused.
func (p *program) interruptedLine(v app.Verification, read string) string {
	if v.TotalBlobs == 0 {
		read = "it had just begun"
	}
	if v.Resumes.IsZero() {
		return fmt.Sprintf("Interrupted by the end of Berth: %s. It goes on by itself when Berth runs. To go on now: berth verify", read)
	}
	in := max(1, int(v.Resumes.Sub(p.Now()).Round(time.Second)/time.Second))
	return fmt.Sprintf("Interrupted by the end of Berth: %s. It goes on by itself in %s", read, plural(in, "second", "seconds"))
}

func plural64(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(n) + " " + many
}

func findingName(f app.Finding) string {
	switch {
	case f.Repository == "":
		return "-"
	case f.Tag == "":
		return f.Repository
	}
	return f.Repository + ":" + f.Tag
}

func helps(f app.Finding) string {
	if len(f.Fixes) == 0 {
		return "-"
	}
	words := make([]string, len(f.Fixes))
	for i, fix := range f.Fixes {
		words[i] = string(fix)
	}
	return strings.Join(words, ", ")
}

// tenths is what goes to a file or a pipe of a job that lasts: a line for each
// tenth of it.
type tenths struct {
	p    *program
	said int64
}

func (t *tenths) update(j app.Job) {
	tenth := int64(0)
	if j.Total > 0 {
		tenth = min(10, j.Done*10/j.Total)
	}
	if j.State != app.JobRunning || tenth <= t.said {
		return
	}
	t.said = tenth
	fmt.Fprintf(t.p.Err, "%s %s: %s, %d %%\n", verbs[j.Kind].doing, j.Title, orDefault(j.Note, "started"), tenth*10)
}

func (t *tenths) end() {}
