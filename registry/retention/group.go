package retention

import (
	"slices"
	"strings"
	"sync"

	"berth/registry"
)

// maxScopes bounds what a group remembers of rules: those in effect, and some
// that a person tries.
const maxScopes = 32

// Group is the candidates of one repository, ready to be judged again and
// again: what does not depend on the time is found out once. It is safe for
// concurrent use; the candidates must not be changed. A place is a position in
// them, a number stands for a digest.
type Group struct {
	candidates []Candidate

	ids    map[registry.Digest]int32 // number of each digest
	number []int32                   // by place
	stays  []bool                    // by number: whatever the verdict, the manifest is not deleted
	tag    []int32                   // by number: place of a tag that names it, -1: none
	plain  []int32                   // places that are judged as tags
	rest   []attached                // what is not, in order
	nth    map[int32]int32           // by place: position in rest
	with   map[int32][]int32         // by number: places of rest

	mu     sync.Mutex // guards scopes
	scopes map[string]*lazyScope
}

type lazyScope struct {
	once  sync.Once
	scope scope
}

// attached is a candidate that is not judged as a tag, and what it lives and
// dies with.
type attached struct {
	place  int32
	owners []int32
	what   string // it is to the first of them
}

// NewGroup makes a group of the candidates of one repository, which are given
// complete.
func NewGroup(candidates []Candidate) *Group {
	n := len(candidates)
	g := &Group{candidates: candidates, ids: make(map[registry.Digest]int32, n), number: make([]int32, n), scopes: map[string]*lazyScope{}}
	for place := range candidates {
		d := candidates[place].Digest
		id, ok := g.ids[d]
		if !ok {
			id = int32(len(g.ids)) //nolint:gosec // an index
			g.ids[d] = id
		}
		g.number[place] = id
	}
	g.stays, g.tag = make([]bool, len(g.ids)), make([]int32, len(g.ids))
	for id := range g.tag {
		g.tag[id] = -1
	}
	g.plain = make([]int32, 0, n)
	for place := range candidates {
		g.sort(int32(place)) //nolint:gosec // an index
	}
	for i := range g.rest {
		a := &g.rest[i]
		a.owners, a.what = g.owners(&candidates[a.place])
	}
	g.plain = slices.Clip(g.plain)
	return g
}

// Len counts the candidates; Candidate gives the one at a place.
func (g *Group) Len() int { return len(g.candidates) }

// Candidate gives the one at a place.
func (g *Group) Candidate(place int) *Candidate { return &g.candidates[place] }

// settled reports whether no rule is asked.
func (g *Group) settled(place int32) bool {
	c := &g.candidates[place]
	return c.Pinned || c.Held != ""
}

// sort tells tags from what is judged afterwards.
func (g *Group) sort(place int32) {
	c, id := &g.candidates[place], g.number[place]
	if g.settled(place) {
		g.stays[id] = true
	}
	if c.Tag != "" && !g.belongs(c) {
		// A tag that goes leaves its manifest, which goes as one without a tag.
		g.stays[id] = true
		if was := g.tag[id]; was < 0 || c.Tag < g.candidates[was].Tag {
			g.tag[id] = place
		}
		g.plain = append(g.plain, place)
		return
	}
	if g.settled(place) {
		return
	}
	if g.with == nil {
		g.with, g.nth = map[int32][]int32{}, map[int32]int32{}
	}
	g.nth[place] = int32(len(g.rest)) //nolint:gosec // an index
	g.rest = append(g.rest, attached{place: place})
	g.with[id] = append(g.with[id], place)
}

// belongs reports whether a tag is not judged by itself: it is a fallback tag,
// or what it names refers to something that is there.
func (g *Group) belongs(c *Candidate) bool {
	if _, _, ok := attachment(c.Tag); ok {
		return true
	}
	if c.Subject == "" || c.Subject == c.Digest {
		return false
	}
	_, there := g.ids[c.Subject]
	return there
}

// owners gives what a candidate lives and dies with, as far as it is there.
func (g *Group) owners(c *Candidate) (ids []int32, what string) {
	add := func(d registry.Digest, as string) {
		if id, ok := g.ids[d]; ok && d != "" && d != c.Digest {
			ids = append(ids, id)
			if what == "" {
				what = as
			}
		}
	}
	if algorithm, rest, ok := attachment(c.Tag); ok {
		as := "list of what refers to"
		switch {
		case strings.HasSuffix(rest, ".sig"):
			as = "signature of"
		case strings.HasSuffix(rest, ".att"):
			as = "attestation of"
		case strings.HasSuffix(rest, ".sbom"):
			as = "SBOM of"
		case len(rest) > 64:
			as = "refers to"
		}
		add(g.whole(algorithm, rest[:64]), as)
	}
	add(c.Subject, "refers to")
	if c.Tag == "" {
		for _, parent := range c.Parents {
			add(parent, "part of")
		}
	}
	return ids, what
}

// whole gives the digest of a fallback tag.
func (g *Group) whole(algorithm, hex string) registry.Digest {
	if algorithm == "sha256" {
		return registry.Digest("sha256:" + hex)
	}
	for d := range g.ids {
		if strings.HasPrefix(string(d), "sha512:"+hex) {
			return d
		}
	}
	return ""
}

// name is what users call a manifest: by a tag, or by its short digest.
func (g *Group) name(id int32) string {
	if place := g.tag[id]; place >= 0 {
		return g.candidates[place].Tag
	}
	for _, place := range g.with[id] {
		d := string(g.candidates[place].Digest)
		return d[:min(len(d), len("sha256:")+12)]
	}
	return "a manifest"
}
