package sqlite

import (
	"database/sql/driver"
	"slices"

	"berth/registry"
)

// graph is everything that Frees, Sizes and Candidates must know of objects, in
// memory: about 60 bytes for each, and 130 more for each manifest.
type graph struct {
	byDigest map[registry.Digest]int32 // manifests
	objects  []vertex                  // by id
	kids     []int32
	unused   int     // of kids
	going    []int32 // by id: tags that go; all zero between two questions
	mark     int32   // the last that was used
}

type vertex struct {
	size     int64
	digest   registry.Digest // of a manifest
	from, to int32           // of kids
	tags     int32
	subject  int32
	mark     int32
	there    bool // on disk, with that size
	pinned   bool
}

func (g *graph) grow(id int32) *vertex {
	if n := int(id) + 1 - len(g.objects); n > 0 {
		g.objects = append(g.objects, make([]vertex, n)...)
	}
	return &g.objects[id]
}

// name gives an object its digest.
func (g *graph) name(id int32, d registry.Digest) {
	g.objects[id].digest = d
	g.byDigest[d] = id
}

// The rows that a graph is made of. Who is no manifest needs no name.
const (
	sqlVertices = `SELECT id, size, disk > 0, tags, pinned > 0, ifnull(subject, 0), CASE WHEN info IS NOT NULL OR tags > 0 THEN key END FROM obj ORDER BY id`
	sqlEdges    = `SELECT parent, child FROM edge ORDER BY parent`
)

func (x *Index) loadGraph() (*graph, error) {
	g := &graph{byDigest: map[registry.Digest]int32{}}
	err := x.bulk(sqlVertices, func(row []driver.Value) {
		id := small(row[0])
		v := g.grow(id)
		v.size, v.there, v.tags, v.pinned, v.subject = integer(row[1]), integer(row[2]) != 0, small(row[3]), integer(row[4]) != 0, small(row[5])
		if key, ok := row[6].([]byte); ok {
			g.name(id, digestOf(key))
		}
	})
	if err != nil {
		return nil, err
	}
	err = x.bulk(sqlEdges, func(row []driver.Value) {
		parent, kid := small(row[0]), small(row[1])
		g.grow(max(parent, kid))
		v := &g.objects[parent]
		if v.to == 0 {
			v.from = int32(len(g.kids)) //nolint:gosec // rows are fewer
		}
		g.kids = append(g.kids, kid)
		v.to = int32(len(g.kids)) //nolint:gosec // as above
	})
	return g, err
}

// small reads the id of a row, or a count of rows.
func small(v driver.Value) int32 { return int32(integer(v)) } //nolint:gosec // rows are fewer

// take makes a change that was written to the database.
func (g *graph) take(c graphChange) {
	if c.edge != noEdge {
		g.grow(max(c.id, c.kid))
	}
	switch c.edge {
	case noEdge:
		v := g.grow(c.id)
		v.size, v.there, v.tags, v.pinned, v.subject = c.size, c.there, c.tags, c.pinned, c.kid
		if c.key != "" && v.digest == "" {
			g.name(c.id, digestOf([]byte(c.key)))
		}
	case newEdge:
		g.join(c.id, c.kid)
	case cutEdge:
		v := &g.objects[c.id]
		kids := g.kids[v.from:v.to]
		if i := slices.Index(kids, c.kid); i >= 0 {
			kids[i] = kids[len(kids)-1]
			v.to--
			g.unused++
		}
	}
}

func (g *graph) join(id, kid int32) {
	v := &g.objects[id]
	kids := g.kids[v.from:v.to]
	if slices.Contains(kids, kid) {
		return
	}
	if int(v.to) != len(g.kids) {
		g.unused += len(kids)
		v.from = int32(len(g.kids)) //nolint:gosec // rows are fewer
		g.kids = append(g.kids, kids...)
	}
	g.kids = append(g.kids, kid)
	v.to = int32(len(g.kids)) //nolint:gosec // as above
	if g.unused > len(g.kids)/2+1024 {
		g.compact()
	}
}

// compact lets go of the kids that are not used.
func (g *graph) compact() {
	kids := make([]int32, 0, len(g.kids)-g.unused)
	for i := range g.objects {
		v := &g.objects[i]
		from := int32(len(kids)) //nolint:gosec // rows are fewer
		kids = append(kids, g.kids[v.from:v.to]...)
		v.from, v.to = from, int32(len(kids)) //nolint:gosec // as above
	}
	g.kids, g.unused = kids, 0
}

// walk marks what lives through an object and was not marked before, and gives
// it to visit, which may be nil.
func (g *graph) walk(from, mark int32, stack []int32, visit func(v *vertex)) []int32 {
	stack = append(stack[:0], from)
	for len(stack) > 0 {
		v := &g.objects[stack[len(stack)-1]]
		stack = stack[:len(stack)-1]
		if v.mark == mark {
			continue
		}
		v.mark = mark
		if visit != nil {
			visit(v)
		}
		for _, kid := range g.kids[v.from:v.to] {
			if g.objects[kid].mark != mark {
				stack = append(stack, kid)
			}
		}
	}
	return stack
}

// frees marks what the tags that stay reach; what those that go reach beside is
// free.
func (g *graph) frees(ids []int32) (sum int64) {
	if len(g.going) < len(g.objects) {
		g.going = make([]int32, len(g.objects)+len(g.objects)/8)
	}
	g.mark++
	for _, id := range ids {
		g.going[id]++
	}
	var stack []int32
	for id := range g.objects {
		if v := &g.objects[id]; v.tags > 0 && v.tags > g.going[id] {
			stack = g.walk(int32(id), g.mark, stack, nil) //nolint:gosec // as above
		}
	}
	count := func(v *vertex) {
		if v.there && !v.pinned {
			sum += v.size
		}
	}
	for _, id := range ids {
		g.going[id] = 0
		stack = g.walk(id, g.mark, stack, count)
	}
	return sum
}
