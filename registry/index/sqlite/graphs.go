package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"sync"
	"time"

	"berth/registry"
)

const (
	// manyAtOnce is from how many digests, or candidates, on everything is read at
	// once, and kept for a while: who asks about so many asks again.
	manyAtOnce = 256
	graphKept  = 5 * time.Minute
	// graphBehind is how many changes wait for a graph that nobody asks, before
	// it is let go of.
	graphBehind = 1 << 16
)

// graphs keeps the last graph for a while, and keeps it up to date: the writer
// tells what it has written, and who asks next has the graph take it.
type graphs struct {
	mu   sync.Mutex // guards what follows, and the graph
	last *graph
	end  *time.Timer // lets go of it
	one  int         // candidates that were looked up one by one since
	from time.Time

	told    sync.Mutex // guards what follows; taken for a moment, also by the writer
	wanted  bool       // there is, or will be, a graph that is to be kept up to date
	broken  bool       // it cannot be
	changes []graphChange
}

// graphChange is a row of obj as it is now, or an edge that came or went, or a
// repository (kid) that began, or ceased, to link a referrer. Making
// one again, or one that the graph was loaded with, changes nothing.
type graphChange struct {
	edge    edgeChange
	id, kid int32 // kid is the subject where there is no edge
	size    int64
	refs    int32
	there   bool
	pinned  bool
	key     string // of a manifest
}

type edgeChange uint8

const (
	noEdge edgeChange = iota
	newEdge
	cutEdge
	newHold
	cutHold
)

// tell notes what the writer has committed.
func (gs *graphs) tell(changes []graphChange) {
	gs.told.Lock()
	defer gs.told.Unlock()
	if !gs.wanted || gs.broken {
		return
	}
	if gs.changes = append(gs.changes, changes...); len(gs.changes) > graphBehind {
		gs.broken, gs.changes = true, nil
	}
}

// spoil tells that a graph is of no use any more.
func (gs *graphs) spoil() {
	gs.told.Lock()
	defer gs.told.Unlock()
	gs.broken, gs.changes = true, nil
}

// begin has the writer tell from now on.
func (gs *graphs) begin() {
	gs.told.Lock()
	defer gs.told.Unlock()
	gs.wanted, gs.broken, gs.changes = true, false, nil
}

// catchUp has the graph take what was told; false: that cannot be. The caller
// holds mu.
func (gs *graphs) catchUp() bool {
	gs.told.Lock()
	changes, broken := gs.changes, gs.broken || !gs.wanted
	gs.changes = nil
	gs.told.Unlock()
	if gs.last == nil || broken {
		gs.last = nil
		return false
	}
	for _, c := range changes {
		gs.last.take(c)
	}
	return true
}

// drop lets go of the graph. The caller holds mu.
func (gs *graphs) drop() {
	gs.told.Lock()
	defer gs.told.Unlock()
	gs.last, gs.wanted, gs.changes = nil, false, nil
}

// close lets go of the graph at once.
func (gs *graphs) close() {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if gs.end != nil {
		gs.end.Stop()
	}
	gs.drop()
}

// single counts candidates that are about to be looked up one by one, and says
// when there were so many within a moment that a graph had better be loaded.
func (gs *graphs) single(n int) bool {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if now := time.Now(); now.Sub(gs.from) > time.Second {
		gs.one, gs.from = 0, now
	}
	gs.one += n
	return gs.one > 2*candidatesAtOnce
}

// withGraph has do work on a graph that is no older than this call. Where none
// is kept, and it need not be, do is not called.
func (x *Index) withGraph(ctx context.Context, must bool, do func(g *graph) error) (done bool, err error) {
	gs := &x.graphs
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if err := x.settle(ctx); err != nil {
		return false, err
	}
	for tries := 0; !gs.catchUp(); tries++ {
		if !must {
			return false, nil
		}
		gs.begin()
		g, err := x.loadGraph()
		if err != nil {
			gs.drop()
			return false, err
		}
		if gs.last = g; tries >= 3 { // a writer that is that busy is not waited for
			break
		}
	}
	if gs.end == nil {
		gs.end = time.AfterFunc(graphKept, func() {
			gs.mu.Lock()
			defer gs.mu.Unlock()
			gs.drop()
		})
	} else {
		gs.end.Reset(graphKept)
	}
	return true, do(gs.last)
}

// find gives the object of a digest. What is no manifest, as far as the index
// knows, has to be looked up.
func (g *graph) find(ctx context.Context, x *Index, d registry.Digest) (id int32, ok bool, err error) {
	if id, ok := g.byDigest[d]; ok {
		return id, true, nil
	}
	err = x.scan(ctx, `SELECT id FROM obj WHERE key = ?`, keyOf(d), &id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return id, err == nil && int(id) < len(g.objects), err
}

// rows reads the rows of a query; the row that do gets is reused. Many are read
// past the pool.
func (x *Index) rows(ctx context.Context, many bool, query string, do func(row []driver.Value), args ...any) error {
	if many {
		return x.bulk(query, do, args...)
	}
	rows, err := x.query(ctx, query, args...)
	if err != nil {
		return err
	}
	names, err := rows.Columns()
	row, into := make([]driver.Value, len(names)), make([]any, len(names))
	for i := range row {
		into[i] = &row[i]
	}
	for err == nil && rows.Next() {
		if err = rows.Scan(into...); err == nil {
			do(row)
		}
	}
	return x.watch(errors.Join(err, rows.Err(), rows.Close()))
}

// bulk reads many rows, past the pool that database/sql puts before a
// connection; the row that do gets is reused.
func (x *Index) bulk(query string, do func(row []driver.Value), args ...any) error {
	pooled, err := x.file.Load().db.Conn(background)
	if err != nil {
		return x.watch(err)
	}
	err = pooled.Raw(func(raw any) error {
		c := conn{c: raw.(driver.Conn)}
		err := c.each(query, do, args...)
		for _, s := range c.stmts {
			err = errors.Join(err, s.Close())
		}
		return err
	})
	return x.watch(errors.Join(err, pooled.Close()))
}
