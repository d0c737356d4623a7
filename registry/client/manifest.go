package client

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/internal/route"
)

// acceptManifests is every format that the contract knows; registries that are
// strict give only what is asked for.
var acceptManifests = http.Header{"Accept": {
	"application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
	"application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
	"*/*;q=0.5",
}}

// tagsPerPush is how many tags one request sets.
const tagsPerPush = 40

// Manifest reads a manifest, and checks its digest.
func (c *client) Manifest(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, error) {
	if err := checkNames(repo, d); err != nil {
		return registry.Manifest{}, err
	}
	return c.manifest(ctx, repo, registry.Reference{Digest: d})
}

func (c *client) manifest(ctx context.Context, repo string, ref registry.Reference) (registry.Manifest, error) {
	resp, err := c.ask(ctx, route.Request{Kind: route.ManifestGet, Repository: repo, Reference: ref, Limit: -1}, nil, acceptManifests)
	if err != nil {
		return registry.Manifest{}, err
	}
	defer discard(resp)
	content, err := io.ReadAll(io.LimitReader(resp.Body, registry.MaxManifestSize+1))
	if err != nil {
		return registry.Manifest{}, err
	}
	if len(content) > registry.MaxManifestSize {
		return registry.Manifest{}, registry.ErrSizeInvalid.WithMessage("the manifest is larger than %d bytes", registry.MaxManifestSize)
	}
	d := ref.Digest
	if d == "" {
		d = digest.FromBytes(content)
	}
	if d.Algorithm().FromBytes(content) != d {
		return registry.Manifest{}, registry.ErrDigestInvalid.WithMessage("the registry sent another manifest").WithDetail(d)
	}
	return registry.Manifest{MediaType: mediaType(resp), Digest: d, Content: content}, nil
}

func mediaType(resp *http.Response) string {
	t, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return strings.TrimSpace(t)
}

// StatManifest asks with HEAD.
func (c *client) StatManifest(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	if err := checkNames(repo, d); err != nil {
		return registry.Descriptor{}, err
	}
	return c.statManifest(ctx, repo, registry.Reference{Digest: d})
}

// ResolveTag asks with HEAD.
func (c *client) ResolveTag(ctx context.Context, repo, tag string) (registry.Descriptor, error) {
	if err := checkNames(repo); err != nil {
		return registry.Descriptor{}, err
	}
	if err := registry.ParseTag(tag); err != nil {
		return registry.Descriptor{}, err
	}
	return c.statManifest(ctx, repo, registry.Reference{Tag: tag})
}

func (c *client) statManifest(ctx context.Context, repo string, ref registry.Reference) (registry.Descriptor, error) {
	resp, err := c.ask(ctx, route.Request{Kind: route.ManifestHead, Repository: repo, Reference: ref, Limit: -1}, nil, acceptManifests)
	if err != nil {
		return registry.Descriptor{}, err
	}
	discard(resp)
	d, err := registry.ParseDigest(resp.Header.Get("Docker-Content-Digest"))
	if err == nil && size(resp) >= 0 {
		return registry.Descriptor{MediaType: mediaType(resp), Digest: d, Size: size(resp)}, nil
	}
	// Both headers are optional to older registries.
	m, err := c.manifest(ctx, repo, ref)
	if err != nil {
		return registry.Descriptor{}, err
	}
	return registry.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Content))}, nil
}

// PutManifest pushes by digest with all tags at once, and tag by tag where a
// registry does not do that.
func (c *client) PutManifest(ctx context.Context, repo string, m registry.Manifest, tags ...string) (registry.Descriptor, error) {
	desc := registry.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Content))}
	if desc.Digest == "" {
		desc.Digest = digest.FromBytes(m.Content)
	}
	if err := checkNames(repo, desc.Digest); err != nil {
		return registry.Descriptor{}, err
	}
	for _, tag := range tags {
		if err := registry.ParseTag(tag); err != nil {
			return registry.Descriptor{}, err
		}
	}
	if desc.Size > registry.MaxManifestSize {
		return registry.Descriptor{}, registry.ErrSizeInvalid.WithMessage("the manifest is larger than %d bytes", registry.MaxManifestSize)
	}
	if desc.Digest.Algorithm().FromBytes(m.Content) != desc.Digest {
		return registry.Descriptor{}, registry.ErrDigestInvalid.WithDetail(desc.Digest)
	}
	if err := c.putAll(ctx, repo, m, desc.Digest, tags); err != nil {
		return registry.Descriptor{}, err
	}
	if desc.MediaType == "" {
		return c.StatManifest(ctx, repo, desc.Digest)
	}
	return desc, nil
}

func (c *client) putAll(ctx context.Context, repo string, m registry.Manifest, d registry.Digest, tags []string) error {
	if len(tags) == 1 && d.Algorithm() == digest.SHA256 {
		_, err := c.put(ctx, route.Request{Kind: route.ManifestPut, Repository: repo, Reference: registry.Reference{Tag: tags[0]}, Limit: -1}, m)
		return err
	}
	for first := true; first || len(tags) > 0; first = false {
		now := tags[:min(len(tags), tagsPerPush)]
		tags = tags[len(now):]
		q := route.Request{Kind: route.ManifestPut, Repository: repo, Reference: registry.Reference{Digest: d}, Tags: now, Limit: -1}
		set, err := c.put(ctx, q, m)
		if err != nil {
			return err
		}
		for _, tag := range now {
			if slices.Contains(set, tag) {
				continue
			}
			q := route.Request{Kind: route.ManifestPut, Repository: repo, Reference: registry.Reference{Tag: tag}, Limit: -1}
			if _, err := c.put(ctx, q, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// put gives the tags that the registry says it has set beside.
func (c *client) put(ctx context.Context, q route.Request, m registry.Manifest) ([]string, error) {
	header := http.Header{}
	if m.MediaType != "" {
		header.Set("Content-Type", m.MediaType)
	}
	resp, err := c.ask(ctx, q, bytes.NewReader(m.Content), header)
	if err != nil {
		return nil, err
	}
	discard(resp)
	return resp.Header.Values("Oci-Tag"), nil
}

// DeleteTag deletes one tag.
func (c *client) DeleteTag(ctx context.Context, repo, tag string) error {
	if err := checkNames(repo); err != nil {
		return err
	}
	if err := registry.ParseTag(tag); err != nil {
		return err
	}
	return c.done(ctx, route.Request{Kind: route.ManifestDelete, Repository: repo, Reference: registry.Reference{Tag: tag}, Limit: -1})
}

// DeleteManifest deletes a manifest and its tags.
func (c *client) DeleteManifest(ctx context.Context, repo string, d registry.Digest) error {
	if err := checkNames(repo, d); err != nil {
		return err
	}
	return c.done(ctx, route.Request{Kind: route.ManifestDelete, Repository: repo, Reference: registry.Reference{Digest: d}, Limit: -1})
}
