package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) local() *cobra.Command {
	var dockerContext string
	c := &cobra.Command{
		Use:   "local",
		Short: "List the images of Docker and the names they get here",
		Args:  want(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.LocalImages(ctx, app.LocalImagesRequest{Context: dockerContext})
				if err != nil {
					return err
				}
				if reply.Problem != nil {
					return engineProblem(reply.Problem)
				}
				return p.print(reply, func() error {
					t := table{head: []string{"IMAGE", "ID", ">SIZE", "CREATED", "PUSHES AS", "IN BERTH"}}
					for _, i := range reply.Images {
						in := ""
						if i.InBerth {
							in = "yes"
						}
						t.add(i.Name, short(i.ID), size(i.Size), p.ago(i.Created), i.As, in)
					}
					return t.write(p.Out)
				})
			})
		},
	}
	contextFlag(c, &dockerContext)
	return c
}

// engineProblem gives the problem of an engine the exit code for it.
func engineProblem(problem *app.Problem) error {
	unreachable := *problem
	if unreachable.Exit == exitOK {
		unreachable.Exit = 5
	}
	return &unreachable
}

func (p *program) push() *cobra.Command {
	var dockerContext string
	c := &cobra.Command{
		Use:   "push IMAGE [NAME]",
		Short: "Push a local Docker image",
		Long: `Push an image of the container engine on this machine. NAME is what it is
called here; without it, the image keeps its name without the host, where an
official image of Docker Hub is library/NAME.`,
		Example: "  berth push app:dev\n  berth push app:dev team/app:v1",
		Args:    want(1, 2, "a local image, and its name here if it should differ"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := app.PushRequest{Image: args[0], Context: dockerContext}
			if len(args) == 2 {
				r.As = args[1]
			}
			p.where.Make = true
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				started, err := s.Push(ctx, r)
				if err != nil {
					return err
				}
				return p.follow(ctx, s, started.ID)
			})
		},
		ValidArgsFunction: p.completeLocal,
	}
	contextFlag(c, &dockerContext)
	return c
}

func (p *program) pull() *cobra.Command {
	var dockerContext string
	c := &cobra.Command{
		Use:   "pull REPOSITORY[:TAG|@DIGEST]",
		Short: "Pull an image from here into Docker",
		Args:  want(1, 1, "one image"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parseReference(cmd, args[0])
			if err != nil {
				return err
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				started, err := s.Pull(ctx, app.PullRequest{
					Repository: ref.repository, Reference: orDefault(ref.what(), "latest"), Context: dockerContext,
				})
				if err != nil {
					return err
				}
				return p.follow(ctx, s, started.ID)
			})
		},
		ValidArgsFunction: p.completeImages(1),
	}
	contextFlag(c, &dockerContext)
	return c
}

func contextFlag(c *cobra.Command, v *string) {
	c.Flags().StringVar(v, "context", "", "the docker context to use (default: the current one)")
}

func (p *program) importer() *cobra.Command {
	return &cobra.Command{
		Use:     "import FILE|FOLDER [NAME]",
		Short:   "Import a tar (docker save, OCI) or an OCI folder",
		Example: "  docker save app:dev -o app.tar && berth import app.tar",
		Args:    want(1, 2, "a file or folder, and its name here if it should differ"),
		RunE: func(cmd *cobra.Command, args []string) error {
			// The running instance has another working folder.
			path, err := filepath.Abs(args[0])
			if err != nil {
				return fmt.Errorf("find %s: %w", args[0], err)
			}
			r := app.ImportRequest{Path: path}
			if len(args) == 2 {
				r.As = args[1]
			}
			p.where.Make = true
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				started, err := s.Import(ctx, r)
				if err != nil {
					return err
				}
				return p.follow(ctx, s, started.ID)
			})
		},
	}
}
