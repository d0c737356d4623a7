package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"iter"

	"berth/registry/index"
)

var _ index.Dater = (*Index)(nil)

// sqlUsed goes through what a repository holds in order, page by page. It asks for
// the kind, though only a manifest has a key: asked for the key, SQLite may go by
// the index of keys, and has to sort.
const sqlUsed = `SELECT obj, key, at, pulled FROM hold WHERE repo = ? AND obj > ? AND kind & 2 ORDER BY obj LIMIT ?`

// Used says when manifests were used; see index.Dater.
func (x *Index) Used(ctx context.Context, repo string) iter.Seq2[index.Used, error] {
	return func(yield func(index.Used, error) bool) {
		err := x.settle(ctx)
		var id int64
		if err == nil {
			id, err = x.repository(ctx, repo)
		}
		if errors.Is(err, index.ErrUnknown) {
			return
		}
		for after, more := int64(0), true; more && err == nil; {
			var some []index.Used
			if some, after, err = x.someUsed(ctx, id, after); err != nil {
				break
			}
			for _, u := range some {
				if !yield(u, nil) {
					return
				}
			}
			more = len(some) == candidatesAtOnce
		}
		if err != nil {
			yield(index.Used{}, err)
		}
	}
}

// someUsed reads a page, and says where it ends.
func (x *Index) someUsed(ctx context.Context, repo, after int64) (out []index.Used, last int64, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	err = x.rows(ctx, true, sqlUsed, func(row []driver.Value) {
		key, _ := row[1].([]byte)
		out = append(out, index.Used{Digest: digestOf(key), Pushed: timeOf(integer(row[2])), Pulled: timeOf(integer(row[3]))})
		last = integer(row[0])
	}, repo, after, int64(candidatesAtOnce))
	return out, last, err
}
