package app

import (
	"context"

	"berth/registry"
	"berth/registry/filter"
)

// heldAbove asks above only in repositories that a rule about immutable tags is
// for.
func (c *Core) heldAbove(above filter.Above) filter.Above {
	return func(ctx context.Context, repo string, d registry.Digest, of func(tag string) bool) (string, error) {
		if !c.tuning.rules.Load().In(repo) {
			return "", nil
		}
		return above(ctx, repo, d, of)
	}
}
