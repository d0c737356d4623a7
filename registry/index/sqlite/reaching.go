package sqlite

import (
	"context"

	"berth/registry"
	"berth/registry/index"
)

var _ index.Reacher = (*Index)(nil)

// sqlReaching climbs all edges but those from a subject to its referrers.
const sqlReaching = `WITH RECURSIVE up(o) AS (
		SELECT id FROM obj WHERE key = ?
		UNION SELECT e.parent FROM up CROSS JOIN edge e ON e.child = up.o CROSS JOIN obj c ON c.id = e.child WHERE c.subject IS NOT e.parent)
	SELECT t.name FROM repo r CROSS JOIN up CROSS JOIN tag t ON t.obj = up.o AND t.repo = r.id WHERE r.name = ? ORDER BY t.name`

// TagsReaching lists the tags above a digest; see index.Reacher.
func (x *Index) TagsReaching(ctx context.Context, repo string, d registry.Digest) ([]string, error) {
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	return column(ctx, x, text, sqlReaching, keyOf(d), repo)
}
