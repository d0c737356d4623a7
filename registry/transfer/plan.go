package transfer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/manifest"
)

// maxDepth bounds indexes within indexes and referrers of referrers, maxNodes
// and maxBytes what one copy takes on and keeps in memory: manifests are made
// by strangers.
const (
	maxDepth = 16
	maxNodes = 10_000
	maxBytes = 256 << 20
)

// attested is how docker's builder says which child an attestation is about.
const attested = "vnd.docker.reference.digest"

// node is one manifest of the plan.
type node struct {
	manifest registry.Manifest
	parsed   manifest.Parsed
}

// errAbsent: the source does not have a manifest that an index names.
var errAbsent = errors.New("the source does not have it")

// plan reads the manifests from the reference down, and fills c.nodes in the
// order in which they can be written.
func (c *copier) plan(ctx context.Context) (*node, error) {
	ref, err := registry.ParseReference(c.r.Reference)
	if err != nil {
		return nil, err
	}
	d := ref.Digest
	if ref.Tag != "" {
		desc, err := c.src.ResolveTag(ctx, c.r.From, ref.Tag)
		if err != nil {
			return nil, err
		}
		d = desc.Digest
	}
	top, err := c.read(ctx, d)
	if err != nil {
		return nil, err
	}
	if top, err = c.choose(ctx, top); err != nil {
		return nil, err
	}
	root, err := c.descend(ctx, top, 0)
	if err != nil || !c.r.Referrers {
		return root, err
	}
	for _, n := range slices.Clone(c.nodes) {
		if err := c.referrers(ctx, n.manifest.Digest, 0); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// read gets one manifest of the source and checks it against its digest.
func (c *copier) read(ctx context.Context, d registry.Digest) (*node, error) {
	m, err := c.src.Manifest(ctx, c.r.From, d)
	if err != nil {
		return nil, err
	}
	if err := d.Validate(); err != nil || d.Algorithm().FromBytes(m.Content) != d {
		return nil, registry.ErrDigestInvalid.WithDetail(d)
	}
	m.Digest = d
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		return nil, err
	}
	m.MediaType = p.MediaType
	return &node{manifest: m, parsed: p}, nil
}

// descend adds n with everything below it, children first.
func (c *copier) descend(ctx context.Context, n *node, depth int) (*node, error) {
	if known := c.seen[n.manifest.Digest]; known != nil {
		return known, nil
	}
	if c.bytes += int64(len(n.manifest.Content)); depth > maxDepth || len(c.nodes) >= maxNodes || c.bytes > maxBytes {
		return nil, registry.ErrManifestInvalid.WithMessage("too many manifests in one another")
	}
	for _, child := range n.parsed.Children {
		if c.seen[child.Digest] != nil {
			continue
		}
		below, err := c.read(ctx, child.Digest)
		if err != nil {
			return nil, fmt.Errorf("manifest %s: %w", child.Digest, err)
		}
		if _, err := c.descend(ctx, below, depth+1); err != nil {
			return nil, err
		}
	}
	c.seen[n.manifest.Digest] = n
	c.nodes = append(c.nodes, n)
	return n, nil
}

// referrers adds what refers to d, and what refers to that.
func (c *copier) referrers(ctx context.Context, d registry.Digest, depth int) error {
	if depth > maxDepth {
		return nil
	}
	for desc, err := range c.src.Referrers(ctx, c.r.From, d, "") {
		if errors.Is(err, registry.ErrUnsupported) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("referrers of %s: %w", d, err)
		}
		if c.seen[desc.Digest] != nil {
			continue
		}
		n, err := c.read(ctx, desc.Digest)
		if err != nil {
			return fmt.Errorf("referrer %s: %w", desc.Digest, err)
		}
		if _, err := c.descend(ctx, n, depth); err != nil {
			return err
		}
		if err := c.referrers(ctx, desc.Digest, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// choose leaves out of an index what was not asked for, or is not there.
func (c *copier) choose(ctx context.Context, top *node) (*node, error) {
	if !manifest.IsIndex(top.parsed.MediaType) || len(c.r.Platforms) == 0 && !c.r.Partial {
		return top, nil
	}
	keep := map[registry.Digest]bool{}
	images := 0
	var only registry.Digest
	for _, child := range top.parsed.Children {
		ok, err := c.wants(ctx, child)
		if err != nil {
			return nil, err
		}
		if ok {
			keep[child.Digest] = true
			if child.Annotations[attested] == "" {
				images++
				only = child.Digest
			}
		}
	}
	// An attestation goes where the image that it is about goes.
	for _, child := range top.parsed.Children {
		if about := child.Annotations[attested]; about != "" && !keep[registry.Digest(about)] {
			delete(keep, child.Digest)
		}
	}
	switch {
	case images == 0:
		return nil, registry.ErrManifestUnknown.WithMessage("no image here for %s", c.wanted())
	case len(c.r.Platforms) != 1 && len(keep) == len(distinct(top.parsed.Children)):
		return top, nil
	case images == 1:
		return c.read(ctx, only)
	}
	return reduce(top, keep)
}

func (c *copier) wanted() string {
	if len(c.r.Platforms) == 0 {
		return "any platform"
	}
	return strings.Join(c.r.Platforms, ", ")
}

func distinct(list []registry.Descriptor) map[registry.Digest]bool {
	out := map[registry.Digest]bool{}
	for _, d := range list {
		out[d.Digest] = true
	}
	return out
}

// wants reports whether a child of the index was asked for and can be copied.
func (c *copier) wants(ctx context.Context, child registry.Descriptor) (bool, error) {
	if len(c.r.Platforms) > 0 && child.Annotations[attested] == "" &&
		!slices.ContainsFunc(c.r.Platforms, func(p string) bool { return matches(p, child.Platform) }) {
		return false, nil
	}
	if !c.r.Partial {
		return true, nil
	}
	err := c.complete(ctx, child.Digest, 0)
	if errors.Is(err, errAbsent) {
		return false, nil
	}
	return err == nil, err
}

// complete fails with errAbsent when the source lacks a part of d. It looks at
// each manifest once, however many indexes name it.
func (c *copier) complete(ctx context.Context, d registry.Digest, depth int) error {
	if err, known := c.checked[d]; known {
		return err
	}
	if len(c.checked) >= maxNodes {
		return registry.ErrManifestInvalid.WithMessage("too many manifests in one another")
	}
	err := c.look(ctx, d, depth)
	c.checked[d] = err
	return err
}

func (c *copier) look(ctx context.Context, d registry.Digest, depth int) error {
	n, err := c.read(ctx, d)
	if errors.Is(err, registry.ErrManifestUnknown) || depth > maxDepth {
		return errAbsent
	}
	if err != nil {
		return err
	}
	for _, b := range n.parsed.Blobs {
		if b.Elsewhere {
			continue
		}
		_, err := c.src.StatBlob(ctx, c.r.From, b.Digest)
		if errors.Is(err, registry.ErrBlobUnknown) {
			return errAbsent
		}
		if err != nil {
			return err
		}
	}
	for _, child := range n.parsed.Children {
		if err := c.complete(ctx, child.Digest, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// matches compares "os/arch[/variant]" with a platform; without a variant it
// takes any.
func matches(want string, p *ocispec.Platform) bool {
	if p == nil {
		return false
	}
	parts := strings.Split(want, "/")
	return len(parts) >= 2 && parts[0] == p.OS && parts[1] == p.Architecture &&
		(len(parts) < 3 || parts[2] == p.Variant)
}

// reduce makes an index of the children to keep. All other fields stay.
func reduce(top *node, keep map[registry.Digest]bool) (*node, error) {
	var doc map[string]json.RawMessage
	var children []json.RawMessage
	if err := json.Unmarshal(top.manifest.Content, &doc); err != nil {
		return nil, registry.ErrManifestInvalid.WithMessage("%v", err)
	}
	if err := json.Unmarshal(doc["manifests"], &children); err != nil {
		return nil, registry.ErrManifestInvalid.WithMessage("manifests: %v", err)
	}
	var kept []json.RawMessage
	for i, child := range top.parsed.Children {
		if keep[child.Digest] {
			kept = append(kept, children[i])
		}
	}
	list, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	doc["manifests"] = list
	content, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	p, err := manifest.Parse(top.manifest.MediaType, content)
	if err != nil {
		return nil, err
	}
	m := registry.Manifest{MediaType: p.MediaType, Digest: digest.FromBytes(content), Content: content}
	return &node{manifest: m, parsed: p}, nil
}
