package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/manifest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxConfig is the largest config blob that is read; real ones are kilobytes.
const maxConfig = 4 << 20

// Inspect shows one manifest; see [Service].
func (c *Core) Inspect(ctx context.Context, r InspectRequest) (InspectReply, error) {
	top, err := c.resolve(ctx, r.Repository, r.Reference)
	if err != nil {
		return InspectReply{}, err
	}
	m, parsed, err := c.parsed(ctx, r.Repository, top.Digest)
	if err != nil {
		return InspectReply{}, c.problem(err, r.Repository+separator(r.Reference)+r.Reference)
	}
	reply := InspectReply{
		Repository: r.Repository, Reference: r.Reference, Digest: top.Digest.String(), MediaType: parsed.MediaType,
		Platforms: parsed.Platforms(), Annotations: parsed.Annotations, Raw: string(m.Content), Layers: []Layer{}, History: []History{},
	}
	image := top.Digest
	if len(parsed.Children) > 0 {
		child, err := chooseChild(parsed.Children, r.Platform)
		if err != nil {
			return reply, err
		}
		image = child.Digest
		if _, parsed, err = c.parsed(ctx, r.Repository, image); err != nil {
			return reply, c.problem(err, r.Repository+"@"+image.String())
		}
		reply.Platform = platformName(child.Platform)
	}
	reply.ImageDigest = image.String()
	if err := c.describe(ctx, &reply, parsed); err != nil {
		return reply, err
	}
	if r.Platform != "" && reply.Platform != "" && !isPlatform(reply.Platform, r.Platform) {
		return InspectReply{}, noPlatform(r.Platform, []string{reply.Platform})
	}
	if reply.Size, err = c.reached(ctx, r.Repository, top.Digest); err != nil {
		return reply, err
	}
	if reply.Attached, err = c.attached(ctx, r.Repository, top.Digest, image); err != nil {
		return reply, err
	}
	reply.Pulls, err = c.pulls(ctx, r.Repository, r.Reference)
	return reply, err
}

func (c *Core) parsed(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, manifest.Parsed, error) {
	m, err := c.reg.Manifest(ctx, repo, d)
	if err != nil {
		return m, manifest.Parsed{}, err
	}
	parsed, err := manifest.Parse(m.MediaType, m.Content)
	return m, parsed, err
}

// chooseChild takes the child of a platform: the one that was asked for, else
// this machine's, else the first that is no attestation, else the first.
func chooseChild(children []registry.Descriptor, platform string) (registry.Descriptor, error) {
	find := func(want string) int {
		return slices.IndexFunc(children, func(d registry.Descriptor) bool {
			return isPlatform(platformName(d.Platform), want)
		})
	}
	if platform != "" {
		if i := find(platform); i >= 0 {
			return children[i], nil
		}
		var has []string
		for _, d := range children {
			if name := platformName(d.Platform); name != "" {
				has = append(has, name)
			}
		}
		return registry.Descriptor{}, noPlatform(platform, has)
	}
	if i := find("linux/" + runtime.GOARCH); i >= 0 {
		return children[i], nil
	}
	if i := slices.IndexFunc(children, func(d registry.Descriptor) bool { return platformName(d.Platform) != "" }); i >= 0 {
		return children[i], nil
	}
	return children[0], nil
}

// isPlatform reports whether a platform is the one that is wanted, whose
// variant may be left open.
func isPlatform(name, want string) bool {
	return name != "" && (name == want || strings.HasPrefix(name, want+"/"))
}

func noPlatform(platform string, has []string) *Problem {
	p := &Problem{
		Code: "no_platform", Severity: severityError, Title: "That image is not there for " + platform,
		Text: "It names no platform.", Fix: "Leave the platform out.", Exit: exitNotFound,
	}
	if len(has) > 0 {
		p.Text, p.Fix = "It is there for "+strings.Join(has, ", ")+".", "Choose one of these."
	}
	return p
}

// platformName gives "os/arch[/variant]", or "" for none and for attestations.
func platformName(p *ocispec.Platform) string {
	if p == nil || p.OS == "" || p.OS == "unknown" {
		return ""
	}
	return strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/")
}

