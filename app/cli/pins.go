package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) pin() *cobra.Command {
	return &cobra.Command{
		Use:   "pin REPOSITORY:TAG...",
		Short: "Keep tags and their images, whatever rules say",
		Long: `Keep tags from every rule. The image that a tag names when it is pinned stays on
disk, although the tag is moved or deleted later; pinning a tag again that has moved
keeps the new image as well.`,
		Example:           "  berth pin team/app:v1 team/app:v2",
		Args:              want(1, -1, "one name like team/app:v1, or more"),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.pinAll(cmd, args, false) },
		ValidArgsFunction: p.completeImages(0),
	}
}

func (p *program) unpin() *cobra.Command {
	return &cobra.Command{
		Use:               "unpin REPOSITORY:TAG...",
		Short:             "Leave tags to the rules again",
		Example:           "  berth unpin team/app:v1",
		Args:              want(1, -1, "one name like team/app:v1, or more"),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.pinAll(cmd, args, true) },
		ValidArgsFunction: p.completePins,
	}
}

// pinned is what pin and unpin print as JSON.
type pinned struct {
	Name    string `json:"name"`
	Changed bool   `json:"changed"`
}

func (p *program) pinAll(cmd *cobra.Command, args []string, off bool) error {
	refs := make([]reference, len(args))
	for i, arg := range args {
		ref, err := parseReference(cmd, arg)
		if err != nil {
			return err
		}
		if ref.tag == "" {
			return usage(cmd, fmt.Sprintf("%q names no tag; pins are of tags", arg))
		}
		refs[i] = ref
	}
	return p.with(cmd, func(ctx context.Context, s app.Service) error {
		done := struct {
			Pins []pinned `json:"pins"`
		}{[]pinned{}}
		var failed []error
		for _, ref := range refs {
			reply, err := s.Pin(ctx, app.PinRequest{Repository: ref.repository, Tag: ref.tag, Off: off})
			if err != nil {
				failed = append(failed, err)
				break
			}
			done.Pins = append(done.Pins, pinned{ref.repository + ":" + ref.tag, reply.Changed})
		}
		if len(done.Pins) == 0 {
			return errors.Join(failed...)
		}
		failed = append(failed, p.print(done, func() error { return p.printPinned(done.Pins, off) }))
		return errors.Join(failed...)
	})
}

func (p *program) printPinned(pins []pinned, off bool) error {
	for _, pin := range pins {
		word := "Pinned"
		switch {
		case off && pin.Changed:
			word = "Unpinned"
		case off:
			word = "Was not pinned:"
		case !pin.Changed:
			word = "Was pinned:"
		}
		if _, err := fmt.Fprintln(p.Out, word, pin.Name); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) pins() *cobra.Command {
	return &cobra.Command{
		Use:   "pins",
		Short: "List what is pinned",
		Args:  want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Pins(ctx, app.PinsRequest{})
				if err != nil {
					return err
				}
				return p.print(reply, func() error { return p.printPins(reply) })
			})
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
}

func (p *program) printPins(reply app.PinsReply) error {
	for _, problem := range reply.Problems {
		fmt.Fprintln(p.Err, problem)
	}
	if len(reply.Pins) == 0 && len(reply.Problems) > 0 {
		return nil
	}
	if len(reply.Pins) == 0 {
		fmt.Fprintln(p.Err, "Nothing is pinned. To pin a tag: berth pin team/app:v1")
		return nil
	}
	t := table{head: []string{"IMAGE", "DIGEST", "PINNED", "BY"}}
	for _, pin := range reply.Pins {
		t.add(pin.Repository+":"+pin.Tag, short(pin.Digest), p.ago(pin.At), pin.By)
	}
	return t.write(p.Out)
}

func (p *program) completePins(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return p.complete(cmd, func(ctx context.Context, s app.Service) (names []string, err error) {
		reply, err := s.Pins(ctx, app.PinsRequest{})
		for _, pin := range reply.Pins {
			names = append(names, pin.Repository+":"+pin.Tag)
		}
		return names, err
	}), cobra.ShellCompDirectiveNoFileComp
}
