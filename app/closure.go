package app

import (
	"context"
	"fmt"

	"berth/registry"
)

// reached says how much a manifest reaches, as far as the index knows it.
func (c *Core) reached(ctx context.Context, d registry.Digest) (int64, error) {
	sizes, err := c.ix.Sizes(ctx, d)
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", d, err)
	}
	return sizes[d], nil
}

// frees gives what is free when tags went that name the digests, and the trash
// has let go: one tag for each time that a digest comes.
func (c *Core) frees(ctx context.Context, going ...registry.Digest) (int64, error) {
	frees, err := c.ix.Frees(ctx, going...)
	if err != nil {
		return 0, fmt.Errorf("measure what a delete frees: %w", err)
	}
	return frees, nil
}
