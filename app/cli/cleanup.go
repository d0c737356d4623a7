package cli

import (
	"bufio"
	"context"
	"fmt"
	"slices"
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
	grace                                  string
	now, dry, keepUntagged, rules, history bool
}

func (p *program) cleanup() *cobra.Command {
	var f cleanupFlags
	c := &cobra.Command{
		Use:   "cleanup",
		Short: "Free what nothing needs, while pushes and pulls go on",
		Long: `Free what no tag, no image and nothing in the trash needs, while pushes and
pulls go on. The plan comes first: how much would go, from where, why, and what
stays. On a terminal you are asked then, elsewhere it goes ahead. Ctrl-C ends it
between two steps, and the receipt says what was done until then.

Deleted and overwritten tags are in the trash first: berth trash empty lets go
of them. Garbage must be as old as berth.cleanup.grace; --grace 0s takes all of
it, but for what a client was just promised.`,
		Example: "  berth cleanup\n  berth cleanup --dry-run\n  berth cleanup --now --grace 0s",
		Args:    want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			grace, err := f.age(cmd)
			switch {
			case err != nil:
				return err
			case f.dry && f.now:
				return usage(cmd, "--dry-run frees nothing, and --now does; choose one")
			case f.history && cmd.Flags().NFlag() > len(given(cmd, "history", "json", "data")):
				return usage(cmd, "--history only looks, and goes with no other flag")
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
	flags.StringVar(&f.grace, "grace", "", "how old garbage must be, such as 30m, 7d or 0s (default berth.cleanup.grace)")
	flags.BoolVar(&f.keepUntagged, "keep-untagged", false, "leave manifests that have no tag")
	flags.BoolVar(&f.rules, "rules", false, "apply the rules first; what they drop goes to the trash")
	flags.BoolVar(&f.history, "history", false, "list past clean-ups, and when the next is due")
	if err := c.RegisterFlagCompletionFunc("grace", cobra.NoFileCompletions); err != nil {
		panic(err) // the lines above define it
	}
	return c
}

// given are those of the flags that the command line has.
func given(cmd *cobra.Command, names ...string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return !cmd.Flags().Changed(name) })
}

// age is what --grace says; nil without it.
func (f *cleanupFlags) age(cmd *cobra.Command) (*time.Duration, error) {
	if !cmd.Flags().Changed("grace") {
		return nil, nil
	}
	age, err := app.ParseAge(f.grace)
	switch {
	case err != nil:
		return nil, usage(cmd, fmt.Sprintf("--grace wants an age such as 30m, 36h, 7d or 0s, not %q", f.grace))
	case age < 0:
		return nil, usage(cmd, "--grace cannot be negative")
	}
	return &age, nil
}

// plannedReply is what a dry run prints: with --rules, also what they drop.
type plannedReply struct {
	app.CleanupPlan
	Rules *app.RulePreview `json:"rules,omitempty"`
}

// cleanUp shows a plan, asks, and carries it out.
func (p *program) cleanUp(ctx context.Context, s app.Service, f cleanupFlags, grace *time.Duration) error {
	looked := p.patience("Looking at what can be freed ...")
	plan, err := s.PlanCleanup(ctx, app.PlanCleanupRequest{Grace: grace, KeepUntagged: f.keepUntagged})
	if looked(); err != nil {
		return err
	}
	reply := plannedReply{CleanupPlan: plan}
	if f.rules {
		preview, err := s.PreviewRules(ctx, app.PreviewRulesRequest{Measured: f.dry})
		if err != nil {
			return err
		}
		reply.Rules = &preview.All
	}
	if f.dry {
		return p.print(reply, func() error { return p.printPlan(reply) })
	}
	if !p.json {
		if err := p.printPlan(reply); err != nil {
			return err
		}
		if question := reply.question(); question == "" && !f.now {
			return nil
		} else if question != "" && p.In != nil && !f.now && !p.agreed(ctx, question) {
			return &app.Problem{Code: "not_agreed", Severity: "error", Title: "Nothing was freed", Exit: exitError}
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
	return p.cleaned(j, plan.Problems)
}

// patience says on a terminal what takes so long, once it does; the function
// that it gives ends that.
func (p *program) patience(text string) (end func()) {
	if !p.Terminal || p.json {
		return func() {}
	}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-time.After(time.Second):
			fmt.Fprintln(p.Err, text)
		case <-over:
		}
	}()
	return func() { close(over); <-done }
}

