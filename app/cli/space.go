package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) usage() *cobra.Command {
	var repositories bool
	c := &cobra.Command{
		Use:     "usage [REPOSITORY]",
		Aliases: []string{"df"},
		Short:   "Show where space goes",
		Long: `Show where space goes: what images use, what several share, what only the trash
holds, unfinished uploads, what nothing points to, and what a clean-up would
free now. The figures are kept as things change, so this never takes long, and
together they are what lies on disk, to the byte of content.

With a repository, a row for each of its tags; with --repositories, a row for
each repository. FREES is what deleting that one frees once the trash has let go,
SHARED what stays then, since another tag (of whatever repository) or a pin needs
it; SIZE is both together. An image that several tags name is one image: each of
them alone frees nothing. A repository counts also what none of its tags needs.`,
		Example: "  berth usage\n  berth usage team/app\n  berth df --repositories",
		Args:    want(0, 1, "one repository"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.with(cmd, func(ctx context.Context, s app.Service) error { return p.showUsage(ctx, s, repositories) })
			}
			if repositories {
				return usage(cmd, "--repositories shows all of them: name none")
			}
			ref, err := parseReference(cmd, args[0])
			if err != nil {
				return err
			}
			if ref.what() != "" {
				return suggest(usage(cmd, fmt.Sprintf("usage takes a repository, and %q names one image", args[0])), ref.repository)
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Tags(ctx, app.TagsRequest{Repository: ref.repository, Sort: "size", Measured: true})
				if err != nil {
					return err
				}
				return p.print(reply, func() error { return p.printTagUsage(reply) })
			})
		},
		ValidArgsFunction: p.completeRepositories,
	}
	c.Flags().BoolVar(&repositories, "repositories", false, "a row for each repository")
	return c
}

// spaceOf is what usage prints: the whole, and its repositories when asked for.
type spaceOf struct {
	app.UsageReply
	Repositories []app.Repository `json:"repositories,omitempty"`
}

func (p *program) showUsage(ctx context.Context, s app.Service, repositories bool) error {
	reply, err := s.Usage(ctx, app.UsageRequest{})
	if err != nil {
		return err
	}
	out := spaceOf{UsageReply: reply}
	if repositories {
		snap, err := s.Snapshot(ctx, app.SnapshotRequest{Sort: "size"})
		if err != nil {
			return err
		}
		out.Repositories = snap.Repositories
	}
	return p.print(out, func() error {
		if reply.Indexing {
			fmt.Fprintln(p.Err, "The figures are still being collected.")
		}
		if repositories {
			return p.printRepositoryUsage(out.Repositories)
		}
		return p.printUsage(reply)
	})
}

func (p *program) printUsage(reply app.UsageReply) error {
	u := reply.Usage
	if _, err := fmt.Fprintf(p.Out, "%s used by %s with %s\n\n", size(u.Used),
		plural(u.Repositories, "repository", "repositories"), plural(u.Tags, "tag", "tags")); err != nil {
		return err
	}
	t := table{head: []string{">SIZE", ">SHARE", "WHAT"}}
	for _, part := range []struct {
		bytes int64
		what  string
	}{
		{u.Images, "images: used by one image, in however many repositories"},
		{u.Shared, "shared: used by several different images"},
		{u.Trash, trashText(u)},
		{u.Uploads, "uploads that are not finished"},
		{u.Loose, looseText(u)},
		{u.Quarantine, "quarantine: damaged, and kept aside"},
	} {
		t.add(size(part.bytes), share(part.bytes, u.Used), part.what)
	}
	if err := t.write(p.Out); err != nil {
		return err
	}
	_, err := fmt.Fprint(p.Out, "\n"+p.aboutCleanup(reply))
	return err
}

func trashText(u app.Usage) string {
	text := "trash: only what was deleted or overwritten, and pins, still hold it"
	if u.Pinned > 0 {
		text += fmt.Sprintf(" (%s is pinned, and stays)", size(u.Pinned))
	}
	return text
}

func looseText(u app.Usage) string {
	text := "loose: nothing points to it"
	if u.Young > 0 {
		text += fmt.Sprintf(" (%s is too young to go)", size(u.Young))
	}
	return text
}

// share writes a part of a whole in hundredths; what is there is never 0%.
func share(part, whole int64) string {
	switch {
	case part <= 0 || whole <= 0:
		return "-"
	case part*100 < whole:
		return "<1%"
	}
	return fmt.Sprintf("%d%%", part*100/whole)
}

// aboutCleanup says what can be done about it.
func (p *program) aboutCleanup(reply app.UsageReply) string {
	u := reply.Usage
	var b strings.Builder
	if u.Freeable > 0 {
		fmt.Fprintf(&b, "A clean-up frees %s now: berth cleanup\n", size(u.Freeable))
	} else {
		b.WriteString("A clean-up frees nothing now.\n")
	}
	if reply.Pending > 0 {
		fmt.Fprintf(&b, "The rules would drop %s: berth rules preview\n", plural(reply.Pending, "tag", "tags"))
	}
	if last := reply.Last; last != nil {
		fmt.Fprintf(&b, "The last clean-up was %s, by %s, and freed %s.\n", p.ago(last.Ended), last.By, size(last.Freed))
	}
	if !reply.Next.IsZero() {
		fmt.Fprintf(&b, "The next one is due %s.\n", p.ago(reply.Next))
	}
	if u.Total > 0 {
		fmt.Fprintf(&b, "The disk has %s free of %s.\n", size(u.Free), size(u.Total))
	}
	return b.String()
}

func (p *program) printRepositoryUsage(rows []app.Repository) error {
	t := table{head: []string{"REPOSITORY", ">TAGS", ">SIZE", ">SHARED", ">FREES"}}
	for _, r := range rows {
		t.add(r.Name, fmt.Sprint(r.Tags), size(r.Size), size(r.Shared), size(r.Frees))
	}
	return t.write(p.Out)
}

func (p *program) printTagUsage(reply app.TagsReply) error {
	t := table{head: []string{"TAG", ">SIZE", ">SHARED", ">FREES", "SAME AS"}}
	for _, tag := range reply.Tags {
		t.add(tag.Name, size(tag.Size), size(tag.Shared), size(tag.Frees), sameAs(tag))
	}
	if err := t.write(p.Out); err != nil {
		return err
	}
	r := reply.Repository
	text := fmt.Sprintf("\n%s takes %s. Deleting it frees %s", r.Name, size(r.Size), size(r.Frees))
	if r.Loose > 0 {
		text += fmt.Sprintf(", of which no tag needs %s", size(r.Loose))
	}
	if r.Shared > 0 {
		text += fmt.Sprintf("; %s stays, since another repository or a pin needs it", size(r.Shared))
	}
	_, err := fmt.Fprintln(p.Out, text+".")
	return err
}

// sameAs says who else has the image of a tag.
func sameAs(tag app.Tag) string {
	text := strings.Join(tag.Same, " ")
	if tag.Elsewhere > 0 {
		text = strings.TrimSpace(fmt.Sprintf("%s +%d elsewhere", text, tag.Elsewhere))
	}
	return text
}
