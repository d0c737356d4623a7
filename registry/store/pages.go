package store

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"berth/registry/driver"
	"berth/registry/index"
)

// pages keeps pages of lists and lists of referrers, as the index gave them. A
// page is believed until a change is brought to the index that could be on it.
type pages struct {
	kept    *bounded[page, pageOf]
	told    *generations  // changes of a repository
	catalog atomic.Uint64 // changes of which repositories there are
	listed  *bounded[string, struct{}]
	looks   *bounded[string, look]

	referrers *bounded[ask, referred]
}

// page says what was asked for. An empty repository means the catalog.
type page struct {
	repo, after string
	limit       int
}

type pageOf struct {
	told  uint64 // generation when it was asked for
	names []string
}

// least is for what is needed also where nothing is to be kept.
const least = 64 << 10

func newPages(limit int64) *pages {
	limit /= 16
	p := &pages{
		kept:   newBounded[page, pageOf](limit),
		told:   newGenerations(),
		listed: newBounded[string, struct{}](max(limit/8, least)),
		looks:  newBounded[string, look](max(limit/8, least)),

		referrers: newBounded[ask, referred](2 * limit),
	}
	p.referrers.largest = limit
	return p
}

func (p *pages) generation(repo string) *atomic.Uint64 {
	if repo == "" {
		return &p.catalog
	}
	return p.told.of(repo)
}

// get gives a page, from memory or by read. The names must not be modified.
func (p *pages) get(at page, read func() ([]string, error)) ([]string, error) {
	told := p.generation(at.repo).Load()
	if kept, ok := p.kept.get(at); ok && kept.told == told {
		return kept.names, nil
	}
	names, err := read()
	if err != nil {
		return nil, err
	}
	size := len(at.repo) + len(at.after)
	for _, name := range names {
		size += len(name) + 16
	}
	p.kept.put(at, pageOf{told, names}, int64(size))
	return names, nil
}

// note says that changes were brought to the index. The locks of repositories
// are held, so that none comes and goes at the same time.
func (p *pages) note(changes []index.Change) {
	for _, c := range changes {
		switch c := c.(type) {
		case index.PutManifest:
			p.told.of(c.Repository).Add(1)
			if _, ok := p.listed.get(c.Repository); !ok {
				p.catalog.Add(1)
				p.listed.put(c.Repository, struct{}{}, int64(len(c.Repository)))
			}
		case index.PutTag:
			p.told.of(c.Repository).Add(1)
		case index.DropTag:
			p.told.of(c.Repository).Add(1)
		case index.DropManifest:
			p.gone(c.Repository)
		case index.DropRepository:
			p.gone(c.Repository)
		}
	}
}

// forget is for when the index was wrong, and is right again: it may lack what
// it was told, so nothing of before counts.
func (p *pages) forget() {
	p.listed.clear()
	p.catalog.Add(1)
	for i := range p.told.count {
		p.told.count[i].Add(1)
	}
}

// gone says that a repository may have left the catalog.
func (p *pages) gone(repo string) {
	p.told.of(repo).Add(1)
	p.listed.drop(repo)
	p.catalog.Add(1)
}

// look remembers the folder of the tags of a repository, as it was when the
// index was found to list what is in it.
type look struct {
	folder driver.Info
	told   uint64    // generation of the repository before
	next   time.Time // the next look at what is in it, where we pushed meanwhile
}

// Our own pushes change the folder as well. After one, what is in it is looked
// at lookShare times less long than not, and at most every lookPause.
const (
	lookPause = time.Second
	lookShare = 20
)

// tagsSeen reports whether the index lists the tags of a repository that are
// on the disk: with one stat, as long as the folder is what it was. When
// another program was at it, it gives the tags that are there, in order.
func (s *Store) tagsSeen(ctx context.Context, repo string) (names []string, seen bool, err error) {
	began := time.Now()
	folder, err := s.drv.Stat(ctx, tagsRoot(repo))
	if err != nil && !missing(err) {
		return nil, false, err
	}
	told := s.pages.told.of(repo).Load()
	was, known := s.pages.looks.get(repo)
	if known && (same(was.folder, folder) || told != was.told && began.Before(was.next)) {
		return nil, true, nil
	}
	listed, err := s.pages.get(page{repo: repo}, func() ([]string, error) { return s.ix.TagNames(ctx, repo, "", 0) })
	if err != nil {
		return nil, false, err
	}
	names, err = s.tagsBeside(ctx, repo, listed)
	if err != nil {
		return nil, false, err
	}
	if names != nil {
		s.doubtRepo(repo)
		return names, false, nil
	}
	if !settled(folder, began) {
		folder = driver.Info{Modified: began} // no folder is like it
	}
	now := time.Now()
	was = look{folder, told, now.Add(max(lookPause, lookShare*now.Sub(began)))}
	s.pages.looks.put(repo, was, int64(len(repo)+len(folder.Key)))
	return nil, true, nil
}

// tagsBeside gives the tags on disk where they are not those that are listed,
// else nil. Only what is not in both is read.
func (s *Store) tagsBeside(ctx context.Context, repo string, listed []string) ([]string, error) {
	names, differs, i := []string{}, false, 0
	for name, err := range s.children(ctx, tagsRoot(repo)) {
		if err != nil {
			return nil, err
		}
		for i < len(listed) && listed[i] < name {
			i, differs = i+1, true
		}
		if i < len(listed) && listed[i] == name {
			names, i = append(names, name), i+1
			continue
		}
		if _, err := s.ResolveTag(ctx, repo, name); err == nil {
			names, differs = append(names, name), true
		} else if ctx.Err() != nil {
			return nil, err
		}
	}
	if !differs && i == len(listed) {
		return nil, nil
	}
	return slices.Clip(names), nil
}
