package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/internal/route"
)

const (
	pageSize    = 100      // every registry allows so many
	maxListBody = 16 << 20 // of one page
)

// Repositories pages through the catalog.
func (c *client) Repositories(ctx context.Context, after string) iter.Seq2[string, error] {
	return c.names(ctx, route.Request{Kind: route.Catalog, Limit: pageSize, Last: after})
}

// Tags pages through the tags.
func (c *client) Tags(ctx context.Context, repo, after string) iter.Seq2[string, error] {
	if err := checkNames(repo); err != nil {
		return func(yield func(string, error) bool) { yield("", err) }
	}
	return c.names(ctx, route.Request{Kind: route.Tags, Repository: repo, Limit: pageSize, Last: after})
}

func (c *client) names(ctx context.Context, q route.Request) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		last, next := q.Last, c.base.String()+q.URI()
		for next != "" {
			var page struct{ Repositories, Tags []string }
			header, err := c.page(ctx, q.Kind, next, &page)
			if err != nil {
				yield("", err)
				return
			}
			names := append(page.Repositories, page.Tags...)
			slices.Sort(names) // older registries list as they like, and everything at once
			for _, name := range names {
				if name <= last {
					continue
				}
				last = name
				if !yield(name, nil) {
					return
				}
			}
			if next, err = following(next, header); err != nil {
				yield("", err)
				return
			}
		}
	}
}

func (c *client) page(ctx context.Context, kind route.Kind, from string, into any) (http.Header, error) {
	resp, err := c.send(ctx, kind, http.MethodGet, from, nil, nil)
	if err != nil {
		return nil, err
	}
	defer discard(resp)
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxListBody)).Decode(into); err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	return resp.Header, nil
}

// following gives the address of the next page, or "". It stays on the host,
// whatever the registry says: credentials go with it.
func following(from string, header http.Header) (string, error) {
	for _, link := range header.Values("Link") {
		target, params, ok := strings.Cut(link, ">")
		if !ok || !strings.Contains(params, `rel="next"`) && !strings.Contains(params, "rel=next") {
			continue
		}
		here, err := url.Parse(from)
		if err != nil {
			return "", err
		}
		next, err := here.Parse(strings.TrimPrefix(strings.TrimSpace(target), "<"))
		if err != nil {
			return "", err
		}
		next.Scheme = here.Scheme // a proxy that ends TLS hides it from the registry
		if next.Host != here.Host || next.String() == from {
			return "", errors.New("the registry's next page is not on the registry")
		}
		return next.String(), nil
	}
	return "", nil
}

// Referrers asks for the referrers, and where a registry does not know that
// request, for the fallback tag (distribution-spec, "Referrers Tag Schema").
func (c *client) Referrers(ctx context.Context, repo string, subject registry.Digest, artifactType string) iter.Seq2[registry.Descriptor, error] {
	return func(yield func(registry.Descriptor, error) bool) {
		found, err := c.referrers(ctx, repo, subject, artifactType)
		if err != nil {
			yield(registry.Descriptor{}, err)
			return
		}
		slices.SortFunc(found, func(a, b registry.Descriptor) int { return strings.Compare(string(a.Digest), string(b.Digest)) })
		for _, desc := range found {
			if (artifactType == "" || desc.ArtifactType == artifactType) && !yield(desc, nil) {
				return
			}
		}
	}
}

func (c *client) referrers(ctx context.Context, repo string, subject registry.Digest, artifactType string) ([]registry.Descriptor, error) {
	if err := checkNames(repo, subject); err != nil {
		return nil, err
	}
	q := route.Request{Kind: route.Referrers, Repository: repo, Digest: subject, ArtifactType: artifactType, Limit: -1}
	var found []registry.Descriptor
	for next := c.base.String() + q.URI(); next != ""; {
		var index ocispec.Index
		header, err := c.page(ctx, route.Referrers, next, &index)
		if errors.Is(err, registry.ErrNameUnknown) || errors.Is(err, registry.ErrUnsupported) {
			return c.fallback(ctx, repo, subject)
		}
		if err != nil {
			return nil, err
		}
		found = append(found, index.Manifests...)
		if next, err = following(next, header); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (c *client) fallback(ctx context.Context, repo string, subject registry.Digest) ([]registry.Descriptor, error) {
	hex := subject.Encoded()
	tag := subject.Algorithm().String() + "-" + hex[:min(64, len(hex))] // a tag has no room for all of a sha512
	m, err := c.manifest(ctx, repo, registry.Reference{Tag: tag})
	if errors.Is(err, registry.ErrManifestUnknown) || errors.Is(err, registry.ErrNameUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(m.Content, &index); err != nil {
		return nil, registry.ErrManifestInvalid.WithMessage("the fallback tag %s names no index", tag)
	}
	return index.Manifests, nil
}
