package app

import (
	"context"
	"fmt"

	"berth/registry"
	"berth/registry/index"
)

// reached says how much a manifest of a repository reaches, as far as the index
// knows it.
func (c *Core) reached(ctx context.Context, repo string, d registry.Digest) (int64, error) {
	in := index.In{Repository: repo, Digest: d}
	sizes, err := c.ix.Sizes(ctx, in)
	if err != nil {
		return 0, fmt.Errorf("measure %s: %w", d, err)
	}
	return sizes[in], nil
}

// frees gives what is free when tags of a repository went that name the digests,
// and the trash has let go: one tag for each time that a digest comes.
func (c *Core) frees(ctx context.Context, repo string, digests ...registry.Digest) (int64, error) {
	going := make([]index.In, len(digests))
	for i, d := range digests {
		going[i] = index.In{Repository: repo, Digest: d}
	}
	frees, err := c.ix.Frees(ctx, going...)
	if err != nil {
		return 0, fmt.Errorf("measure what a delete frees: %w", err)
	}
	return frees, nil
}
