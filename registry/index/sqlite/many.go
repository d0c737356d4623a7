package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"

	"berth/registry"
	"berth/registry/index"
)

// The queries of the candidates of a repository with many: each goes once, in
// order, through what the repository has, and what there is to know of manifests
// comes from the graph. kind, where key would do, keeps the second from going by
// keys.
const (
	sqlManyTags  = `SELECT name, obj, at, pulled FROM tag WHERE repo = ? AND name > ? ORDER BY name LIMIT ?`
	sqlManyHolds = `SELECT obj, at, pulled FROM hold WHERE repo = ? AND kind & 2`
	sqlNamed     = `SELECT o.key, s.key FROM obj o LEFT JOIN obj s ON s.id = o.subject WHERE o.id = ?`
)

// manyCandidatesAtOnce is how many tags are read before the first is yielded.
const manyCandidatesAtOnce = 1 << 16

// many reports whether a repository has much to be judged; and whether a graph
// must be loaded, where there is none, so that it is not looked up one by one.
func (x *Index) many(ctx context.Context, repo int64) (many, must bool, err error) {
	var n int
	err = x.scan(ctx, `SELECT tags + manifests FROM repo WHERE id = ?`, repo, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return false, false, nil
	}
	return n > candidatesAtOnce, n > candidatesAtOnce || x.graphs.single(n), err
}

// dated is a row of tag or hold.
type dated struct {
	name       string
	obj        int32
	at, pulled int64
}

// manyCandidates yields the candidates of a repository with a graph. Where none
// is kept, and it need not be, done is false.
func (x *Index) manyCandidates(ctx context.Context, repo string, id int64, many, must bool, yield func(index.Candidate, error) bool) (done bool, err error) {
	tagged := bits{}
	for after, more := "", true; more; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		var rows []dated
		var out []index.Candidate
		done, err = x.withGraph(ctx, must, func(g *graph) (err error) {
			err = x.rows(ctx, many, sqlManyTags, func(row []driver.Value) {
				name, _ := row[0].(string)
				rows = append(rows, dated{name, small(row[1]), integer(row[2]), integer(row[3])})
			}, id, after, int64(manyCandidatesAtOnce))
			if err == nil {
				out, err = g.candidates(ctx, x, repo, rows)
			}
			return err
		})
		if !done || err != nil {
			return done, err
		}
		must = true // it has begun
		for i, c := range out {
			tagged.set(rows[i].obj)
			if !yield(c, nil) {
				return true, errStop
			}
			after = c.Tag
		}
		more = len(rows) == manyCandidatesAtOnce
	}
	untagged, err := x.manyUntagged(ctx, repo, id, many, tagged)
	for _, c := range untagged {
		if !yield(c, nil) {
			return true, errStop
		}
	}
	return true, err
}

// manyUntagged gives the manifests of a repository that none of its tags names.
func (x *Index) manyUntagged(ctx context.Context, repo string, id int64, many bool, tagged bits) (out []index.Candidate, err error) {
	_, err = x.withGraph(ctx, true, func(g *graph) error {
		var all []int32
		var rows []dated
		err := x.rows(ctx, many, sqlManyHolds, func(row []driver.Value) {
			obj := small(row[0])
			if all = append(all, obj); !tagged.has(obj) {
				rows = append(rows, dated{"", obj, integer(row[1]), integer(row[2])})
			}
		}, id)
		if err != nil || len(rows) == 0 {
			return err
		}
		if out, err = g.candidates(ctx, x, repo, rows); err != nil {
			return err
		}
		nth := make(map[int32]int, len(rows))
		for i, row := range rows {
			nth[row.obj] = i
		}
		for _, parent := range all {
			if int(parent) >= len(g.objects) {
				continue
			}
			v := &g.objects[parent]
			for _, kid := range g.kids[v.from:v.to] {
				if i, ok := nth[kid]; ok && g.objects[kid].subject != parent {
					out[i].Parents = append(out[i].Parents, v.digest)
				}
			}
		}
		return nil
	})
	slices.SortFunc(out, inOrder)
	return out, err
}

// candidates makes candidates of rows.
func (g *graph) candidates(ctx context.Context, x *Index, repo string, rows []dated) ([]index.Candidate, error) {
	out := make([]index.Candidate, len(rows))
	for i, row := range rows {
		d, subject, err := g.named(ctx, x, row.obj)
		if err != nil {
			return nil, err
		}
		out[i] = index.Candidate{Repository: repo, Tag: row.name, Digest: d, Pushed: timeOf(row.at), Pulled: timeOf(row.pulled), Subject: subject}
	}
	return out, nil
}

// named gives the digest of a manifest, and that of its subject. What the graph
// does not know by name, or not yet, is looked up.
func (g *graph) named(ctx context.Context, x *Index, id int32) (d, subject registry.Digest, err error) {
	if int(id) < len(g.objects) {
		v := &g.objects[id]
		if v.digest != "" && v.subject == 0 {
			return v.digest, "", nil
		}
		if v.digest != "" && int(v.subject) < len(g.objects) && g.objects[v.subject].digest != "" {
			return v.digest, g.objects[v.subject].digest, nil
		}
	}
	var key, of []byte
	err = x.scan(ctx, sqlNamed, id, &key, &of)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", errDamaged
	}
	return digestOf(key), digestOf(of), err
}

// bits is a set of small numbers.
type bits []uint64

func (b *bits) set(n int32) {
	for int(n/64) >= len(*b) {
		*b = append(*b, make([]uint64, 1+len(*b))...)
	}
	(*b)[n/64] |= 1 << (n % 64)
}

func (b bits) has(n int32) bool { return int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0 }
