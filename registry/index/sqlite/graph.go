package sqlite

import (
	"database/sql/driver"
	"slices"

	"berth/registry"
	"berth/registry/index"
)

// graph is everything that Frees, Sizes and Candidates must know of objects, in
// memory: about 60 bytes for each, and 130 more for each manifest.
type graph struct {
	byDigest map[registry.Digest]int32 // manifests
	objects  []vertex                  // by id
	kids     []int32
	links    map[view]struct{} // repositories and the referrers that they link
	unused   int               // of kids
	going    []int32           // by id: 1 and the tags that go and reach it; all zero between two questions
	mark     int32             // the last that was used
}

type vertex struct {
	size     int64
	digest   registry.Digest // of a manifest
	from, to int32           // of kids
	refs     int32
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
	sqlVertices = `SELECT id, size, disk > 0, refs, pinned > 0, ifnull(subject, 0), CASE WHEN info IS NOT NULL OR tags > 0 THEN key END FROM obj ORDER BY id`
	sqlEdges    = `SELECT parent, child FROM edge ORDER BY parent`
	sqlLinks    = `SELECT h.repo, h.obj FROM obj o CROSS JOIN hold h ON h.obj = o.id WHERE o.subject IS NOT NULL AND h.kind >= 2`
)

func (x *Index) loadGraph() (*graph, error) {
	g := &graph{byDigest: map[registry.Digest]int32{}, links: map[view]struct{}{}}
	err := x.bulk(sqlVertices, func(row []driver.Value) {
		id := small(row[0])
		v := g.grow(id)
		v.size, v.there, v.refs, v.pinned, v.subject = integer(row[1]), integer(row[2]) != 0, small(row[3]), integer(row[4]) != 0, small(row[5])
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
	if err != nil {
		return nil, err
	}
	err = x.bulk(sqlLinks, func(row []driver.Value) { g.links[view{integer(row[0]), integer(row[1])}] = struct{}{} })
	return g, err
}

// small reads the id of a row, or a count of rows.
func small(v driver.Value) int32 { return int32(integer(v)) } //nolint:gosec // rows are fewer

// take makes a change that was written to the database.
func (g *graph) take(c graphChange) {
	if c.edge == newEdge || c.edge == cutEdge {
		g.grow(max(c.id, c.kid))
	}
	switch c.edge {
	case newHold:
		g.links[view{int64(c.kid), int64(c.id)}] = struct{}{}
	case cutHold:
		delete(g.links, view{int64(c.kid), int64(c.id)})
	case noEdge:
		v := g.grow(c.id)
		v.size, v.there, v.refs, v.pinned, v.subject = c.size, c.there, c.refs, c.pinned, c.kid
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

// walk marks what lives through an object in a repository, or, for 0, in any,
// and gives it to visit.
func (g *graph) walk(repo int64, from int32, stack []int32, visit func(id int32, v *vertex)) []int32 {
	g.mark++
	stack = append(stack[:0], from)
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		v := &g.objects[id]
		stack = stack[:len(stack)-1]
		if v.mark == g.mark {
			continue
		}
		v.mark = g.mark
		visit(id, v)
		for _, kid := range g.kids[v.from:v.to] {
			if k := &g.objects[kid]; k.mark == g.mark || k.subject == id && !g.sees(repo, kid) {
				continue
			}
			stack = append(stack, kid)
		}
	}
	return stack
}

// sees reports whether a referrer is one in a repository.
func (g *graph) sees(repo int64, referrer int32) bool {
	if repo == 0 {
		return true
	}
	_, ok := g.links[view{repo, int64(referrer)}]
	return ok
}

// frees counts for everything the tags that go and reach it; what no other
// reaches is free.
func (g *graph) frees(views []viewed, going []index.In) (sum int64) {
	if len(g.going) < len(g.objects) {
		g.going = make([]int32, len(g.objects)+len(g.objects)/8)
	}
	var stack, touched []int32
	tags := int32(0)
	for i, from := range views {
		if !going[from.nth].Untagged {
			tags++
		}
		if i+1 < len(views) && views[i+1].view == from.view {
			continue
		}
		stack = g.walk(from.repo, int32(from.obj), stack, func(id int32, _ *vertex) { //nolint:gosec // rows are fewer
			if g.going[id] == 0 {
				g.going[id], touched = 1, append(touched, id)
			}
			g.going[id] += tags
		})
		tags = 0
	}
	for _, id := range touched {
		if v := &g.objects[id]; v.there && !v.pinned && g.going[id] > v.refs {
			sum += v.size
		}
		g.going[id] = 0
	}
	return sum
}
