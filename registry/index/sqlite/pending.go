package sqlite

import (
	"slices"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/index"
)

// pending is what was applied and is not in the database yet, as far as lists
// of names tell it. It makes a list see what was applied before without
// waiting for the database. Each thing remembers the number of the change that
// decided it, and is forgotten when that change is written.
type pending struct {
	repos map[string]*pendingRepo
	known map[registry.Digest]pendingManifest
}

type pendingRepo struct {
	last      uint64 // number of the last change
	dropped   uint64 // number of a DropRepository: nothing in the database counts; or 0
	tags      map[string]pendingTag
	manifests map[registry.Digest]pendingManifest
}

type pendingTag struct {
	number uint64
	digest registry.Digest // empty: the tag is gone
	at     time.Time
	by     string
}

type pendingManifest struct {
	number uint64
	m      *index.Manifest // nil: the repository holds it no more
}

func (p *pending) repo(name string, number uint64) *pendingRepo {
	r := p.repos[name]
	if r == nil {
		if p.repos == nil {
			p.repos = map[string]*pendingRepo{}
		}
		r = &pendingRepo{}
		p.repos[name] = r
	}
	r.last = number
	return r
}

func (r *pendingRepo) tag(name string, t pendingTag) {
	if r.tags == nil {
		r.tags = map[string]pendingTag{}
	}
	r.tags[name] = t
}

func (r *pendingRepo) manifest(d registry.Digest, m pendingManifest) {
	if r.manifests == nil {
		r.manifests = map[registry.Digest]pendingManifest{}
	}
	r.manifests[d] = m
}

func (p *pending) add(c index.Change, number uint64) {
	switch c := c.(type) {
	case index.PutTag:
		p.repo(c.Repository, number).tag(c.Tag, pendingTag{number, c.Digest, c.At, c.By})
	case index.DropTag:
		p.repo(c.Repository, number).tag(c.Tag, pendingTag{number: number})
	case index.PutManifest:
		m := pendingManifest{number, &c.Manifest}
		p.repo(c.Repository, number).manifest(c.Manifest.Descriptor.Digest, m)
		if p.known == nil {
			p.known = map[registry.Digest]pendingManifest{}
		}
		p.known[c.Manifest.Descriptor.Digest] = m
	case index.DropManifest:
		p.repo(c.Repository, number).manifest(c.Digest, pendingManifest{number, nil})
	case index.DropRepository:
		r := p.repo(c.Repository, number)
		*r = pendingRepo{last: number, dropped: number}
	}
}

// forget is called when the change c, and all up to the number written, are in
// the database.
func (p *pending) forget(c index.Change, written uint64) {
	switch c := c.(type) {
	case index.PutTag:
		p.forgetTag(c.Repository, c.Tag, written)
	case index.DropTag:
		p.forgetTag(c.Repository, c.Tag, written)
	case index.PutManifest:
		p.forgetManifest(c.Repository, c.Manifest.Descriptor.Digest, written)
		if m, ok := p.known[c.Manifest.Descriptor.Digest]; ok && m.number <= written {
			delete(p.known, c.Manifest.Descriptor.Digest)
		}
	case index.DropManifest:
		p.forgetManifest(c.Repository, c.Digest, written)
	case index.DropRepository:
		if r := p.done(c.Repository, written); r != nil && r.dropped <= written {
			r.dropped = 0
		}
	}
}

// done gives a repository that has something left to be written, and forgets
// one that has not.
func (p *pending) done(repo string, written uint64) *pendingRepo {
	r := p.repos[repo]
	if r != nil && r.last <= written {
		delete(p.repos, repo)
		return nil
	}
	return r
}

func (p *pending) forgetTag(repo, tag string, written uint64) {
	r := p.done(repo, written)
	if r == nil {
		return
	}
	if t, ok := r.tags[tag]; ok && t.number <= written {
		delete(r.tags, tag)
	}
}

func (p *pending) forgetManifest(repo string, d registry.Digest, written uint64) {
	r := p.done(repo, written)
	if r == nil {
		return
	}
	if m, ok := r.manifests[d]; ok && m.number <= written {
		delete(r.manifests, d)
	}
}

// held reports whether the repository holds a manifest that is not in the
// database yet.
func (r *pendingRepo) held() bool {
	for _, m := range r.manifests {
		if m.m != nil {
			return true
		}
	}
	return false
}

// verdict is what the queue says of one thing in a list: it decides, whatever
// the database says.
type verdict[T any] struct {
	there bool
	value T
}

// page gives what comes strictly behind after, at most limit or, when that is
// not positive, all: what the database gives page by page, but for what the
// queue decides. key gives what things are sorted by.
func page[T any](after string, limit int, decided map[string]verdict[T], key func(T) string, next func(after string, limit int) ([]T, error)) ([]T, error) {
	var out []T
	last, more := after, true
	for more && (limit <= 0 || len(out) < limit) {
		some, err := next(last, limit)
		if err != nil {
			return nil, err
		}
		more = limit > 0 && len(some) == limit
		if len(some) > 0 {
			last = key(some[len(some)-1])
		}
		if len(decided) == 0 {
			return some, nil
		}
		for _, thing := range some {
			if _, ok := decided[key(thing)]; !ok {
				out = append(out, thing)
			}
		}
	}
	added := false
	for k, v := range decided {
		if v.there && k > after && (!more || k <= last) {
			out, added = append(out, v.value), true
		}
	}
	if added {
		slices.SortFunc(out, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	}
	if limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	return out, nil
}

func itself(s string) string { return s }
