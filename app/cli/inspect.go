package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"berth/app"
)

func (p *program) inspect() *cobra.Command {
	var platform string
	var raw bool
	c := &cobra.Command{
		Use:   "inspect REPOSITORY[:TAG|@DIGEST]",
		Short: "Show layers, configuration and what is attached",
		Args:  want(1, 1, "one image"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ref, err := parseReference(cmd, args[0])
			if err != nil {
				return err
			}
			return p.with(cmd, func(ctx context.Context, s app.Service) error {
				reply, err := s.Inspect(ctx, app.InspectRequest{
					Repository: ref.repository, Reference: orDefault(ref.what(), "latest"), Platform: platform,
				})
				if err != nil {
					return err
				}
				if raw {
					_, err := io.WriteString(p.Out, reply.Raw)
					return err
				}
				return p.print(reply, func() error { return p.printImage(reply) })
			})
		},
		ValidArgsFunction: p.completeImages(1),
	}
	c.Flags().StringVar(&platform, "platform", "", "of a multi-platform image, such as linux/arm64")
	c.Flags().BoolVar(&raw, "raw", false, "print the manifest as it was pushed")
	return c
}

func (p *program) printImage(r app.InspectReply) error {
	var b strings.Builder
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", name, value)
		}
	}
	field("Image", nameOf(r.Repository, r.Reference))
	field("Digest", r.Digest)
	field("Type", r.MediaType)
	field("Size", size(r.Size))
	field("Platforms", strings.Join(r.Platforms, " "))
	if r.ImageDigest != "" && r.ImageDigest != r.Digest {
		field("Showing", strings.TrimSpace(r.Platform+" "+r.ImageDigest))
	}
	if !r.Config.Created.IsZero() {
		field("Created", p.ago(r.Config.Created))
	}
	field("Pulls", fmt.Sprint(r.Pulls))
	field("Entrypoint", strings.Join(r.Config.Entrypoint, " "))
	field("Command", strings.Join(r.Config.Cmd, " "))
	field("User", r.Config.User)
	field("Folder", r.Config.WorkingDir)
	field("Ports", strings.Join(r.Config.Ports, " "))
	field("Volumes", strings.Join(r.Config.Volumes, " "))
	for _, env := range r.Config.Env {
		field("Env", env)
	}
	pairs(&b, "Label", r.Config.Labels)
	pairs(&b, "Annotation", r.Annotations)
	if _, err := io.WriteString(p.Out, b.String()); err != nil {
		return err
	}
	if len(r.Layers) > 0 {
		fmt.Fprintln(p.Out)
		t := table{head: []string{"LAYER", ">SIZE", "TAGS", "CREATED BY"}}
		for _, l := range r.Layers {
			t.add(short(l.Digest), size(l.Size), fmt.Sprint(l.Tags), oneLine(l.CreatedBy, 100))
		}
		if err := t.write(p.Out); err != nil {
			return err
		}
	}
	if len(r.Attached) == 0 {
		return nil
	}
	fmt.Fprintln(p.Out)
	t := table{head: []string{"ATTACHED", ">SIZE", "TYPE"}}
	for _, a := range r.Attached {
		t.add(short(a.Digest), size(a.Size), a.ArtifactType)
	}
	return t.write(p.Out)
}

// pairs writes a map in the order of its keys.
func pairs(w io.Writer, name string, m map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(w, "%-12s %s=%s\n", name, k, m[k])
	}
}

// nameOf joins a repository with a tag or a digest.
func nameOf(repository, reference string) string {
	if strings.Contains(reference, ":") {
		return repository + "@" + reference
	}
	return repository + ":" + reference
}

// oneLine folds white space and cuts at a length.
func oneLine(s string, most int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= most {
		return string(r)
	}
	return string(r[:most-1]) + "…"
}
