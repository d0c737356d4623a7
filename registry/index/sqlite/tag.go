package sqlite

import (
	"database/sql"
	"errors"

	"berth/registry"
	"berth/registry/index"
)

func (w *writer) putTag(c index.PutTag) error {
	r, err := w.repo(c.Repository)
	if err != nil {
		return err
	}
	o, err := w.object(c.Digest, 0)
	if err != nil {
		return err
	}
	var was, pulls, pulled int64
	err = w.stmts[sqlTag].QueryRowContext(w.ctx, r, c.Tag).Scan(&was, &pulls, &pulled)
	isNew := errors.Is(err, sql.ErrNoRows)
	if err != nil && !isNew {
		return err
	}
	if was != o.id {
		if was != 0 {
			if err := w.referAll(was, -1); err != nil {
				return err
			}
		}
		pulls, pulled = 0, 0
		if err := w.referAll(o.id, 1); err != nil {
			return err
		}
	}
	if err := w.exec(sqlTagPut, r, c.Tag, o.id, c.At.UnixNano(), c.By, pulls, pulled); err != nil {
		return err
	}
	return w.tags(r, when(isNew, 1))
}

// tags counts tags of a repository, and repositories that have any, and notes
// the newest push.
func (w *writer) tags(repo, by int64) error {
	n, _, err := w.id(sqlRepoTag, by, repo)
	if err != nil {
		return err
	}
	if by == 0 {
		return nil
	}
	return w.exec(sqlCount, when(n == 0 || n == 1 && by == 1, by), by, 0)
}

func (w *writer) dropTag(repo, tag string) error {
	r, found, err := w.id(sqlRepoID, repo)
	if err != nil || !found {
		return err
	}
	var obj, pulls, pulled int64
	err = w.stmts[sqlTag].QueryRowContext(w.ctx, r, tag).Scan(&obj, &pulls, &pulled)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := w.exec(sqlTagDel, r, tag); err != nil {
		return err
	}
	if err := w.tags(r, -1); err != nil {
		return err
	}
	return w.referAll(obj, -1)
}

func (w *writer) pulled(c index.Pulled) error {
	r, found, err := w.id(sqlRepoID, c.Repository)
	if err != nil || !found {
		return err
	}
	o, found, err := w.scan(sqlObj, string(c.Digest))
	if err != nil || !found {
		return err
	}
	return w.exec(sqlTagPull, c.At.UnixNano(), r, o.id, c.Tag, c.Tag)
}

func (w *writer) dropRepository(name string) error {
	r, found, err := w.id(sqlRepoID, name)
	if err != nil || !found {
		return err
	}
	tags, err := w.strings(`SELECT name FROM tag WHERE repo=?`, r)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if err := w.dropTag(name, tag); err != nil {
			return err
		}
	}
	digests, err := w.strings(`SELECT o.digest FROM hold h JOIN obj o ON o.id=h.obj WHERE h.repo=?`, r)
	if err != nil {
		return err
	}
	for _, d := range digests {
		for _, kind := range []int64{holdBlob, holdManifest} {
			if err := w.drop(name, registry.Digest(d), kind); err != nil {
				return err
			}
		}
	}
	_, err = w.conn.ExecContext(w.ctx, `DELETE FROM repo WHERE id=?`, r)
	return err
}

func (w *writer) strings(query string, args ...any) ([]string, error) {
	rows, err := w.conn.QueryContext(w.ctx, query, args...)
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
	return out, rows.Err()
}
