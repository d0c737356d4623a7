package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) ls() *cobra.Command {
	var sort string
	c := &cobra.Command{
		Use:   "ls [NAME-PART]",
		Short: "List repositories",
		Long: `List repositories. SIZE is everything that a repository holds on disk, also what
no tag of it names any more; SHARED is the part that stays when it is deleted,
since another repository or a pin needs it. berth usage REPOSITORY says more.`,
		Args: want(0, 1, "one part of a name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf(cmd, "sort", sort, "name", "pushed", "size", "tags"); err != nil {
				return err
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				snap, err := s.Snapshot(ctx, app.SnapshotRequest{Search: first(args), Sort: sort})
				if err != nil {
					return err
				}
				return p.print(snap, func() error { return p.printRepositories(snap, first(args)) })
			})
		},
		ValidArgsFunction: p.completeRepositories,
	}
	c.Flags().StringVar(&sort, "sort", "pushed", "name, pushed, size or tags")
	fixed(c, "sort", "name", "pushed", "size", "tags")
	return c
}

func (p *program) printRepositories(snap app.Snapshot, search string) error {
	if len(snap.Repositories) == 0 {
		if search != "" {
			fmt.Fprintf(p.Err, "No repository has %q in its name.\n", search)
			return nil
		}
		fmt.Fprintf(p.Err, "No images yet. Push the first one:\n    docker push %s/app:v1\n", orDefault(snap.Status.Address, "localhost:5000"))
		return nil
	}
	t := table{head: []string{"REPOSITORY", ">TAGS", ">SIZE", ">SHARED", "PUSHED"}}
	for _, r := range snap.Repositories {
		t.add(r.Name, fmt.Sprint(r.Tags), size(r.Size), size(r.Shared), p.ago(r.Pushed))
	}
	if snap.Indexing {
		fmt.Fprintln(p.Err, "Sizes and dates are still being collected.")
	}
	return t.write(p.Out)
}

func (p *program) tags() *cobra.Command {
	var sort, search string
	c := &cobra.Command{
		Use:   "tags REPOSITORY",
		Short: "List the tags of a repository",
		Args:  want(1, 1, "the name of one repository"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf(cmd, "sort", sort, "name", "pushed", "size", "frees"); err != nil {
				return err
			}
			ref, err := parseReference(cmd, args[0])
			if err != nil {
				return err
			}
			if ref.what() != "" {
				return suggest(usage(cmd, fmt.Sprintf("tags takes a repository, and %q names one image", args[0])), ref.repository)
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Tags(ctx, app.TagsRequest{Repository: ref.repository, Search: search, Sort: sort})
				if err != nil {
					return err
				}
				return p.print(reply, func() error { return p.printTags(reply) })
			})
		},
		ValidArgsFunction: p.completeRepositories,
	}
	c.Flags().StringVar(&sort, "sort", "pushed", "name, pushed, size or frees")
	c.Flags().StringVar(&search, "search", "", "only tags with this in their name")
	fixed(c, "sort", "name", "pushed", "size", "frees")
	return c
}

// suggest adds what was meant to a problem.
func suggest(err error, names ...string) error {
	if problem, ok := errors.AsType[*app.Problem](err); ok {
		problem.Fix = "Did you mean " + strings.Join(names, " or ") + "?"
	}
	return err
}

func (p *program) printTags(reply app.TagsReply) error {
	t := table{head: []string{"TAG", "DIGEST", "PLATFORMS", ">SIZE", ">FREES", "PUSHED", "SAME AS"}}
	for _, tag := range reply.Tags {
		platforms := strings.Join(tag.Platforms, " ")
		t.add(tag.Name, short(tag.Digest), orDefault(platforms, "-"), size(tag.Size), size(tag.Frees), p.ago(tag.Pushed), strings.Join(tag.Same, " "))
	}
	return t.write(p.Out)
}

func (p *program) tag() *cobra.Command {
	return &cobra.Command{
		Use:     "tag REPOSITORY:TAG|REPOSITORY@DIGEST NEW-TAG",
		Short:   "Point another tag at an image",
		Example: "  berth tag team/app:v1 stable",
		Args:    want(2, 2, "an image and a new tag"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parseReference(cmd, args[0])
			if err != nil {
				return err
			}
			if ref.what() == "" {
				return usage(cmd, fmt.Sprintf("%q names no tag and no digest", args[0]))
			}
			if i := strings.LastIndexByte(args[1], ':'); i >= 0 && args[1][i+1:] != "" {
				return usage(cmd, fmt.Sprintf("the new tag is of the same repository: say the tag alone, %s", args[1][i+1:]))
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Retag(ctx, app.RetagRequest{Repository: ref.repository, From: ref.what(), To: args[1]})
				if err != nil {
					return err
				}
				return p.print(reply, func() error {
					_, err := fmt.Fprintf(p.Out, "%s:%s is %s\n", ref.repository, args[1], reply.Digest)
					return err
				})
			})
		},
		ValidArgsFunction: p.completeImages(1),
	}
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
