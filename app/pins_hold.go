package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"berth/registry"
	"berth/registry/index"
)

// pinOf names the tag whose pin holds a manifest, itself or through an index
// that it is part of, and keeps pins from coming until release.
func (c *Core) pinOf(ctx context.Context, repo string, d registry.Digest) (tag string, release func(), err error) {
	c.pinning.RLock()
	defer func() {
		if err != nil {
			c.pinning.RUnlock()
		}
	}()
	pins, err := c.pins.Of(ctx, repo)
	if err != nil {
		return "", nil, fmt.Errorf("look for pins: %w", err)
	}
	for _, p := range pins {
		held, err := c.isPartOf(ctx, p.Digest, d, 0)
		if err != nil {
			return "", nil, err
		}
		if held {
			return p.Tag, c.pinning.RUnlock, nil
		}
	}
	return "", c.pinning.RUnlock, nil
}

// mostNested is how deep indexes are followed.
const mostNested = 8

// isPartOf reports whether d is whole, or one of the manifests of that index.
func (c *Core) isPartOf(ctx context.Context, whole, d registry.Digest, depth int) (bool, error) {
	if whole == d {
		return true, nil
	}
	m, err := c.ix.Manifest(ctx, whole)
	switch {
	case errors.Is(err, index.ErrUnknown) || depth == mostNested:
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look up what a pin holds: %w", err)
	}
	for _, child := range m.Children {
		if held, err := c.isPartOf(ctx, child.Digest, d, depth+1); held || err != nil {
			return held, err
		}
	}
	return false, nil
}

// unpinned refuses to delete a repository whose pins hold something.
func (c *Core) unpinned(ctx context.Context, repo string) error {
	pins, err := c.pins.Of(ctx, repo)
	if err != nil {
		return fmt.Errorf("look for pins: %w", err)
	}
	var names []string
	for _, p := range pins {
		_, err := c.trash.StatManifest(ctx, repo, p.Digest)
		switch {
		case errors.Is(err, registry.ErrManifestUnknown), errors.Is(err, registry.ErrNameUnknown):
			continue // it went behind the back of Berth: the pin holds nothing
		case err != nil:
			return err
		}
		if name := repo + ":" + p.Tag; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	text := strings.Join(names[:min(len(names), mostNamed)], ", ")
	if more := len(names) - mostNamed; more > 0 {
		text = fmt.Sprintf("%s and %d more", text, more)
	}
	return &Problem{
		Code: codePinned, Severity: severityError, Title: repo + " holds what is pinned", Text: "Pinned: " + text + ".",
		Fix: "Nothing was deleted. Unpin it first:", Command: "berth unpin " + strings.Join(names, " "), Exit: exitConflict,
	}
}

// untaggedPins counts the manifests that a pin holds, and no tag. What cannot be
// read is not counted.
func (c *Core) untaggedPins(ctx context.Context) int {
	held := map[registry.Digest]bool{}
	for p, err := range c.pins.All(ctx) {
		if err != nil {
			break
		}
		held[p.Digest] = true
	}
	tagged, err := c.ix.Sharing(ctx, slices.Collect(maps.Keys(held)))
	if err != nil {
		return 0
	}
	n := 0
	for d := range held {
		if tagged[d] == 0 {
			n++
		}
	}
	return n
}

// codePinned is the code of a delete that a pin refuses.
const codePinned = "pinned"

// pinnedTag gives the name whose pin a refusal names; empty for none.
func pinnedTag(err *registry.Error) string {
	detail, _ := err.Detail.(map[string]string)
	if detail["pin"] == "" {
		return ""
	}
	return detail["name"] + ":" + detail["pin"]
}
