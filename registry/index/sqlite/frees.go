package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"berth/registry/index"
)

// Frees gives what would be free if tags went; see index.Index.
func (x *Index) Frees(ctx context.Context, going ...index.In) (sum int64, err error) {
	if len(going) >= manyAtOnce {
		return x.manyFree(ctx, going)
	}
	if err := x.settle(ctx); err != nil {
		return 0, err
	}
	type one struct{ disk, refs, gone int64 }
	reached, viewer := map[int64]*one{}, x.viewers(ctx)
	for from, tags := range tagsOf(going) {
		repo, err := viewer(from.Repository)
		if err != nil {
			return 0, err
		}
		rows, err := x.query(ctx, `SELECT o.id, o.disk, o.refs FROM obj o WHERE o.disk > 0 AND o.pinned = 0 AND o.id IN (`+sqlReachKey+`)`, keyOf(from.Digest), repo, repo)
		if err != nil {
			return 0, err
		}
		for rows.Next() {
			var id, disk, refs int64
			if err := rows.Scan(&id, &disk, &refs); err != nil {
				return 0, errors.Join(x.watch(err), rows.Close())
			}
			if reached[id] == nil {
				reached[id] = &one{disk: disk, refs: refs}
			}
			reached[id].gone += int64(tags)
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

// tagsOf counts the tags that go, by what they name.
func tagsOf(going []index.In) map[index.In]int32 {
	out := make(map[index.In]int32, len(going))
	for _, in := range going {
		n := int32(1)
		if in.Untagged {
			in.Untagged, n = false, 0
		}
		out[in] += n
	}
	return out
}

// viewer gives the id of a repository for a view: 0 for that of all. One that
// there is not sees nothing that refers to another.
func (x *Index) viewer(ctx context.Context, repo string) (int64, error) {
	if repo == "" {
		return 0, nil
	}
	id, err := x.repository(ctx, repo)
	if errors.Is(err, index.ErrUnknown) {
		return -1, nil
	}
	return id, err
}

// viewers is viewer for many questions: each repository is looked up once.
func (x *Index) viewers(ctx context.Context) func(repo string) (int64, error) {
	ids := map[string]int64{}
	return func(repo string) (int64, error) {
		if id, ok := ids[repo]; ok {
			return id, nil
		}
		id, err := x.viewer(ctx, repo)
		if err == nil {
			ids[repo] = id
		}
		return id, err
	}
}

// viewed is a manifest of which something is asked.
type viewed struct {
	view
	nth int32 // of those that are asked
}

// views gives the objects of manifests, as far as they are known, in the order in
// which the graph has them. The caller holds graphs.mu.
func (g *graph) views(ctx context.Context, x *Index, manifests []index.In) ([]viewed, error) {
	out, viewer := make([]viewed, 0, len(manifests)), x.viewers(ctx)
	for n, in := range manifests {
		repo, err := viewer(in.Repository)
		if err != nil {
			return nil, err
		}
		id, ok, err := g.find(ctx, x, in.Digest)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, viewed{view{repo, int64(id)}, int32(n)}) //nolint:gosec // who asks has them in memory
		}
	}
	slices.SortFunc(out, func(a, b viewed) int {
		return cmp.Or(cmp.Compare(a.obj, b.obj), cmp.Compare(a.repo, b.repo))
	})
	return out, nil
}

func (x *Index) manyFree(ctx context.Context, going []index.In) (sum int64, err error) {
	_, err = x.withGraph(ctx, true, func(g *graph) error {
		views, err := g.views(ctx, x, going)
		if err == nil {
			sum = g.frees(views, going)
		}
		return err
	})
	return sum, err
}

// Sizes says how much each manifest reaches; see index.Index.
func (x *Index) Sizes(ctx context.Context, manifests ...index.In) (map[index.In]int64, error) {
	out := make(map[index.In]int64, len(manifests))
	if len(manifests) >= manyAtOnce {
		return out, x.manySizes(ctx, manifests, out)
	}
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	stmt, err := x.file.Load().prepared(`SELECT ifnull(sum(size),0) FROM obj WHERE id IN (` + sqlReachKey + `)`)
	if err != nil {
		return nil, x.watch(err)
	}
	viewer := x.viewers(ctx)
	for _, in := range manifests {
		repo, err := viewer(in.Repository)
		if err != nil {
			return nil, err
		}
		var size int64
		err = x.watch(stmt.QueryRowContext(context.WithoutCancel(ctx), keyOf(in.Digest), repo, repo).Scan(&size))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		out[in] = size
	}
	return out, nil
}

func (x *Index) manySizes(ctx context.Context, manifests []index.In, out map[index.In]int64) error {
	_, err := x.withGraph(ctx, true, func(g *graph) error {
		for _, in := range manifests {
			out[in] = 0
		}
		views, err := g.views(ctx, x, manifests)
		if err != nil {
			return err
		}
		var stack []int32
		var sum int64
		for i, v := range views {
			if i == 0 || v.view != views[i-1].view {
				sum = 0
				stack = g.walk(v.repo, int32(v.obj), stack, func(_ int32, v *vertex) { sum += v.size }) //nolint:gosec // rows are fewer
			}
			out[manifests[v.nth]] = sum
		}
		return nil
	})
	return err
}
