package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) repair() *cobra.Command {
	var r app.RepairRequest
	var fix string
	var yes bool
	c := &cobra.Command{
		Use:   "repair [FINDING...]",
		Short: "Mend what berth verify found",
		Long: `Mend what berth verify found: the findings named, or all that mend themselves.

Lost content is fetched by its digest, from the local Docker engine or, with
--from, from a registry that has it; what is not what its digest says is refused.
A path in the address is put before the repository's name, and name and password
can stand in it: https://NAME:PASSWORD@registry.example.com/team. Links are
written again from what is on disk.

A tag that names nothing is for you to decide: --fix relink brings its manifest
back, and --fix 'remove tag' moves the tag to the trash where the bytes of what
it names are on disk; otherwise it is removed for good.

--drop-quarantined cannot be undone: on a terminal it asks first, elsewhere it
needs --yes.`,
		Example: "  berth repair\n  berth repair --from https://registry.example.com\n  berth repair 3f2a90b1c7 --fix 'remove tag'\n  berth repair --drop-quarantined --yes",
		Args:    want(0, -1, "the IDs of berth verify --status"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Findings, r.Fix = args, app.Fix(fix)
			switch {
			case r.DropQuarantined && (len(args) > 0 || fix != "" || r.From != ""):
				return usage(cmd, "--drop-quarantined frees what lies aside, and goes with nothing else")
			case yes && !r.DropQuarantined:
				return usage(cmd, "--yes goes with --drop-quarantined: nothing else asks")
			case fix != "" && r.Fix != app.FixRefetch && r.Fix != app.FixRelink && r.Fix != app.FixRemoveTag:
				return usage(cmd, fmt.Sprintf("--fix is refetch, relink or 'remove tag', not %q", fix))
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				if r.DropQuarantined && !yes {
					if err := p.agreeToDrop(ctx, s); err != nil {
						return err
					}
				}
				return p.runRepair(ctx, s, r)
			})
		},
		ValidArgsFunction: p.completeFindings,
	}
	f := c.Flags()
	f.StringVar(&r.From, "from", "", "where lost content is fetched: docker (the default), or a registry's address")
	f.StringVar(&fix, "fix", "", "what to try: refetch, relink or 'remove tag' (default what helps best, but never to remove a tag)")
	f.BoolVar(&r.DropQuarantined, "drop-quarantined", false, "free the damaged blobs that lie aside, for good")
	f.BoolVar(&yes, "yes", false, "do not ask before --drop-quarantined")
	fixes := []string{string(app.FixRefetch), string(app.FixRelink), string(app.FixRemoveTag)}
	if err := c.RegisterFlagCompletionFunc("fix", cobra.FixedCompletions(fixes, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is defined above
	}
	return c
}

// agreeToDrop asks before what lies in the quarantine is freed, which is all that
// is left of what some findings miss. Nothing is asked when nothing lies there.
func (p *program) agreeToDrop(ctx context.Context, s app.Service) error {
	v, err := s.Verification(ctx, app.VerificationRequest{})
	if err != nil || len(v.Quarantined) == 0 {
		return err
	}
	aside, bytes, last := v.Aside()
	what := fmt.Sprintf("%s (%s) in the quarantine", plural(aside, "damaged blob", "damaged blobs"), size(bytes))
	why := "Freeing " + what + " cannot be undone."
	if last > 0 {
		lose := plural(last, "open finding loses its last copy, damaged as it is", "open findings lose their last copies, damaged as they are")
		if v.Cut > 0 {
			lose += "; more findings are not listed"
		}
		why += " " + lose + "."
		if p.In != nil {
			fmt.Fprintf(p.Err, "%s.\n", lose)
		}
	}
	return p.agree("Free "+what+" for good?", why)
}

func (p *program) runRepair(ctx context.Context, s app.Service, r app.RepairRequest) error {
	started, err := s.Repair(ctx, r)
	if err != nil {
		return err
	}
	j, err := p.wait(ctx, s, started.ID)
	if err != nil {
		return err
	}
	left := 0
	for _, repair := range j.Repairs {
		if repair.Problem != nil {
			left++
		}
	}
	if err := p.print(j, func() error { return p.printRepairs(j, r) }); err != nil {
		return err
	}
	switch {
	case j.State == app.JobFailed && j.Problem != nil:
		return j.Problem
	case j.State == app.JobCancelled:
		return &app.Problem{
			Code: "cancelled", Severity: "error", Exit: exitError, Title: "The repair was cancelled",
			Text: fmt.Sprintf("%d of %s mended.", len(j.Repairs)-left, plural(len(j.Repairs), "finding was", "findings were")), Fix: "To go on:", Command: "berth repair",
		}
	case left > 0:
		return &app.Problem{
			Code: "not_mended", Severity: "error", Exit: exitError, Title: plural(left, "thing was not mended", "things were not mended"),
			Text: "Nothing was deleted.", Fix: "What is still wrong:", Command: "berth verify --status",
		}
	}
	return nil
}

func (p *program) printRepairs(j app.Job, r app.RepairRequest) error {
	var b strings.Builder
	switch {
	case r.DropQuarantined && j.State == app.JobDone:
		fmt.Fprintf(&b, "Freed %s from the quarantine\n", size(j.Done))
	case len(j.Repairs) == 0 && j.State == app.JobDone:
		b.WriteString("There is nothing that mends itself. To see what was found: berth verify --status\n")
	}
	for _, repair := range j.Repairs {
		f := repair.Finding
		if repair.Problem == nil {
			fmt.Fprintf(&b, "Mended %s %s: %s\n", f.ID, findingName(f), f.Kind)
			if repair.Entry != "" {
				b.WriteString("  The tag is in the trash. To bring it back:\n    berth restore " + repair.Entry + "\n")
			}
			continue
		}
		fmt.Fprintf(&b, "Left %s %s: %s\n", f.ID, findingName(f), f.Text)
		if j.State == app.JobFailed && j.Problem != nil && j.Problem.Code == repair.Problem.Code {
			continue // it is told once, in the end
		}
		for _, line := range []string{repair.Problem.Title + ".", repair.Problem.Text, repair.Problem.Fix} {
			if line != "" && line != "." && line != f.Text {
				b.WriteString("  " + line + "\n")
			}
		}
		if repair.Problem.Command != "" {
			b.WriteString("    " + repair.Problem.Command + "\n")
		}
	}
	_, err := fmt.Fprint(p.Out, b.String())
	return err
}

// completeFindings completes the ids of findings.
func (p *program) completeFindings(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	return p.complete(cmd, func(ctx context.Context, s app.Service) ([]string, error) {
		v, err := s.Verification(ctx, app.VerificationRequest{})
		var out []string
		for _, f := range v.Findings {
			if strings.HasPrefix(f.ID, prefix) && !slices.Contains(args, f.ID) {
				out = append(out, f.ID+"\t"+findingName(f)+": "+f.Kind)
			}
		}
		return out, err
	}), cobra.ShellCompDirectiveNoFileComp
}
