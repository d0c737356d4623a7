package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) trash() *cobra.Command {
	c := &cobra.Command{
		Use:   "trash [REPOSITORY]",
		Short: "List what was deleted or overwritten",
		Long: `List what was deleted or overwritten: tags, manifests, repositories; who did
it, when and why, how much it holds, and until when it can be restored.`,
		Example: "  berth trash team/app\n  berth trash empty",
		Args:    want(0, 1, "one repository"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				repository := withoutHost(first(args))
				reply, err := s.Trash(ctx, app.TrashRequest{Repository: repository})
				if err != nil {
					return err
				}
				return p.print(reply, func() error { return p.printTrash(reply, repository) })
			})
		},
		ValidArgsFunction: p.completeRepositories,
	}
	c.AddCommand(p.emptyTrash())
	return c
}

func (p *program) printTrash(reply app.TrashReply, repository string) error {
	switch {
	case len(reply.Entries) == 0 && repository != "":
		fmt.Fprintf(p.Err, "Nothing of %s is in the trash.\n", repository)
		return nil
	case len(reply.Entries) == 0:
		fmt.Fprintln(p.Err, "The trash is empty.")
		return nil
	}
	t := table{head: []string{"ID", "KIND", "IMAGE", "DIGEST", ">SIZE", "WHY", "BY", "WHEN", "KEPT UNTIL"}}
	for _, e := range reply.Entries {
		kind, name, digest := e.Kind, e.Repository, short(e.Digest)
		switch {
		case kind == app.TrashRepository:
			digest = plural(e.Tags, "tag", "tags")
		case e.Tag != "":
			kind, name = app.TrashTag, entryName(e)
		}
		t.add(e.ID, string(kind), name, digest, size(e.Size), e.Why, dash(e.By), p.ago(e.At), p.ahead(e.Until))
	}
	if err := t.write(p.Out); err != nil {
		return err
	}
	if reply.Frees > 0 {
		fmt.Fprintf(p.Err, "Emptying the trash would let a clean-up free %s.\n", size(reply.Frees))
	}
	return nil
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (p *program) emptyTrash() *cobra.Command {
	var yes, dry bool
	c := &cobra.Command{
		Use:   "empty [ID...]",
		Short: "Let go of what is in the trash, for good",
		Long: `Let go of entries of the trash before their time, or of all of them. That
cannot be undone: on a terminal it asks first, elsewhere it needs --yes.
A clean-up frees the space then, once what is freed is older than the grace
(berth.cleanup.grace); after it is done, empty says how much that is now.`,
		Example: "  berth trash empty --dry-run\n  berth trash empty --yes && berth cleanup",
		Args:    want(0, -1, "IDs of berth trash, or nothing for all"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				return p.empty(ctx, s, args, yes, dry)
			})
		},
		ValidArgsFunction: p.completeTrashIDs,
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&dry, "dry-run", false, "say what would go, and let go of nothing")
	return c
}

// empty lets go of entries once a person has agreed.
func (p *program) empty(ctx context.Context, s app.Service, ids []string, yes, dry bool) error {
	plan, err := s.EmptyTrash(ctx, app.EmptyTrashRequest{Entries: ids, DryRun: true})
	if err != nil {
		return err
	}
	said := plural(plan.Gone, "entry", "entries")
	if plan.Frees > 0 {
		said += " and " + size(plan.Frees) + " that nothing else holds"
	}
	switch {
	case plan.Gone == 0:
		return p.print(plan, func() error { fmt.Fprintln(p.Err, "The trash is empty."); return nil })
	case dry:
		return p.print(plan, func() error {
			_, err := fmt.Fprintf(p.Out, "Would let go of %s.\n", said)
			if plan.Frees > 0 {
				fmt.Fprintln(p.Err, beforeEmptying(plan.Why))
			}
			return err
		})
	case !yes:
		if err := p.agree("Let go for good of "+said+"?", "Letting go of "+said+" cannot be undone."); err != nil {
			return err
		}
	}
	reply, err := s.EmptyTrash(ctx, app.EmptyTrashRequest{Entries: ids})
	if err != nil {
		return err
	}
	return p.print(reply, func() error {
		_, err := fmt.Fprintf(p.Out, "Let go of %s.\n", plural(reply.Gone, "entry", "entries"))
		fmt.Fprint(p.Err, afterEmptying(reply))
		return err
	})
}

// beforeEmptying says what would become of what is let go of.
func beforeEmptying(why string) string {
	if why == "" {
		return "The next clean-up would free that."
	}
	return "A clean-up would free that, but " + why
}

// afterEmptying says what becomes of what was let go of.
func afterEmptying(r app.EmptyTrashReply) string {
	now, later := r.Now, r.Frees-r.Now
	if r.Why == "" {
		now, later = r.Frees, 0
	}
	text := ""
	if r.Frees == 0 {
		text = "That frees nothing: something else needs what they held.\n"
	}
	if now > 0 {
		text = fmt.Sprintf("The next clean-up frees %s: berth cleanup\n", size(now))
	}
	if later > 0 {
		text += fmt.Sprintf("%s cannot go yet: %s\nWhat a clean-up frees, and from when on: berth cleanup --dry-run\n", size(later), r.Why)
	}
	return text
}

// agree asks before what cannot be undone. Without a person it fails, and says
// why.
func (p *program) agree(question, why string) error {
	if p.In == nil {
		return &app.Problem{
			Code: "not_agreed", Severity: "error", Title: "Nothing was done", Text: why,
			Fix: "To go ahead without being asked, add --yes.", Exit: exitUsage,
		}
	}
	fmt.Fprint(p.Err, question+" [y/N] ")
	answer, _ := bufio.NewReader(p.In).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer == "y" || answer == "yes" {
		return nil
	}
	return &app.Problem{Code: "not_agreed", Severity: "error", Title: "Nothing was done", Exit: exitError}
}
