package sqlite

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"berth/registry"
	"berth/registry/index"
)

var _ index.Changer = (*Index)(nil)

const (
	// pullPatience is for how long a pull may go untold: a registry that is pulled
	// from all the time would change all the time.
	pullPatience = time.Minute
	// maxVersions bounds how many repositories are told apart, and maxPulls how
	// many pulls of one.
	maxVersions = 1 << 16
	maxPulls    = 256
	// maxNews is how many of the last changes are remembered.
	maxNews = 4096
)

// versions say which repositories have changed, and what of those that did so
// last.
type versions struct {
	mu     sync.Mutex // guards what follows
	last   uint64     // the last change of any
	floor  uint64     // no version is below
	of     map[string]uint64
	pulled map[string]*pulls // that are not told yet
	news   []news            // a ring, once it is full; in order of versions
	oldest int               // of news
	known  uint64            // what came after it is in news
}

// pulls of a repository since.
type pulls struct {
	since time.Time
	what  []news // without a version; nil with many
	many  bool
}

// news is one thing that has changed.
type news struct {
	version uint64
	repo    string
	kind    newsKind
	tag     string
	digest  registry.Digest
}

type newsKind uint8

const (
	newsTag      newsKind = iota // of a tag, and of the manifest that it names now
	newsManifest                 // of a manifest
	newsNamed                    // of what names a manifest
	newsAll                      // of a repository
)

// changed takes what has changed of a repository.
func (v *versions) changed(n news) {
	v.last++
	if v.of == nil || len(v.of) >= maxVersions {
		v.of, v.floor = map[string]uint64{}, v.last
	}
	v.of[n.repo], n.version = v.last, v.last
	if len(v.news) < maxNews {
		v.news = append(v.news, n)
		return
	}
	v.known = v.news[v.oldest].version
	v.news[v.oldest] = n
	v.oldest = (v.oldest + 1) % maxNews
}

// note takes changes that were queued.
func (v *versions) note(changes []index.Change) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range changes {
		switch c := c.(type) {
		case index.PutTag:
			v.changed(news{repo: c.Repository, kind: newsTag, tag: c.Tag, digest: c.Digest})
		case index.DropTag:
			v.changed(news{repo: c.Repository, kind: newsTag, tag: c.Tag})
		case index.PutManifest:
			for _, child := range c.Manifest.Children {
				v.changed(news{repo: c.Repository, kind: newsNamed, digest: child.Digest})
			}
			v.changed(news{repo: c.Repository, kind: newsManifest, digest: c.Manifest.Descriptor.Digest})
		case index.DropManifest:
			v.changed(news{repo: c.Repository, kind: newsManifest, digest: c.Digest})
		case index.DropRepository:
			v.changed(news{repo: c.Repository, kind: newsAll})
		case index.Pulled:
			v.pull(c)
		}
	}
}

func (v *versions) pull(c index.Pulled) {
	of := v.pulled[c.Repository]
	if of == nil {
		if len(v.pulled) >= maxVersions {
			return
		}
		if v.pulled == nil {
			v.pulled = map[string]*pulls{}
		}
		of = &pulls{since: time.Now()}
		v.pulled[c.Repository] = of
	}
	n := news{repo: c.Repository, kind: newsTag, tag: c.Tag}
	if c.Tag == "" {
		n = news{repo: c.Repository, kind: newsManifest, digest: c.Digest}
	}
	switch {
	case of.many || slices.Contains(of.what, n):
	case len(of.what) >= maxPulls:
		of.many, of.what = true, nil
	default:
		of.what = append(of.what, n)
	}
}

// all tells that everything may have changed.
func (v *versions) all() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last++
	v.floor, v.known = v.last, v.last
	v.news, v.oldest = nil, 0
}

// Version changes with the candidates; see index.Index.
func (x *Index) Version(repo string) uint64 {
	v := &x.versions
	v.mu.Lock()
	defer v.mu.Unlock()
	if repo == "" {
		v.tellPulls()
		return v.last
	}
	v.tellPullsOf(repo, v.pulled[repo])
	return max(v.of[repo], v.floor)
}

func (v *versions) tellPulls() {
	for name, of := range v.pulled {
		v.tellPullsOf(name, of)
	}
}

func (v *versions) tellPullsOf(repo string, of *pulls) {
	if of == nil || time.Since(of.since) < pullPatience {
		return
	}
	delete(v.pulled, repo)
	if of.many {
		v.changed(news{repo: repo, kind: newsAll})
	}
	for _, n := range of.what {
		v.changed(n)
	}
}

// Changed says what has changed; see index.Changer.
func (x *Index) Changed(repo string, since uint64) (c index.Changed, ok bool) {
	v := &x.versions
	v.mu.Lock()
	defer v.mu.Unlock()
	if since < v.known || since < v.floor {
		return c, false
	}
	for i := range v.news {
		n := &v.news[(v.oldest+len(v.news)-1-i)%len(v.news)]
		if n.version <= since {
			break
		}
		if n.repo != repo {
			continue
		}
		switch n.kind {
		case newsTag:
			if c.Tags = append(c.Tags, n.tag); n.digest != "" {
				c.Named = append(c.Named, n.digest)
			}
		case newsManifest:
			c.Manifests = append(c.Manifests, n.digest)
		case newsNamed:
			c.Named = append(c.Named, n.digest)
		case newsAll:
			return index.Changed{}, false
		}
	}
	return c, true
}

// The queries of CandidatesOf.
const (
	sqlTaggedOne = `SELECT t.name, o.key, t.at, t.pulled, s.key, NULL FROM tag t CROSS JOIN obj o ON o.id = t.obj
		LEFT JOIN obj s ON s.id = o.subject WHERE t.repo = ? AND t.name = ?`
	sqlUntaggedOne = sqlUntaggedFrom + ` AND h.key = ?` + sqlUntaggedIf
)

// CandidatesOf gives some candidates; see index.Changer.
func (x *Index) CandidatesOf(ctx context.Context, repo string, tags []string, manifests []registry.Digest) (out []index.Candidate, err error) {
	if err := x.settle(ctx); err != nil {
		return nil, err
	}
	id, err := x.repository(ctx, repo)
	if err != nil {
		return nil, err
	}
	read := func(query string, what any) error {
		some, err := x.readCandidates(ctx, query, id, what)
		for _, c := range some {
			c.Repository = repo
			out = append(out, c)
		}
		return err
	}
	for _, tag := range tags {
		if err := read(sqlTaggedOne, tag); err != nil {
			return nil, err
		}
	}
	for _, d := range manifests {
		if err := read(sqlUntaggedOne, keyOf(d)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, inOrder)
	return slices.CompactFunc(out, func(a, b index.Candidate) bool { return inOrder(a, b) == 0 }), nil
}

// inOrder sorts candidates of a repository: tags by name, then what has none.
func inOrder(a, b index.Candidate) int {
	switch {
	case a.Tag == "" && b.Tag != "":
		return 1
	case a.Tag != "" && b.Tag == "":
		return -1
	case a.Tag != b.Tag:
		return strings.Compare(a.Tag, b.Tag)
	case a.Tag != "":
		return 0
	}
	return strings.Compare(string(a.Digest), string(b.Digest))
}
