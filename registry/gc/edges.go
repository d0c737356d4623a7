package gc

import (
	"context"
	"encoding/json"
	"errors"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/manifest"
)

// edges is what a manifest refers to.
type edges struct {
	blobs    []registry.Digest
	children []registry.Descriptor
	subject  registry.Digest
}

// errUnread means that a manifest is not there, or cannot be understood: what
// it refers to is not known.
var errUnread = errors.New("the manifest is not there or cannot be read")

// Source tells what a manifest refers to without reading it; index.Index is
// one. What a digest means cannot change, so it need not be up to date.
type Source interface {
	// Manifest gives what is known of a manifest. Any error means that it must
	// be read.
	Manifest(ctx context.Context, d registry.Digest) (index.Manifest, error)
}

// edgesOf says what a manifest refers to. Errors: errUnread.
func edgesOf(ctx context.Context, keeper registry.Keeper, source Source, d registry.Digest) (edges, error) {
	if source != nil {
		if row, err := source.Manifest(ctx, d); err == nil {
			e := edges{children: row.Children, subject: row.Subject}
			for _, b := range row.Blobs {
				e.blobs = append(e.blobs, b.Digest)
			}
			return e, nil
		}
	}
	content, err := keeper.Content(ctx, d)
	if errors.Is(err, registry.ErrManifestUnknown) {
		return edges{}, errUnread
	}
	if err != nil {
		return edges{}, err
	}
	return parse(content)
}

func parse(content []byte) (edges, error) {
	p, err := manifest.Parse("", content)
	if err != nil {
		return guess(content)
	}
	e := edges{children: p.Children}
	for _, b := range p.Blobs {
		e.blobs = append(e.blobs, b.Digest)
	}
	if p.Subject != nil {
		e.subject = p.Subject.Digest
	}
	return e, nil
}

// guess is for the formats that are not served any more, or not yet, such as
// schema version 1: whatever looks like a digest in it is one that it needs.
func guess(content []byte) (edges, error) {
	var document map[string]any
	if err := json.Unmarshal(content, &document); err != nil || len(document) == 0 {
		return edges{}, errUnread
	}
	var e edges
	e.collect(document)
	return e, nil
}

func (e *edges) collect(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			e.collect(inner)
		}
	case []any:
		for _, inner := range v {
			e.collect(inner)
		}
	case string:
		if d, err := registry.ParseDigest(v); err == nil {
			// It may be a manifest as well, if it is one that is there.
			e.blobs = append(e.blobs, d)
			e.children = append(e.children, registry.Descriptor{Digest: d, MediaType: guessed})
		}
	}
}

// guessed marks a child that need not be a manifest.
const guessed = "guessed"
