package sqlite

import (
	"context"
	"errors"

	"berth/registry"
	"berth/registry/index"
)

var _ index.Holder = (*Index)(nil)

// Lets gives what would be free without some roots; see index.Holder.
func (x *Index) Lets(ctx context.Context, going ...registry.Digest) (int64, error) {
	if err := x.settle(ctx); err != nil {
		return 0, err
	}
	times := map[registry.Digest]int64{}
	for _, d := range going {
		times[d]++
	}
	type one struct{ disk, kept, gone int64 }
	reached := map[int64]*one{}
	for d, n := range times {
		// An object with more roots than go keeps its own.
		rows, err := x.query(ctx, `SELECT r.o, o.disk, o.kept
			FROM (WITH RECURSIVE r(o) AS (SELECT id FROM obj WHERE key = ? AND roots BETWEEN 1 AND ? UNION SELECT e.child FROM r JOIN edge e ON e.parent=r.o) SELECT o FROM r) r
			CROSS JOIN obj o ON o.id = r.o WHERE o.disk > 0 AND o.refs = 0`, keyOf(d), n)
		if err != nil {
			return 0, err
		}
		for rows.Next() {
			var id, disk, kept int64
			if err := rows.Scan(&id, &disk, &kept); err != nil {
				return 0, errors.Join(x.watch(err), rows.Close())
			}
			if reached[id] == nil {
				reached[id] = &one{disk: disk, kept: kept}
			}
			reached[id].gone++
		}
		if err := errors.Join(x.watch(rows.Err()), rows.Close()); err != nil {
			return 0, err
		}
	}
	sum := int64(0)
	for _, o := range reached {
		if o.gone >= o.kept {
			sum += o.disk
		}
	}
	return sum, nil
}
