package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/index"
)

// prepared gives the statement of a query, which is prepared once. Queries come
// from a few constant texts, so there are few statements.
func (x *Index) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := x.stmts.Load(query); ok {
		return s.(*sql.Stmt), nil
	}
	s, err := x.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, x.watch(err)
	}
	if first, ok := x.stmts.LoadOrStore(query, s); ok {
		return first.(*sql.Stmt), s.Close()
	}
	return s, nil
}

func (x *Index) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := x.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args...)
	return rows, x.watch(err)
}

// scan reads the one row of a query; sql.ErrNoRows when there is none.
func (x *Index) scan(ctx context.Context, query string, arg any, into ...any) error {
	s, err := x.prepared(ctx, query)
	if err != nil {
		return err
	}
	return x.watch(s.QueryRowContext(ctx, arg).Scan(into...))
}

// names runs a query that gives one text column.
func (x *Index) names(ctx context.Context, query string, args ...any) ([]string, error) {
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	rows, err := x.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, x.watch(rows.Err())
}

// all turns "no limit" into SQLite's word for it.
func all(limit int) int {
	if limit <= 0 {
		return -1
	}
	return limit
}

// RepositoryNames lists repositories that hold a manifest, by name.
func (x *Index) RepositoryNames(ctx context.Context, after string, limit int) ([]string, error) {
	return x.names(ctx, `SELECT name FROM repo WHERE manifests > 0 AND name > ? ORDER BY name LIMIT ?`, after, all(limit))
}

// TagNames lists tags by name.
func (x *Index) TagNames(ctx context.Context, repo, after string, limit int) ([]string, error) {
	id, err := x.repository(ctx, repo)
	if err != nil {
		return nil, err
	}
	return x.names(ctx, `SELECT name FROM tag WHERE repo = ? AND name > ? ORDER BY name LIMIT ?`, id, after, all(limit))
}

// TagsOf lists the tags that name a manifest, by name.
func (x *Index) TagsOf(ctx context.Context, repo string, d registry.Digest) ([]string, error) {
	return x.names(ctx, `SELECT t.name FROM obj o CROSS JOIN tag t ON t.obj = o.id CROSS JOIN repo r ON r.id = t.repo
		WHERE o.digest = ? AND r.name = ? ORDER BY t.name`, string(d), repo)
}

// Manifests lists the manifests of a repository by digest.
func (x *Index) Manifests(ctx context.Context, repo string, after registry.Digest, limit int) ([]registry.Digest, error) {
	texts, err := x.names(ctx, `SELECT o.digest FROM repo r CROSS JOIN hold h ON h.repo = r.id AND h.kind >= 2
		CROSS JOIN obj o ON o.id = h.obj WHERE r.name = ? AND o.digest > ? ORDER BY o.digest LIMIT ?`, repo, string(after), all(limit))
	out := make([]registry.Digest, len(texts))
	for i, text := range texts {
		out[i] = registry.Digest(text)
	}
	return out, err
}

// repository finds a repository that has a manifest or a tag.
func (x *Index) repository(ctx context.Context, name string) (int64, error) {
	if err := x.settle(ctx); err != nil {
		return 0, err
	}
	var id int64
	err := x.scan(ctx, `SELECT id FROM repo WHERE name = ? AND (manifests > 0 OR tags > 0)`, name, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("repository %s: %w", name, index.ErrUnknown)
	}
	return id, err
}

// Referrers lists referrers of a subject by digest.
func (x *Index) Referrers(ctx context.Context, repo string, subject registry.Digest, artifactType string, after registry.Digest, limit int) ([]registry.Descriptor, error) {
	texts, err := x.names(ctx, `SELECT m.info FROM obj s
		CROSS JOIN obj m ON m.subject = s.id AND m.digest > ?
		CROSS JOIN repo r ON r.name = ?
		CROSS JOIN hold h ON h.repo = r.id AND h.obj = m.id AND h.kind >= 2
		WHERE s.digest = ? AND (? = '' OR m.artifact = ?) ORDER BY m.digest LIMIT ?`,
		string(after), repo, string(subject), artifactType, artifactType, all(limit))
	if err != nil {
		return nil, err
	}
	out := make([]registry.Descriptor, len(texts))
	for i, text := range texts {
		m, err := x.decode(text)
		if err != nil {
			return nil, err
		}
		out[i] = m.Descriptor
	}
	return out, nil
}

// Manifest gives what is known of a manifest.
func (x *Index) Manifest(ctx context.Context, d registry.Digest) (index.Manifest, error) {
	texts, err := x.names(ctx, `SELECT info FROM obj WHERE digest = ? AND known = 1`, string(d))
	if err != nil {
		return index.Manifest{}, err
	}
	if len(texts) == 0 {
		return index.Manifest{}, fmt.Errorf("manifest %s: %w", d, index.ErrUnknown)
	}
	m, err := x.decode(texts[0])
	return index.Manifest(m), err
}

// decode reads what the writer has written; anything else is damage.
func (x *Index) decode(text string) (m info, err error) {
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return info{}, x.watch(fmt.Errorf("%w: %w", errDamaged, err))
	}
	return m, nil
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
		err := x.scan(ctx, `SELECT refs FROM obj WHERE digest = ?`, string(d), &n)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		out[d] = n
	}
	return out, nil
}

// Usage gives the totals, which are one row.
func (x *Index) Usage(ctx context.Context) (index.Usage, error) {
	var u index.Usage
	if err := x.settle(ctx); err != nil {
		return u, err
	}
	err := x.db.QueryRowContext(ctx, `SELECT repos, tags, manifests, blobs, bytes, tagged FROM total`).
		Scan(&u.Repositories, &u.Tags, &u.Manifests, &u.Blobs, &u.Bytes, &u.Tagged)
	return u, x.watch(err)
}

// Repositories lists repositories that have tags.
func (x *Index) Repositories(ctx context.Context, q index.Query) ([]index.Repository, error) {
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	rows, err := x.query(ctx, `SELECT name, tags, manifests, size, shared, pushed
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
		if err := rows.Scan(&r.Name, &r.Tags, &r.Manifests, &r.Size, &r.Shared, &at); err != nil {
			return nil, err
		}
		r.Pushed = time.Unix(0, at).UTC()
		out = append(out, r)
	}
	return out, x.watch(rows.Err())
}

// repositoryOrder gives the ORDER BY of a query; names break ties.
func repositoryOrder(q index.Query) string {
	column := map[index.Order]string{index.ByName: "name", index.BySize: "size", index.ByTags: "tags", index.ByPushed: "pushed"}[q.Order]
	descending := q.Descending
	if column == "" {
		column, descending = "pushed", true
	}
	if descending {
		column += " DESC"
	}
	return column + ", name"
}
