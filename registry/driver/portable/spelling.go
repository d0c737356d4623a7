package portable

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"berth/registry/driver"
)

// tags is what stands before a tag: the only names that distribution writes
// with capitals.
const tags = "/_manifests/tags/"

// spelling remembers how the plain names of tags are spelled on disk, where
// asking for one finds whatever differs from it by case.
type spelling struct {
	mu    sync.Mutex
	count int                         // guarded by mu, as is:
	seen  map[string]map[string]spelt // folder → folded name → spelling
}

type spelt struct {
	name     string
	modified time.Time
	ours     bool // about to be made by us, so not yet looked at
}

// maxSpelt bounds the memory: what is forgotten is read again.
const maxSpelt = 1 << 17

func (s *spelling) note(folder string, e spelt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || s.count >= maxSpelt {
		s.seen, s.count = map[string]map[string]spelt{}, 0
	}
	if s.seen[folder] == nil {
		s.seen[folder] = map[string]spelt{}
	}
	s.seen[folder][strings.ToLower(e.name)] = e
	s.count++
}

// recall gives the spelling of the folder that was last changed at modified.
func (s *spelling) recall(folder, name string, modified time.Time) (string, bool) {
	folded := strings.ToLower(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.seen[folder][folded]
	if ok && e.ours {
		e.ours, e.modified = false, modified
		s.seen[folder][folded] = e
	}
	return e.name, ok && e.modified.Equal(modified)
}

// path translates a key. Where case is ignored, a tag is looked for under its
// plain name as well; making says that the caller may create it.
func (d *Driver) path(ctx context.Context, key string, making bool) (string, error) {
	if err := driver.CheckKey(key); err != nil {
		return "", err
	}
	if !d.rules.Fold {
		return d.static(key), nil
	}
	i := strings.Index(key, tags)
	if i < 0 {
		return d.static(key), nil
	}
	head, rest := key[:i+len(tags)-1], key[i+len(tags):]
	tag, tail, below := strings.Cut(rest, "/")
	folder := d.static(head)
	name, err := d.tagName(ctx, folder, tag, making)
	if err != nil {
		return "", err
	}
	under := d.static(tail)
	switch {
	case folder == head && name == tag && under == tail:
		return key, nil
	case below:
		return folder + "/" + name + "/" + under, nil
	}
	return folder + "/" + name, nil
}

// tagName gives the name under which a tag lies, or is to lie.
func (d *Driver) tagName(ctx context.Context, folder, tag string, making bool) (string, error) {
	if d.rules.plain(tag) {
		there, exact, err := d.spelt(ctx, folder, tag)
		if err != nil || exact {
			return tag, err
		}
		marked := d.rules.marked(tag)
		if there {
			return marked, nil
		}
		if there, err = d.exists(ctx, folder+"/"+marked); err != nil || there {
			return marked, err
		}
		if making {
			d.spelling.note(folder, spelt{name: tag, ours: true})
		}
		return tag, nil
	}
	marked := d.rules.marked(tag)
	if there, err := d.exists(ctx, folder+"/"+marked); err != nil || there || !d.foreign(tag) {
		return marked, err
	}
	if _, exact, err := d.spelt(ctx, folder, tag); err != nil || exact {
		return tag, err
	}
	return marked, nil
}

// foreign reports whether distribution could have written a tag under its own
// name here, though we would not: case is all that is wrong with it.
func (d *Driver) foreign(tag string) bool {
	without := d.rules
	without.Fold = false
	return without.plain(tag)
}

func (d *Driver) exists(ctx context.Context, path string) (bool, error) {
	_, err := d.inner.Stat(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// spelt reports whether the folder has a child of that name, and whether it is
// spelled so.
func (d *Driver) spelt(ctx context.Context, folder, name string) (there, exact bool, err error) {
	info, err := d.inner.Stat(ctx, folder+"/"+name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	if err != nil {
		return false, false, err
	}
	if as, ok := d.spelling.recall(folder, name, info.Modified); ok {
		return true, as == name, nil
	}
	for info, err := range d.inner.List(ctx, folder) {
		if errors.Is(err, fs.ErrNotExist) {
			return false, false, nil
		}
		if err != nil {
			return false, false, err
		}
		as := path.Base(info.Key)
		if as[0] == mark {
			continue
		}
		d.spelling.note(folder, spelt{name: as, modified: info.Modified})
		if strings.EqualFold(as, name) {
			there, exact = true, as == name
		}
	}
	return there, exact, nil
}

// twin gives the other name of a tag that lies under two, or "": distribution
// wrote its own after we had. path is the one that counts.
func (d *Driver) twin(ctx context.Context, key, path string) (string, error) {
	i := strings.Index(key, tags)
	if !d.rules.Fold || i < 0 {
		return "", nil
	}
	tag := key[i+len(tags):]
	if strings.Contains(tag, "/") {
		return "", nil
	}
	folder := d.static(key[:i+len(tags)-1])
	if marked := folder + "/" + d.rules.marked(tag); path != marked {
		there, err := d.exists(ctx, marked)
		if err != nil || !there {
			return "", err
		}
		return marked, nil
	}
	if !d.foreign(tag) {
		return "", nil
	}
	_, exact, err := d.spelt(ctx, folder, tag)
	if err != nil || !exact {
		return "", err
	}
	return folder + "/" + tag, nil
}
