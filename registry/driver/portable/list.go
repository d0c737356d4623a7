package portable

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"berth/registry/driver"
)

// List implements [driver.Driver]. Names with a mark come first from the inner
// driver; they are put in their places among the others, which are not kept.
func (d *Driver) List(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	return func(yield func(driver.Info, error) bool) {
		folder := prefix
		if prefix != "" {
			var err error
			if folder, err = d.path(ctx, prefix, false); err != nil {
				yield(driver.Info{}, err)
				return
			}
		}
		m := merge{d: d, prefix: prefix, tags: d.holdsTags(prefix), yield: yield}
		for info, err := range d.inner.List(ctx, folder) {
			if err != nil {
				yield(driver.Info{}, err)
				return
			}
			name := lastPart(info.Key)
			ok := true
			if name[0] > mark {
				ok = m.plain(info, name)
			} else if err := d.collect(ctx, folder, name, info, &m); err != nil {
				yield(driver.Info{}, err)
				return
			}
			if !ok {
				return
			}
		}
		m.rest()
	}
}

// holdsTags reports whether the children of a folder are tags that may lie
// under two names.
func (d *Driver) holdsTags(prefix string) bool {
	return d.rules.Fold && strings.HasSuffix("/"+prefix+"/", tags)
}

// merge yields plain names as they come and marked ones between them.
type merge struct {
	d      *Driver
	prefix string
	tags   bool
	early  []driver.Info // with keys that are translated
	sorted bool
	yield  func(driver.Info, error) bool
}

// collect takes a name that came before the plain ones.
func (d *Driver) collect(ctx context.Context, folder, name string, info driver.Info, m *merge) error {
	if name[0] != mark {
		if m.takes(name) {
			info.Key = join(m.prefix, name)
			m.early = append(m.early, info)
		}
		return nil
	}
	if goesOn(lastPart(name)) && info.Dir {
		return d.descend(ctx, folder, name, m)
	}
	part, ok := d.rules.part(name)
	if ok && (m.tags || !d.rules.plain(part)) {
		info.Key = join(m.prefix, part)
		m.early = append(m.early, info)
	}
	return nil
}

// descend collects the parts that begin with the name of a folder.
func (d *Driver) descend(ctx context.Context, folder, name string, m *merge) error {
	for info, err := range d.inner.List(ctx, join(folder, name)) {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if child := lastPart(info.Key); child[0] == mark {
			if err := d.collect(ctx, folder, name+"/"+child, info, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// takes reports whether a plain name is somebody's key.
func (m *merge) takes(name string) bool {
	return m.d.rules.plain(name) || m.tags && m.d.foreign(name)
}

func (m *merge) sort() {
	if m.sorted {
		return
	}
	m.sorted = true
	slices.SortFunc(m.early, func(a, b driver.Info) int { return cmp.Compare(a.Key, b.Key) })
	m.early = slices.CompactFunc(m.early, func(a, b driver.Info) bool { return a.Key == b.Key })
}

func (m *merge) plain(info driver.Info, name string) bool {
	if !m.takes(name) {
		return true
	}
	if m.tags {
		m.d.spelling.note(folderOf(info.Key), spelt{name: name, modified: info.Modified})
	}
	info.Key = join(m.prefix, name)
	m.sort()
	for len(m.early) > 0 && m.early[0].Key <= info.Key {
		first := m.early[0]
		m.early = m.early[1:]
		if first.Key == info.Key {
			continue // it lies under two names
		}
		if !m.yield(first, nil) {
			return false
		}
	}
	return m.yield(info, nil)
}

func (m *merge) rest() {
	m.sort()
	for _, info := range m.early {
		if !m.yield(info, nil) {
			return
		}
	}
}

// Walk implements [driver.Walker], whether the inner driver does or not.
func (d *Driver) Walk(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	return func(yield func(driver.Info, error) bool) {
		folders := []string{prefix}
		for len(folders) > 0 {
			folder := folders[len(folders)-1]
			folders = folders[:len(folders)-1]
			for info, err := range d.List(ctx, folder) {
				switch {
				case errors.Is(err, fs.ErrNotExist) && folder != prefix:
				case err != nil:
					yield(driver.Info{}, err)
					return
				case info.Dir:
					folders = append(folders, info.Key)
				case !yield(info, nil):
					return
				}
			}
		}
	}
}

func lastPart(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }

func folderOf(key string) string { return key[:max(strings.LastIndexByte(key, '/'), 0)] }

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "/" + name
}