// cleaned prints the receipt, however the job ended. What the plan told is not
// told again.
func (p *program) cleaned(j app.Job, told []string) error {
	var failed []string
	if j.Receipt != nil {
		failed = failures(*j.Receipt, told)
		if err := p.print(j.Receipt, func() error { return p.printReceipt(*j.Receipt, failed) }); err != nil {
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
	case len(failed) > 0:
		return notFreed(failed)
	}
	return nil
}

// failures are the problems of a receipt that the plan did not have.
func failures(r app.CleanupReceipt, told []string) []string {
	return slices.DeleteFunc(slices.Clone(r.Problems), func(text string) bool { return slices.Contains(told, text) })
}

// notFreed is the problem of a clean-up that came to its end, but for some
// things that could not be removed.
func notFreed(failed []string) error {
	return &app.Problem{
		Code: "not_freed", Severity: "error", Exit: exitError,
		Title: plural(len(failed), "thing", "things") + " did not work", Text: "Everything else was done.",
		Fix: "See to the disk and the rights of the data folder, then go on:", Command: "berth cleanup",
	}
}

// question is what a person is asked; "" when there is nothing to do.
func (r plannedReply) question() string {
	var parts []string
	if r.Rules != nil && r.Rules.Tags+r.Rules.Manifests > 0 {
		parts = append(parts, "drop "+dropped(*r.Rules))
	}
	if !r.empty() {
		parts = append(parts, "free "+size(r.Frees))
	}
	if len(parts) == 0 {
		return ""
	}
	question := strings.Join(parts, " and ")
	return strings.ToUpper(question[:1]) + question[1:] + " now?"
}

func (r plannedReply) empty() bool { return r.Blobs+r.Manifests+r.CleanupPlan.Links+r.Uploads == 0 }

// dropped counts what rules drop.
func dropped(r app.RulePreview) string {
	var parts []string
	if r.Tags > 0 {
		parts = append(parts, plural64(int64(r.Tags), "tag", "tags"))
	}
	if r.Manifests > 0 {
		parts = append(parts, plural64(int64(r.Manifests), "manifest without a tag", "manifests without a tag"))
	}
	return strings.Join(parts, " and ")
}

// agreed asks a person; no answer is a yes, the end of the input is a no.
func (p *program) agreed(ctx context.Context, question string) bool {
	fmt.Fprint(p.Err, question+" [Y/n] ")
	answers := make(chan string, 1)
	go func() {
		answer, err := bufio.NewReader(p.In).ReadString('\n')
		if err != nil {
			fmt.Fprintln(p.Err) // nobody pressed Enter
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
	return strings.Join(parts, ", ")
}

func (p *program) printPlan(plan plannedReply) error {
	var b strings.Builder
	if r := plan.Rules; r != nil && r.Tags+r.Manifests > 0 {
		fmt.Fprintf(&b, "The rules drop %s first, into the trash: berth rules preview\n\n", dropped(*r))
	} else if r != nil {
		b.WriteString("The rules drop nothing now.\n\n")
	}
	if plan.empty() {
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
		count := ""
		if r.Count > 0 { // else it was not counted
			count = humanize.Comma(int64(r.Count))
		}
		t.add(size(r.Bytes), count, r.Text)
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

func (p *program) printReceipt(r app.CleanupReceipt, failed []string) error {
	line := "Freed nothing"
	if r.Blobs+r.Manifests+r.Links+r.Uploads > 0 {
		line = fmt.Sprintf("Freed %s: %s", size(r.Freed), things(r.Blobs, r.Manifests, r.Links, r.Uploads))
	}
	if took := r.Ended.Sub(r.Began).Round(100 * time.Millisecond); took > 0 {
		line += ", in " + took.String()
	}
	if r.Dropped > 0 {
		line += "\nThe rules dropped " + plural64(int64(r.Dropped), "tag", "tags") + ", into the trash."
	}
	if r.Attached > 0 {
		line += "\n" + attached(r) + " of freed images went to the trash."
	}
	for _, k := range r.Kept {
		line += fmt.Sprintf("\nKept %s, since %s", keptOf(k), k.Text)
	}
	_, err := fmt.Fprintln(p.Out, "\n"+line)
	p.printProblems("Not done", failed)
	return err
}

// attached counts the tags of signatures that went with what they stood beside.
func attached(r app.CleanupReceipt) string {
	return plural64(int64(r.Attached), "signature tag", "signature tags")
}

// keptOf is how much was kept for one reason.
func keptOf(k app.CleanupReason) string {
	count := plural64(int64(k.Count), "thing", "things")
	switch {
	case k.Count == 0:
		return size(k.Bytes)
	case k.Bytes == 0:
		return count
	}
	return size(k.Bytes) + " in " + count
}
