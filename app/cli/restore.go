package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) restore() *cobra.Command {
	var as string
	var all bool
	c := &cobra.Command{
		Use:   "restore ID|REPOSITORY:TAG|REPOSITORY...",
		Short: "Bring back what was deleted or overwritten",
		Long: `Bring entries of the trash back. REPOSITORY:TAG means its newest entry,
REPOSITORY a repository that was deleted as a whole. A tag that names another
image by now is left alone; --as gives the old image another tag.`,
		Example: "  berth restore team/app:v1\n  berth restore team/app:v1 --as v1-old\n  berth restore team/app\n  berth restore --all",
		Args:    want(0, -1, "an ID of berth trash, or a name like team/app:v1"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case as != "" && len(args) != 1:
				return usage(cmd, "--as needs exactly one entry")
			case all && len(args) > 0:
				return usage(cmd, "--all takes no names")
			case !all && len(args) == 0:
				return usage(cmd, "restore needs an ID of berth trash, a name like team/app:v1, or --all")
			}
			entries := make([]string, len(args))
			for i, a := range args {
				entries[i] = withoutHost(a)
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Restore(ctx, app.RestoreRequest{Entries: entries, As: as, All: all})
				if err != nil {
					return err
				}
				if err := p.print(reply, func() error { return p.printRestored(reply, as, all) }); err != nil {
					return err
				}
				return conflict(reply)
			})
		},
		ValidArgsFunction: p.completeTrash,
	}
	c.Flags().StringVar(&as, "as", "", "the tag to restore as")
	c.Flags().BoolVar(&all, "all", false, "everything in the trash, the newest of each name")
	return c
}

func (p *program) printRestored(reply app.RestoreReply, as string, all bool) error {
	for _, e := range reply.Restored {
		name := entryName(e)
		switch {
		case as != "":
			name = e.Repository + ":" + as
		case e.Kind == app.TrashRepository:
			name += ", " + plural(e.Tags, "tag", "tags")
		}
		if _, err := fmt.Fprintf(p.Out, "Restored %s\n", name); err != nil {
			return err
		}
	}
	if all && len(reply.Restored)+len(reply.Conflicts) == 0 {
		fmt.Fprintln(p.Err, "The trash is empty.")
	}
	return nil
}

// conflict is the problem of entries whose tags are taken: what to run for each.
func conflict(reply app.RestoreReply) error {
	if len(reply.Conflicts) == 0 {
		return nil
	}
	again := make([]string, len(reply.Conflicts))
	for i, c := range reply.Conflicts {
		again[i] = fmt.Sprintf("berth restore %s --as %s", c.Entry.ID, c.Suggest)
	}
	first := entryName(reply.Conflicts[0].Entry)
	p := &app.Problem{
		Code: "conflict", Severity: "error", Title: first + " names another image now", Text: "It was left alone.",
		Fix: "Restore the old image under another tag:", Command: again[0], Exit: 4,
	}
	if more := len(again) - 1; more > 0 {
		p.Title = fmt.Sprintf("%s and %s name other images now", first, plural(more, "other tag", "other tags"))
		p.Text, p.Fix = "They were left alone.", "Restore the old images under other tags:"
		p.Command = strings.Join(again, "\n")
	}
	return p
}

func entryName(e app.TrashEntry) string {
	if e.Kind == app.TrashRepository {
		return e.Repository
	}
	if e.Tag == "" {
		return e.Repository + "@" + e.Digest
	}
	return e.Repository + ":" + e.Tag
}