// describe fills in layers, history and configuration of an image.
func (c *Core) describe(ctx context.Context, reply *InspectReply, p manifest.Parsed) error {
	if len(p.Children) > 0 {
		return nil // an index within an index has no layers of its own
	}
	summary, err := c.config(ctx, reply.Repository, p)
	if err != nil {
		return err
	}
	if reply.Platform == "" {
		reply.Platform = summary.Platform()
	}
	if len(reply.Platforms) == 0 && reply.Platform != "" {
		reply.Platforms = []string{reply.Platform}
	}
	var steps []string
	for _, h := range summary.History {
		by := createdBy(h.CreatedBy)
		reply.History = append(reply.History, History{Created: h.Created, CreatedBy: by, Comment: comment(h.Comment), Empty: h.Empty})
		if !h.Empty {
			steps = append(steps, by)
		}
	}
	reply.Config = ImageConfig{
		Created: summary.Created, Author: summary.Author, User: summary.User, Entrypoint: summary.Entrypoint, Cmd: summary.Cmd,
		Env: summary.Env, WorkingDir: summary.WorkingDir, Ports: summary.ExposedPorts, Volumes: summary.Volumes, Labels: summary.Labels,
	}
	var layers []manifest.Blob
	if len(p.Blobs) > 0 {
		layers = p.Blobs[1:]
	}
	digests := make([]registry.Digest, len(layers))
	for i, l := range layers {
		digests[i] = l.Digest
	}
	sharing, err := c.ix.Sharing(ctx, digests)
	if err != nil {
		return fmt.Errorf("count who shares: %w", err)
	}
	for i, l := range layers {
		layer := Layer{Digest: l.Digest.String(), MediaType: l.MediaType, Size: l.Size, Tags: sharing[l.Digest]}
		if len(steps) == len(layers) {
			layer.CreatedBy = steps[i]
		} else {
			layer.CreatedBy = l.Annotations[ocispec.AnnotationTitle]
		}
		reply.Layers = append(reply.Layers, layer)
	}
	return nil
}

// config reads the config blob; one that is no image's, or that is missing,
// says nothing.
func (c *Core) config(ctx context.Context, repo string, p manifest.Parsed) (manifest.Summary, error) {
	if p.Config == nil || p.Config.Size > maxConfig {
		return manifest.Summary{}, nil
	}
	blob, err := c.reg.OpenBlob(ctx, repo, p.Config.Digest)
	if errors.Is(err, registry.ErrBlobUnknown) {
		return manifest.Summary{}, nil
	}
	if err != nil {
		return manifest.Summary{}, fmt.Errorf("open config %s: %w", p.Config.Digest, err)
	}
	defer func() { _ = blob.Close() }()
	content, err := io.ReadAll(io.LimitReader(blob, maxConfig))
	if err != nil {
		return manifest.Summary{}, fmt.Errorf("read config %s: %w", p.Config.Digest, err)
	}
	summary, err := manifest.Config(content)
	if err != nil {
		return manifest.Summary{}, nil
	}
	return summary, nil
}

func (c *Core) attached(ctx context.Context, repo string, subjects ...registry.Digest) ([]Attached, error) {
	var out []Attached
	for _, subject := range slices.Compact(subjects) {
		for d, err := range c.reg.Referrers(ctx, repo, subject, "") {
			if err != nil {
				return nil, fmt.Errorf("list what is attached to %s: %w", subject, err)
			}
			out = append(out, Attached{Digest: d.Digest.String(), ArtifactType: d.ArtifactType, Size: d.Size})
		}
	}
	return out, nil
}

func (c *Core) pulls(ctx context.Context, repo, reference string) (int, error) {
	rows, err := c.ix.Tags(ctx, repo, index.Query{})
	if err != nil && !errors.Is(err, index.ErrUnknown) {
		return 0, fmt.Errorf("count pulls: %w", err)
	}
	n := 0
	for _, row := range rows {
		if row.Name == reference {
			return row.Pulls, nil
		}
		if row.Descriptor.Digest.String() == reference {
			n = max(n, row.Pulls)
		}
	}
	return n, nil
}

var (
	nopStep    = regexp.MustCompile(`^(/bin/sh -c|cmd /S /C|powershell -Command .*?;) #\(nop\)\s*`)
	shellStep  = regexp.MustCompile(`^(?:RUN\s+)?(?:\|\d+ (?:\S+=(?:"[^"]*"|\S*) )*)?(?:/bin/(?:sh|bash|ash)(?: -[a-z]+)* -[a-z]*c|cmd /S /C)\s+`)
	buildkit   = regexp.MustCompile(`\s*# buildkit\s*$`)
	whitespace = regexp.MustCompile(`\s+`)
)

// createdBy makes a step of a history read as in the Dockerfile.
func createdBy(step string) string {
	step = buildkit.ReplaceAllString(strings.TrimSpace(step), "")
	if at := nopStep.FindStringIndex(step); at != nil {
		step = step[at[1]:]
	} else if at := shellStep.FindStringIndex(step); at != nil {
		step = "RUN " + step[at[1]:]
	}
	return strings.TrimSpace(whitespace.ReplaceAllString(step, " "))
}

// comment leaves out what every builder writes.
func comment(text string) string {
	if strings.HasPrefix(text, "buildkit.dockerfile") {
		return ""
	}
	return text
}
