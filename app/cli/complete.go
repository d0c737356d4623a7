package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"berth/app"
)

// completeTime bounds what a press of Tab may cost.
const completeTime = 2 * time.Second

type completion = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// complete asks the service for names; a failure completes to nothing, because
// a shell has no place for a message.
func (p *program) complete(cmd *cobra.Command, ask func(ctx context.Context, s app.Service) ([]string, error)) []string {
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTime)
	defer cancel()
	cmd.SetContext(ctx)
	var names []string
	err := p.with(cmd, func(ctx context.Context, s app.Service) error {
		found, err := ask(ctx, s)
		names = found
		return err
	})
	if err != nil {
		return nil
	}
	return names
}

func (p *program) completeRepositories(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return p.complete(cmd, func(ctx context.Context, s app.Service) ([]string, error) {
		return repositories(ctx, s, typed, "")
	}), cobra.ShellCompDirectiveNoFileComp
}

func repositories(ctx context.Context, s app.Service, typed, suffix string) ([]string, error) {
	snap, err := s.Snapshot(ctx, app.SnapshotRequest{Sort: "name"})
	var names []string
	for _, r := range snap.Repositories {
		if strings.HasPrefix(r.Name, typed) {
			names = append(names, r.Name+suffix)
		}
	}
	return names, err
}

// completeImages completes "repository:tag" for the first most arguments; 0
// means all of them.
func (p *program) completeImages(most int) completion {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		repository, tag, ok := strings.Cut(typed, ":")
		if !ok {
			names := p.complete(cmd, func(ctx context.Context, s app.Service) ([]string, error) {
				return repositories(ctx, s, typed, ":")
			})
			return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		return p.complete(cmd, func(ctx context.Context, s app.Service) ([]string, error) {
			reply, err := s.Tags(ctx, app.TagsRequest{Repository: repository})
			var names []string
			for _, t := range reply.Tags {
				if name := repository + ":" + t.Name; strings.HasPrefix(t.Name, tag) && !slices.Contains(args, name) {
					names = append(names, name)
				}
			}
			return names, err
		}), cobra.ShellCompDirectiveNoFileComp
	}
}

func (p *program) completeTrash(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return p.complete(cmd, func(ctx context.Context, s app.Service) ([]string, error) {
		reply, err := s.Trash(ctx, app.TrashRequest{})
		var names []string
		for _, e := range reply.Entries {
			for _, name := range []string{e.ID + "\t" + entryName(e), entryName(e)} {
				if strings.HasPrefix(name, typed) && !slices.Contains(args, name) && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		return names, err
	}), cobra.ShellCompDirectiveNoFileComp
}

// completeTrashIDs completes what only an ID may name.
func (p *program) completeTrashIDs(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return p.complete(cmd, func(ctx context.Context, s app.Service) ([]string, error) {
		reply, err := s.Trash(ctx, app.TrashRequest{})
		var ids []string
		for _, e := range reply.Entries {
			if strings.HasPrefix(e.ID, typed) && !slices.Contains(args, e.ID) {
				ids = append(ids, e.ID+"\t"+entryName(e))
			}
		}
		return ids, err
	}), cobra.ShellCompDirectiveNoFileComp
}

func (p *program) completeLocal(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	return p.complete(cmd, func(ctx context.Context, s app.Service) ([]string, error) {
		reply, err := s.LocalImages(ctx, app.LocalImagesRequest{})
		var names []string
		for _, i := range reply.Images {
			switch {
			case len(args) == 0 && strings.HasPrefix(i.Name, typed):
				names = append(names, i.Name)
			case len(args) == 1 && i.Name == args[0] && strings.HasPrefix(i.As, typed):
				names = append(names, i.As)
			}
		}
		return names, err
	}), cobra.ShellCompDirectiveNoFileComp
}

// refuseUnknownShell makes berth completion without a shell, or with another
// one, the error that it is.
func refuseUnknownShell(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(cmd *cobra.Command, args []string) error {
			const shells = "bash, zsh, fish or powershell"
			if len(args) == 0 {
				return usage(cmd, "completion needs a shell: "+shells)
			}
			return usage(cmd, fmt.Sprintf("completion is for %s, not %q", shells, args[0]))
		}
	}
}

// fixed completes a flag that takes one of a few words.
func fixed(c *cobra.Command, flag string, words ...string) {
	// It fails for a flag that does not exist or has a function, which the
	// test of every verb would show.
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err)
	}
}

// oneOf refuses a flag that is none of a few words.
func oneOf(cmd *cobra.Command, flag, value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return usage(cmd, fmt.Sprintf("--%s is %s, not %q", flag, strings.Join(words, ", "), value))
}
