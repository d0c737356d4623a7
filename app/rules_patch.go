package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/retention"
)

// mostPatched is up to how many changes a group is patched; with more, all of it
// is read.
const mostPatched = 500

// patch makes the group of a repository of the one before, after little has
// changed: a push into a repository of a hundred thousand tags must not cost
// reading them. ok is false where that cannot be. The caller holds judge.mu.
func (c *Core) patch(ctx context.Context, p *pending, held map[registry.Digest]time.Time) (ok bool, err error) {
	was := p.was
	p.was = nil
	ix, can := c.ix.(index.Changer)
	if !can || was == nil || was.group == nil || was.pins != p.pins {
		return false, nil
	}
	changed, ok := ix.Changed(p.repo, was.version)
	if !ok {
		return false, nil
	}
	// What came into the trash, or left it, is held by it, or no more.
	for d, until := range held {
		if !was.held[d].Equal(until) {
			changed.Named = append(changed.Named, d)
		}
	}
	for d := range was.held {
		if _, still := held[d]; !still {
			changed.Named = append(changed.Named, d)
		}
	}
	if changed.Len() > mostPatched {
		return false, nil
	}
	a := affectedBy(was.group, changed)
	if len(a.tags)+len(a.manifests) > 2*mostPatched {
		return false, nil
	}
	rows, err := ix.CandidatesOf(ctx, p.repo, keysOf(a.tags), keysOf(a.manifests))
	if errors.Is(err, index.ErrUnknown) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read what has changed in %s: %w", p.repo, err)
	}
	fresh, err := c.candidatesAlone(ctx, p.repo, rows, held)
	if err != nil {
		return false, err
	}
	all := a.merge(was.group, fresh)
	if err := c.holdStrangers(ctx, all); err != nil {
		return false, err
	}
	p.group, p.fresh = retention.NewGroup(all), true
	return true, nil
}

// affected are the candidates that are read again.
type affected struct {
	tags      map[string]bool
	manifests map[registry.Digest]bool // where they have no tag
}

// affectedBy finds what changes concern.
func affectedBy(g *retention.Group, c index.Changed) affected {
	a := affected{map[string]bool{}, map[registry.Digest]bool{}}
	itself := map[registry.Digest]bool{}
	for _, tag := range c.Tags {
		a.tags[tag] = true
	}
	for _, d := range c.Named {
		a.manifests[d] = true
	}
	for _, d := range c.Manifests {
		itself[d], a.manifests[d] = true, true
	}
	for place := range g.Len() {
		candidate := g.Candidate(place)
		switch {
		case candidate.Tag == "":
			for _, parent := range candidate.Parents {
				if itself[parent] {
					a.manifests[candidate.Digest] = true
				}
			}
		case a.tags[candidate.Tag]:
			a.manifests[candidate.Digest] = true // which may have no tag now
		case len(itself) > 0 && itself[candidate.Digest]:
			a.tags[candidate.Tag] = true
		}
	}
	return a
}

// merge gives the candidates of a group, with those that were read again in
// place of those that are concerned; both are in order.
func (a affected) merge(g *retention.Group, fresh []retention.Candidate) []retention.Candidate {
	out := make([]retention.Candidate, 0, g.Len()+len(fresh))
	for place := range g.Len() {
		candidate := g.Candidate(place)
		if candidate.Tag != "" && a.tags[candidate.Tag] || candidate.Tag == "" && a.manifests[candidate.Digest] {
			continue
		}
		for len(fresh) > 0 && before(&fresh[0], candidate) {
			out, fresh = append(out, fresh[0]), fresh[1:]
		}
		out = append(out, *candidate)
	}
	return append(out, fresh...)
}

// before reports whether a comes before b: tags by name, then what has none.
func before(a, b *retention.Candidate) bool {
	if (a.Tag == "") != (b.Tag == "") {
		return a.Tag != ""
	}
	if a.Tag != "" {
		return a.Tag < b.Tag
	}
	return strings.Compare(string(a.Digest), string(b.Digest)) < 0
}

func keysOf[K comparable](m map[K]bool) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}
