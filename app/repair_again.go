package app

import (
	"context"
	"slices"
	"strings"

	"berth/registry"
	"berth/registry/manifest"
)

// pushAgain gives the command that pushes again the image that a finding is of;
// empty when no local image is known to be that one. It moves the tag, so a
// likely image does not do: it is known by its digests, or has the tag's own name
// and nothing says that it is another.
func (c *Core) pushAgain(ctx context.Context, m *mend, images []EngineImage) string {
	if m.Repository == "" || m.Tag == "" {
		return ""
	}
	ids := c.namedBy(ctx, m)
	for _, i := range images {
		if ids.known(i) {
			return pushCommand(append(slices.Clone(i.Names), i.ID)[0], m)
		}
	}
	if ids.config != "" || ids.many {
		return "" // what the tag names is known, and none of them is it
	}
	for _, i := range images {
		if ids.other(i, m.Repository) {
			continue
		}
		for _, name := range i.Names {
			repo, tag, ok := splitName(name)
			repo, host := withoutHost(repo)
			if ok && repo == m.Repository && tag == m.Tag && (host == "" || c.isOwnAddress(host)) {
				return pushCommand(name, m)
			}
		}
	}
	return ""
}

func pushCommand(image string, m *mend) string {
	return "berth push " + image + " " + m.Repository + ":" + m.Tag
}

// identity is what the image of a tag is known by.
type identity struct {
	manifest registry.Digest
	config   registry.Digest // "" when the manifest is lost
	many     bool            // an index: an image of one platform is not it
}

func (c *Core) namedBy(ctx context.Context, m *mend) (id identity) {
	link, ok, err := c.disk.ReadLink(ctx, m.Repository, registry.RawLink{Kind: registry.RawTag, Tag: m.Tag})
	if err != nil || !ok {
		return id
	}
	id.manifest = link.Target
	content, err := c.disk.Content(ctx, link.Target)
	if err != nil {
		return id
	}
	p, err := manifest.Parse("", content)
	if err != nil {
		return id
	}
	id.many = len(p.Children) > 0
	if !id.many && len(p.Blobs) > 0 {
		id.config = p.Blobs[0].Digest
	}
	return id
}

// known reports whether an image of an engine is the one.
func (id identity) known(i EngineImage) bool {
	if i.ID != "" && (i.ID == id.manifest.String() || i.ID == id.config.String()) {
		return true
	}
	return id.manifest != "" && slices.ContainsFunc(i.Digests, func(d string) bool { return strings.HasSuffix(d, "@"+id.manifest.String()) })
}

// other reports whether an image is known to be of another manifest of the
// repository: it was pushed or pulled as that.
func (id identity) other(i EngineImage, repo string) bool {
	return slices.ContainsFunc(i.Digests, func(d string) bool {
		name, digest, ok := strings.Cut(d, "@")
		name, _ = withoutHost(name)
		return ok && name == repo && digest != id.manifest.String()
	})
}
