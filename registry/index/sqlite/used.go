package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"berth/registry/index"
)

var _ index.Dater = (*Index)(nil)

// sqlUsed goes through the manifests of a repository in order, page by page.
const sqlUsed = `SELECT key, at, pulled FROM hold INDEXED BY hold_manifest WHERE repo = ? AND key IS NOT NULL AND key > ? ORDER BY key LIMIT ?`

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
		for after, more := []byte{}, true; more && err == nil; {
			var some []index.Used
			if some, err = x.someUsed(ctx, id, after); err != nil {
				break
			}
			for _, u := range some {
				if !yield(u, nil) {
					return
				}
			}
			if more = len(some) == candidatesAtOnce; more {
				after = keyOf(some[len(some)-1].Digest)
			}
		}
		if err != nil {
			yield(index.Used{}, err)
		}
	}
}

func (x *Index) someUsed(ctx context.Context, repo int64, after []byte) ([]index.Used, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows, err := x.query(ctx, sqlUsed, repo, after, candidatesAtOnce)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []index.Used
	var key sql.RawBytes
	var at, pulled int64
	for rows.Next() {
		if err := rows.Scan(&key, &at, &pulled); err != nil {
			return nil, x.watch(err)
		}
		out = append(out, index.Used{Digest: digestOf(key), Pushed: timeOf(at), Pulled: timeOf(pulled)})
	}
	return out, x.watch(rows.Err())
}
