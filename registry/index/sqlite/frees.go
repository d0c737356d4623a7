package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"berth/registry"
)

// Frees gives what would be free if tags went; see index.Index.
func (x *Index) Frees(ctx context.Context, going ...registry.Digest) (sum int64, err error) {
	if len(going) >= manyAtOnce {
		_, err := x.withGraph(ctx, true, func(g *graph) error {
			ids := make([]int32, 0, len(going))
			for _, d := range going {
				id, ok, err := g.find(ctx, x, d)
				if err != nil {
					return err
				}
				if ok {
					ids = append(ids, id)
				}
			}
			sum = g.frees(ids)
			return nil
		})
		return sum, err
	}
	if err := x.settle(ctx); err != nil {
		return 0, err
	}
	times := map[registry.Digest]int64{}
	for _, d := range going {
		times[d]++
	}
	type one struct{ disk, refs, gone int64 }
	reached := map[int64]*one{}
	for d, n := range times {
		rows, err := x.query(ctx, `SELECT r.o, o.disk, o.refs, o.pinned, (SELECT min(tags, ?) FROM obj WHERE key = ?)
			FROM (WITH RECURSIVE r(o) AS (SELECT id FROM obj WHERE key = ? UNION SELECT e.child FROM r JOIN edge e ON e.parent=r.o) SELECT o FROM r) r
			CROSS JOIN obj o ON o.id = r.o`, n, keyOf(d), keyOf(d))
		if err != nil {
			return 0, err
		}
		for rows.Next() {
			var id, disk, refs, pinned, gone int64
			if err := rows.Scan(&id, &disk, &refs, &pinned, &gone); err != nil {
				return 0, errors.Join(x.watch(err), rows.Close())
			}
			if pinned > 0 || disk <= 0 {
				continue
			}
			if reached[id] == nil {
				reached[id] = &one{disk: disk, refs: refs}
			}
			reached[id].gone += gone
		}
		if err := errors.Join(x.watch(rows.Err()), rows.Close()); err != nil {
			return 0, err
		}
	}
	for _, o := range reached {
		if o.gone >= o.refs {
			sum += o.disk
		}
	}
	return sum, nil
}

// Sizes says how much each digest reaches; see index.Index.
func (x *Index) Sizes(ctx context.Context, digests ...registry.Digest) (map[registry.Digest]int64, error) {
	if len(digests) >= manyAtOnce {
		return x.manySizes(ctx, digests)
	}
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	out := make(map[registry.Digest]int64, len(digests))
	for _, d := range digests {
		var size int64
		err := x.scan(ctx, `SELECT ifnull(sum(size),0) FROM obj WHERE id IN (
			WITH RECURSIVE r(o) AS (SELECT id FROM obj WHERE key = ? UNION SELECT e.child FROM r JOIN edge e ON e.parent=r.o) SELECT o FROM r)`, keyOf(d), &size)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		out[d] = size
	}
	return out, nil
}

func (x *Index) manySizes(ctx context.Context, digests []registry.Digest) (map[registry.Digest]int64, error) {
	out := make(map[registry.Digest]int64, len(digests))
	_, err := x.withGraph(ctx, true, func(g *graph) error {
		var stack []int32
		for _, d := range digests {
			sum := int64(0)
			id, ok, err := g.find(ctx, x, d)
			if err != nil {
				return err
			}
			if ok {
				g.mark++
				stack = g.walk(id, g.mark, stack, func(v *vertex) { sum += v.size })
			}
			out[d] = sum
		}
		return nil
	})
	return out, err
}
