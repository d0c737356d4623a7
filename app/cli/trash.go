package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) rm() *cobra.Command {
	var all, whole, dry bool
	c := &cobra.Command{
		Use:   "rm REPOSITORY:TAG...",
		Short: "Delete tags or repositories; they go to the trash",
		Long: `Delete tags. They go to the trash, where berth restore brings them back.
Only these tags go: other tags of the same image stay, and rm names them.

With --repository, whole repositories go, with all their tags and manifests;
one restore brings one back. Deleting team leaves team/app.`,
		Example: "  berth rm team/app:v1 team/app:v2\n  berth rm --all team/app\n  berth rm --repository team/app --dry-run",
		Args:    want(1, -1, "one name like team/app:v1, or more"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case whole && all:
				return usage(cmd, "--all deletes every tag, --repository the whole repository: choose one")
			case dry && !whole:
				return usage(cmd, "--dry-run goes with --repository")
			case whole:
				return p.removeRepositories(cmd, args, dry)
			}
			requests, err := deletions(cmd, args, all)
			if err != nil {
				return err
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error { return p.delete(ctx, s, requests, all) })
		},
		ValidArgsFunction: p.completeImages(0),
	}
	c.Flags().BoolVar(&all, "all", false, "delete every tag of these repositories")
	c.Flags().BoolVar(&whole, "repository", false, "delete whole repositories")
	c.Flags().BoolVar(&dry, "dry-run", false, "with --repository: say what would go, and delete nothing")
	return c
}

// deletions groups the names by repository, in the order they were given.
func deletions(cmd *cobra.Command, args []string, all bool) ([]app.DeleteRequest, error) {
	var requests []app.DeleteRequest
	at := map[string]int{}
	for _, arg := range args {
		ref, err := parseReference(cmd, arg)
		if err != nil {
			return nil, err
		}
		switch {
		case ref.digest != "":
			return nil, usage(cmd, fmt.Sprintf("%q names a digest; rm deletes tags", arg))
		case all && ref.tag != "":
			return nil, usage(cmd, fmt.Sprintf("%q names one tag; --all takes repositories", arg))
		case !all && ref.tag == "":
			return nil, usage(cmd, fmt.Sprintf("%q names no tag; berth tags %s lists them, rm --all deletes them all, rm --repository everything", arg, ref.repository))
		}
		i, ok := at[ref.repository]
		if !ok {
			i = len(requests)
			at[ref.repository] = i
			requests = append(requests, app.DeleteRequest{Repository: ref.repository})
		}
		if ref.tag != "" {
			requests[i].Tags = append(requests[i].Tags, ref.tag)
		}
	}
	return requests, nil
}

// deleted is what rm prints: the replies, one a repository.
type deleted struct {
	Replies []app.DeleteReply `json:"replies"`
}

func (p *program) delete(ctx context.Context, s app.Service, requests []app.DeleteRequest, all bool) error {
	// Every name is looked up first, so that a typing error deletes nothing.
	for i := range requests {
		if err := p.check(ctx, s, &requests[i], all); err != nil {
			return err
		}
	}
	var done deleted
	var failed error
	for _, r := range requests {
		reply, err := s.Delete(ctx, r)
		if err != nil {
			failed = err
			break
		}
		done.Replies = append(done.Replies, reply)
	}
	if len(done.Replies) == 0 {
		return failed
	}
	return errors.Join(failed, p.print(done, func() error { return p.printDeleted(requests, done) }))
}

// check completes a request and fails when a tag is not there.
func (p *program) check(ctx context.Context, s app.Service, r *app.DeleteRequest, all bool) error {
	reply, err := s.Tags(ctx, app.TagsRequest{Repository: r.Repository})
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, t := range reply.Tags {
		there[t.Name] = true
		if all {
			r.Tags = append(r.Tags, t.Name)
		}
	}
	for _, t := range r.Tags {
		if !there[t] {
			return &app.Problem{
				Code: "tag_unknown", Severity: "error", Title: fmt.Sprintf("%s has no tag %s", r.Repository, t),
				Text: "Nothing was deleted.", Fix: "These tags are there:", Command: "berth tags " + r.Repository, Exit: 3,
			}
		}
	}
	return nil
}

func (p *program) printDeleted(requests []app.DeleteRequest, done deleted) error {
	var b strings.Builder
	var ids []string
	for i, reply := range done.Replies {
		repository := requests[i].Repository
		for _, e := range reply.Deleted {
			fmt.Fprintf(&b, "Deleted %s:%s\n", e.Repository, e.Tag)
			ids = append(ids, e.ID)
		}
		if len(reply.Stay) > 0 {
			fmt.Fprintf(&b, "Same image, stays: %s\n", strings.Join(reply.Stay, " "))
		}
		if reply.Gone {
			fmt.Fprintf(&b, "%s has no tag any more\n", repository)
		}
	}
	if _, err := fmt.Fprint(p.Out, b.String()); err != nil {
		return err
	}
	if len(ids) > 0 {
		fmt.Fprintf(p.Err, "Undo: berth restore %s\n", strings.Join(ids, " "))
	}
	return nil
}
