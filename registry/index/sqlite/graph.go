package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"berth/registry"
)

const (
	// manyAtOnce is from how many digests on everything is read at once, and
	// kept for a while: who asks about so many asks again.
	manyAtOnce = 256
	graphKept  = time.Minute
)

// graph is everything that Frees and Sizes must know, in memory: about 50 bytes
// for each object, and for each digest that may be asked for 150 more.
type graph struct {
	version uint64
	byKey   map[string]int32 // manifests
	objects []vertex         // by id
	kids    []int32
}

type vertex struct {
	disk, size  int64
	from, to    int32 // of kids
	tags        int32
	pinned      bool
	mark, going int32
}

// graphs holds the last graph for a while.
type graphs struct {
	mu   sync.Mutex // guards what follows, and the marks of the graph
	last *graph
	end  *time.Timer // lets go of it
	mark int32
}

// withGraph has do work on a graph that is no older than this call.
func (x *Index) withGraph(ctx context.Context, do func(g *graph) error) error {
	gs := &x.graphs
	gs.mu.Lock()
	defer gs.mu.Unlock()
	version := x.versions.anything()
	if err := x.settle(ctx); err != nil {
		return err
	}
	if gs.last == nil || gs.last.version != version {
		g, err := x.loadGraph(ctx)
		if err != nil {
			return err
		}
		g.version, gs.last = version, g
	}
	if gs.end == nil {
		gs.end = time.AfterFunc(graphKept, func() {
			gs.mu.Lock()
			defer gs.mu.Unlock()
			gs.last = nil
		})
	} else {
		gs.end.Reset(graphKept)
	}
	return do(gs.last)
}

// close lets go of the graph at once.
func (gs *graphs) close() {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if gs.end != nil {
		gs.end.Stop()
	}
	gs.last = nil
}

func (x *Index) loadGraph(ctx context.Context) (*graph, error) {
	g := &graph{byKey: map[string]int32{}}
	rows, err := x.query(ctx, `SELECT id, disk, size, tags, pinned > 0, CASE WHEN info IS NOT NULL OR tags > 0 THEN key END FROM obj ORDER BY id`)
	if err != nil {
		return nil, err
	}
	var key sql.RawBytes
	for rows.Next() {
		var v vertex
		var id int64
		if err := rows.Scan(&id, &v.disk, &v.size, &v.tags, &v.pinned, &key); err != nil {
			return nil, errors.Join(x.watch(err), rows.Close())
		}
		for int64(len(g.objects)) <= id {
			g.objects = append(g.objects, vertex{})
		}
		g.objects[id] = v
		if key != nil {
			g.byKey[string(key)] = int32(id) //nolint:gosec // rows are fewer
		}
	}
	if err := errors.Join(x.watch(rows.Err()), rows.Close()); err != nil {
		return nil, err
	}
	if rows, err = x.query(ctx, `SELECT parent, child FROM edge ORDER BY parent`); err != nil {
		return nil, err
	}
	for rows.Next() {
		var parent, child int32
		if err := rows.Scan(&parent, &child); err != nil {
			return nil, errors.Join(x.watch(err), rows.Close())
		}
		if int(parent) >= len(g.objects) || int(child) >= len(g.objects) {
			continue // it came between the two queries
		}
		v := &g.objects[parent]
		if v.to == 0 {
			v.from = int32(len(g.kids)) //nolint:gosec // as above
		}
		g.kids = append(g.kids, child)
		v.to = int32(len(g.kids)) //nolint:gosec // as above
	}
	return g, errors.Join(x.watch(rows.Err()), rows.Close())
}

// find gives the object of a digest. What is no manifest, as far as the index
// knows, has to be looked up.
func (g *graph) find(ctx context.Context, x *Index, d registry.Digest) (id int32, ok bool, err error) {
	key := keyOf(d)
	if id, ok := g.byKey[string(key)]; ok {
		return id, true, nil
	}
	err = x.scan(ctx, `SELECT id FROM obj WHERE key = ?`, key, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return id, err == nil && int(id) < len(g.objects), err
}

// walk marks what lives through an object and was not marked before, and gives
// it to visit.
func (g *graph) walk(from, mark int32, stack []int32, visit func(v *vertex)) []int32 {
	stack = append(stack[:0], from)
	for len(stack) > 0 {
		v := &g.objects[stack[len(stack)-1]]
		stack = stack[:len(stack)-1]
		if v.mark == mark {
			continue
		}
		v.mark = mark
		visit(v)
		stack = append(stack, g.kids[v.from:v.to]...)
	}
	return stack
}

// frees marks what the tags that stay reach; what those that go reach beside is
// free.
func (g *graph) frees(ids []int32, mark int32) (sum int64) {
	for _, id := range ids {
		g.objects[id].going++
	}
	var stack []int32
	for id := range g.objects {
		if v := &g.objects[id]; v.tags > v.going {
			stack = g.walk(int32(id), mark, stack, func(*vertex) {}) //nolint:gosec // as above
		}
	}
	for _, id := range ids {
		g.objects[id].going = 0
		stack = g.walk(id, mark, stack, func(v *vertex) {
			if !v.pinned {
				sum += max(v.disk, 0)
			}
		})
	}
	return sum
}
