package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
)

// removed is what rm --repository prints: the replies, one a repository.
type removed struct {
	Replies []app.DeleteRepositoryReply `json:"replies"`
}

// removeRepositories deletes whole repositories. All are looked at first, so
// that a typing error deletes nothing.
func (p *program) removeRepositories(cmd *cobra.Command, args []string, dry bool) error {
	var names []string
	for _, arg := range args {
		ref, err := parseReference(cmd, arg)
		if err != nil {
			return err
		}
		if ref.tag != "" || ref.digest != "" {
			return usage(cmd, fmt.Sprintf("%q names one image; --repository takes repositories", arg))
		}
		if !slices.Contains(names, ref.repository) {
			names = append(names, ref.repository)
		}
	}
	return p.with(cmd, func(ctx context.Context, s app.Service) error {
		var done removed
		each := func(dry bool) (err error) {
			done.Replies = nil
			for _, name := range names {
				reply, failed := s.DeleteRepository(ctx, app.DeleteRepositoryRequest{Repository: name, DryRun: dry})
				if failed != nil {
					return failed
				}
				done.Replies = append(done.Replies, reply)
			}
			return nil
		}
		if err := each(true); err != nil {
			return err
		}
		var failed error
		if !dry {
			failed = each(false)
		}
		if len(done.Replies) > 0 {
			if err := p.print(done, func() error { return p.printRemoved(done, dry) }); err != nil {
				return err
			}
		}
		return failed
	})
}

func (p *program) printRemoved(done removed, dry bool) error {
	verb, stays := "Deleted", "Stays"
	if dry {
		verb, stays = "Would delete", "Would stay"
	}
	var b strings.Builder
	var ids []string
	for _, r := range done.Replies {
		e := r.Deleted
		fmt.Fprintf(&b, "%s %s: %s, %s, %s\n", verb, e.Repository, plural(e.Tags, "tag", "tags"), plural(e.Manifests, "manifest", "manifests"), size(e.Size))
		if len(r.Stay) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", stays, strings.Join(r.Stay, " "))
		}
		ids = append(ids, e.ID)
	}
	if _, err := fmt.Fprint(p.Out, b.String()); err != nil {
		return err
	}
	if !dry {
		fmt.Fprintf(p.Err, "Undo: berth restore %s\n", strings.Join(ids, " "))
	}
	return nil
}
