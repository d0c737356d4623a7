package sqlite

import (
	"context"
	"database/sql"
	"time"

	"berth/registry"
	"berth/registry/index"
)

// Usage gives the totals, which are one row.
func (x *Index) Usage(ctx context.Context) (index.Usage, error) {
	var u index.Usage
	if err := x.settle(ctx); err != nil {
		return u, err
	}
	err := x.file.Load().db.QueryRowContext(ctx, `SELECT repos, tags, manifests, blobs, bytes, images, shared, held, pinned, loose, untagged FROM total`).
		Scan(&u.Repositories, &u.Tags, &u.Manifests, &u.Blobs, &u.Bytes, &u.Images, &u.Shared, &u.Held, &u.Pinned, &u.Loose, &u.Untagged)
	return u, x.watch(err)
}

// sqlFresh gives what is loose and new, and what such manifests reach: who has
// just pushed one without a tag may be about to tag it.
const sqlFresh = `WITH RECURSIVE r(o) AS (
	SELECT id FROM obj WHERE disk>=0 AND refs=0 AND kept=0 AND at>?
	UNION SELECT e.child FROM r CROSS JOIN obj p ON p.id=r.o AND p.revs>0 CROSS JOIN edge e ON e.parent=r.o)
	SELECT ifnull(sum(disk),0), ifnull(sum(CASE WHEN revs>0 THEN disk END),0)
	FROM r CROSS JOIN obj ON id=r.o WHERE disk>0 AND refs=0 AND kept=0`

// Fresh gives what is loose and newer than since.
func (x *Index) Fresh(ctx context.Context, since time.Time) (index.Fresh, error) {
	var f index.Fresh
	if err := x.settle(ctx); err != nil {
		return f, err
	}
	return f, x.scan(ctx, sqlFresh, nanoseconds(since), &f.Loose, &f.Untagged)
}

// Stored lists what is on disk, by digest.
func (x *Index) Stored(ctx context.Context, after registry.Digest, limit int) ([]registry.Stored, error) {
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	rows, err := x.query(ctx, `SELECT key, disk, at FROM obj WHERE key > ? AND disk >= 0 ORDER BY key LIMIT ?`, keyAfter(after), all(limit))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []registry.Stored
	var key sql.RawBytes
	for rows.Next() {
		var s registry.Stored
		var at int64
		if err := rows.Scan(&key, &s.Size, &at); err != nil {
			return nil, x.watch(err)
		}
		s.Digest, s.Modified = digestOf(key), timeOf(at)
		out = append(out, s)
	}
	return out, x.watch(rows.Err())
}

// Roots lists the roots by id.
func (x *Index) Roots(ctx context.Context, after string, limit int) ([]index.Root, error) {
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	rows, err := x.query(ctx, `SELECT r.id, o.key, r.lasting FROM root r CROSS JOIN obj o ON o.id = r.obj WHERE r.id > ? ORDER BY r.id LIMIT ?`, after, all(limit))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []index.Root
	var key sql.RawBytes
	for rows.Next() {
		var r index.Root
		if err := rows.Scan(&r.ID, &key, &r.Lasting); err != nil {
			return nil, x.watch(err)
		}
		r.Digest = digestOf(key)
		out = append(out, r)
	}
	return out, x.watch(rows.Err())
}
