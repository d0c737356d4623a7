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
				return notRestored(reply, all)
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
			name += ", " + tagsBack(e, reply.Conflicts)
		}
		if _, err := fmt.Fprintf(p.Out, "Restored %s\n", name); err != nil {
			return err
		}
	}
	if len(reply.Restored)+len(reply.Conflicts) > 1 { // of one alone the problem tells
		for _, c := range reply.Conflicts {
			if _, err := fmt.Fprintf(p.Out, "Left %s: it names another image now\n", entryName(c.Entry)); err != nil {
				return err
			}
		}
	}
	if n := len(reply.Gone); n > 0 {
		fmt.Fprintf(p.Err, "Not in the trash any more: %s. It was emptied, or somebody else restored them, meanwhile.\n", namesOf(reply.Gone))
	}
	const most = 5
	for _, f := range reply.Failed[:min(len(reply.Failed), most)] {
		fmt.Fprintf(p.Err, "Not restored: %s. %s\n", entryName(f.Entry), f.Problem.Error())
	}
	if more := len(reply.Failed) - most; more > 0 {
		fmt.Fprintf(p.Err, "Not restored: %d more.\n", more)
	}
	if all && len(reply.Restored)+len(reply.Conflicts)+len(reply.Gone)+len(reply.Failed) == 0 {
		fmt.Fprintln(p.Err, "The trash is empty.")
	}
	return nil
}

// tagsBack says how many tags of a repository came back, of those that could.
func tagsBack(e app.TrashEntry, conflicts []app.Conflict) string {
	left := 0
	for _, c := range conflicts {
		if c.Entry.Repository == e.Repository && c.Entry.At.Equal(e.At) { // they went together
			left++
		}
	}
	if left == 0 {
		return plural(e.Tags, "tag", "tags")
	}
	return fmt.Sprintf("%d of %s", e.Tags, plural(e.Tags+left, "tag", "tags"))
}

// namesOf says how many entries these are, and which, as far as one can read it.
func namesOf(entries []app.TrashEntry) string {
	const most = 5
	var names []string
	for _, e := range entries[:min(len(entries), most)] {
		names = append(names, entryName(e))
	}
	if more := len(entries) - most; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return plural(len(entries), "entry", "entries") + " (" + strings.Join(names, ", ") + ")"
}

// notRestored is the problem of what did not come back; what vanished meanwhile
// is one only for who named it.
func notRestored(reply app.RestoreReply, all bool) error {
	if n := len(reply.Failed); n > 0 {
		return &app.Problem{
			Code: "not_restored", Severity: "error", Title: plural(n, "entry", "entries") + " could not be restored", Text: "They are still in the trash.",
			Fix: "To look for what is damaged or missing:", Command: "berth verify", Exit: 1,
		}
	}
	if len(reply.Conflicts) == 0 && len(reply.Gone) > 0 && !all {
		return &app.Problem{
			Code: "not_found", Severity: "error", Title: "Not all of it is in the trash any more", Text: "The others are back.",
			Fix: "To see what can be restored:", Command: "berth trash", Exit: 3,
		}
	}
	return conflict(reply)
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
