package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"berth/registry"
	"berth/registry/index"
)

func (x *Index) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := x.file.Load().prepared(query)
	if err != nil {
		return nil, x.watch(err)
	}
	// A list is short; a context that can end costs the driver a goroutine.
	rows, err := s.QueryContext(context.WithoutCancel(ctx), args...)
	return rows, x.watch(err)
}

// scan reads the one row of a query; sql.ErrNoRows when there is none.
func (x *Index) scan(ctx context.Context, query string, arg any, into ...any) error {
	s, err := x.file.Load().prepared(query)
	if err != nil {
		return x.watch(err)
	}
	return x.watch(s.QueryRowContext(context.WithoutCancel(ctx), arg).Scan(into...))
}

// column reads the one column of a query; read makes a value of it, which must
// not keep it.
func column[T any](ctx context.Context, x *Index, read func(sql.RawBytes) (T, error), query string, args ...any) ([]T, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rows, err := x.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	var raw sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&raw); err != nil {
			return nil, x.watch(err)
		}
		v, err := read(raw)
		if err != nil {
			return nil, x.watch(err)
		}
		out = append(out, v)
	}
	return out, x.watch(rows.Err())
}

func text(b sql.RawBytes) (string, error) { return string(b), nil }

func asDigest(b sql.RawBytes) (registry.Digest, error) { return digestOf(b), nil }

func asDescriptor(b sql.RawBytes) (registry.Descriptor, error) { return decodeDescriptor(b) }

// all turns "no limit" into SQLite's word for it.
func all(limit int) int {
	if limit <= 0 {
		return -1
	}
	return limit
}

// repository finds a repository that has a manifest or a tag.
func (x *Index) repository(ctx context.Context, name string) (int64, error) {
	var id int64
	err := x.scan(ctx, `SELECT id FROM repo WHERE name = ? AND (manifests > 0 OR tags > 0)`, name, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("repository %s: %w", name, index.ErrUnknown)
	}
	return id, err
}

// Manifest gives what is known of a manifest.
func (x *Index) Manifest(ctx context.Context, d registry.Digest) (index.Manifest, error) {
	x.mu.Lock()
	queued, ok := x.pending.known[d]
	x.mu.Unlock()
	if ok {
		return *queued.m, nil
	}
	found, err := column(ctx, x, func(b sql.RawBytes) (index.Manifest, error) { return decode(b) },
		`SELECT info FROM obj WHERE key = ? AND info IS NOT NULL`, keyOf(d))
	if err != nil {
		return index.Manifest{}, err
	}
	if len(found) == 0 {
		return index.Manifest{}, fmt.Errorf("manifest %s: %w", d, index.ErrUnknown)
	}
	return found[0], nil
}

// Sharing says by how many tags each digest is reached; one that is not known
// is reached by none.
func (x *Index) Sharing(ctx context.Context, digests []registry.Digest) (map[registry.Digest]int, error) {
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	out := make(map[registry.Digest]int, len(digests))
	for _, d := range digests {
		var n int
		err := x.scan(ctx, `SELECT refs FROM obj WHERE key = ?`, keyOf(d), &n)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		out[d] = n
	}
	return out, nil
}

// Repositories lists repositories that have tags.
func (x *Index) Repositories(ctx context.Context, q index.Query) ([]index.Repository, error) {
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	rows, err := x.query(ctx, `SELECT name, tags, manifests, size, shared, size-shared-kept, pushed
		FROM repo WHERE tags > 0 AND (? = '' OR instr(name, ?) > 0)
		ORDER BY `+repositoryOrder(q)+` LIMIT ? OFFSET ?`,
		q.Search, strings.ToLower(q.Search), all(q.Limit), q.Offset)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []index.Repository
	for rows.Next() {
		var r index.Repository
		var at int64
		if err := rows.Scan(&r.Name, &r.Tags, &r.Manifests, &r.Size, &r.Shared, &r.Frees, &at); err != nil {
			return nil, err
		}
		r.Pushed = timeOf(at)
		out = append(out, r)
	}
	return out, x.watch(rows.Err())
}

// Repository gives the row of one repository.
func (x *Index) Repository(ctx context.Context, name string) (index.Repository, error) {
	r := index.Repository{Name: name}
	if err := x.settle(ctx); err != nil {
		return r, err
	}
	var at int64
	err := x.scan(ctx, `SELECT tags, manifests, size, shared, size-shared-kept, pushed FROM repo WHERE name = ? AND (tags > 0 OR manifests > 0 OR size > 0)`,
		name, &r.Tags, &r.Manifests, &r.Size, &r.Shared, &r.Frees, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return r, fmt.Errorf("repository %s: %w", name, index.ErrUnknown)
	}
	r.Pushed = timeOf(at)
	return r, err
}

// repositoryOrder gives the ORDER BY of a query; names break ties.
func repositoryOrder(q index.Query) string {
	column := map[index.Order]string{index.ByName: "name", index.BySize: "size", index.ByFrees: "size-shared-kept", index.ByTags: "tags", index.ByPushed: "pushed"}[q.Order]
	descending := q.Descending
	if column == "" {
		column, descending = "pushed", true
	}
	if descending {
		column += " DESC"
	}
	return column + ", name"
}
