package app

import (
	"context"
	"errors"
	"fmt"

	"berth/registry"
	"berth/registry/index"
)

// closure adds to sizes everything that a manifest reaches, itself included, as
// far as the index knows it.
func (c *Core) closure(ctx context.Context, d registry.Digest, sizes map[registry.Digest]int64) error {
	if _, done := sizes[d]; done {
		return nil
	}
	m, err := c.ix.Manifest(ctx, d)
	if errors.Is(err, index.ErrUnknown) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up manifest %s: %w", d, err)
	}
	sizes[d] = m.Descriptor.Size
	for _, b := range m.Blobs {
		sizes[b.Digest] = b.Size
	}
	for _, child := range m.Children {
		if err := c.closure(ctx, child.Digest, sizes); err != nil {
			return err
		}
	}
	return nil
}

func (c *Core) reached(ctx context.Context, d registry.Digest) (int64, error) {
	sizes := map[registry.Digest]int64{}
	err := c.closure(ctx, d, sizes)
	var sum int64
	for _, n := range sizes {
		sum += n
	}
	return sum, err
}

// frees gives the bytes that no tag would reach if the tags that name going
// went, and that gone, which no longer are tags, reach as well; without what
// kept reaches. A digest in going stands for one tag each time.
func (c *Core) frees(ctx context.Context, going, gone, kept []registry.Digest) (int64, error) {
	all, by := map[registry.Digest]int64{}, map[registry.Digest]int{}
	for _, d := range going {
		own := map[registry.Digest]int64{}
		if err := c.closure(ctx, d, own); err != nil {
			return 0, err
		}
		for digest, size := range own {
			all[digest] = size
			by[digest]++
		}
	}
	for _, d := range gone {
		if err := c.closure(ctx, d, all); err != nil {
			return 0, err
		}
	}
	stays := map[registry.Digest]int64{}
	for _, d := range kept {
		if err := c.closure(ctx, d, stays); err != nil {
			return 0, err
		}
	}
	for d := range stays {
		delete(all, d)
	}
	if len(all) == 0 {
		return 0, nil
	}
	digests := make([]registry.Digest, 0, len(all))
	for d := range all {
		digests = append(digests, d)
	}
	sharing, err := c.ix.Sharing(ctx, digests)
	if err != nil {
		return 0, fmt.Errorf("count who shares: %w", err)
	}
	var sum int64
	for d, size := range all {
		if sharing[d] <= by[d] {
			sum += size
		}
	}
	return sum, nil
}
