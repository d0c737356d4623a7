package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"iter"

	"berth/registry/index"
)

// The queries of Candidates, page by page. CROSS JOIN keeps them going by
// repository.
const (
	sqlTagged = `SELECT t.name, o.key, t.at, t.pulled, s.key, NULL FROM tag t CROSS JOIN obj o ON o.id = t.obj
		LEFT JOIN obj s ON s.id = o.subject WHERE t.repo = ? AND t.name > ? ORDER BY t.name LIMIT ?`
	sqlUntagged     = sqlUntaggedFrom + ` AND h.key > ?` + sqlUntaggedIf + ` ORDER BY h.key LIMIT ?`
	sqlUntaggedFrom = `SELECT '', h.key, h.at, h.pulled, s.key, (SELECT group_concat(hex(p.key)) FROM edge e
			CROSS JOIN hold p ON p.repo = h.repo AND p.obj = e.parent AND p.key IS NOT NULL WHERE e.child = h.obj AND e.parent IS NOT o.subject)
		FROM hold h INDEXED BY hold_manifest CROSS JOIN obj o ON o.id = h.obj LEFT JOIN obj s ON s.id = o.subject
		WHERE h.repo = ?`
	sqlUntaggedIf = ` AND (o.tags = 0 OR NOT EXISTS (SELECT 1 FROM tag t WHERE t.obj = h.obj AND t.repo = h.repo))`
)

// candidatesAtOnce is how many are read before the first is yielded: the reader
// may ask the index something else meanwhile.
const candidatesAtOnce = 4096

// Candidates gives what rules may judge; see index.Index.
func (x *Index) Candidates(ctx context.Context, repo string) iter.Seq2[index.Candidate, error] {
	return func(yield func(index.Candidate, error) bool) {
		err := x.settle(ctx)
		names := []string{repo}
		if err == nil && repo == "" {
			names, err = column(ctx, x, text, `SELECT name FROM repo WHERE tags > 0 OR manifests > 0 ORDER BY name`)
		}
		for _, name := range names {
			if err != nil {
				break
			}
			if err = x.candidates(ctx, name, yield); errors.Is(err, errStop) {
				return
			}
		}
		if err != nil {
			yield(index.Candidate{}, err)
		}
	}
}

// errStop ends a list whose reader has left.
var errStop = errors.New("stop")

func (x *Index) candidates(ctx context.Context, repo string, yield func(index.Candidate, error) bool) error {
	id, err := x.repository(ctx, repo)
	if errors.Is(err, index.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	many, must, err := x.many(ctx, id)
	if err != nil {
		return err
	}
	if done, err := x.manyCandidates(ctx, repo, id, many, must, yield); done || err != nil {
		return err
	}
	for _, query := range []string{sqlTagged, sqlUntagged} {
		for after, more := any(""), true; more; {
			some, err := x.someCandidates(ctx, query, id, after)
			if err != nil {
				return err
			}
			for _, c := range some {
				c.Repository = repo
				if !yield(c, nil) {
					return errStop
				}
				if after = c.Tag; c.Tag == "" {
					after = keyOf(c.Digest)
				}
			}
			more = len(some) == candidatesAtOnce
		}
	}
	return nil
}

func (x *Index) someCandidates(ctx context.Context, query string, repo int64, after any) ([]index.Candidate, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if query == sqlUntagged && after == "" {
		after = []byte{}
	}
	return x.readCandidates(ctx, query, repo, after, candidatesAtOnce)
}

// readCandidates reads the rows of a query; their repository is not set.
func (x *Index) readCandidates(ctx context.Context, query string, args ...any) ([]index.Candidate, error) {
	rows, err := x.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []index.Candidate
	var name, key, subject, parents sql.RawBytes
	var at, pulled int64
	for rows.Next() {
		if err := rows.Scan(&name, &key, &at, &pulled, &subject, &parents); err != nil {
			return nil, x.watch(err)
		}
		c := index.Candidate{Tag: string(name), Digest: digestOf(key), Pushed: timeOf(at), Pulled: timeOf(pulled), Subject: digestOf(subject)}
		for part := range bytes.SplitSeq(parents, []byte{','}) {
			if parent, err := hex.DecodeString(string(part)); err == nil && len(parent) > 0 {
				c.Parents = append(c.Parents, digestOf(parent))
			}
		}
		out = append(out, c)
	}
	return out, x.watch(rows.Err())
}
