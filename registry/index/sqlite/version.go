package sqlite

import (
	"sync"
	"time"

	"berth/registry/index"
)

// pullPatience is for how long a pull may go untold: a registry that is pulled
// from all the time would change all the time.
const pullPatience = time.Minute

// versions say which repositories have changed.
type versions struct {
	mu     sync.Mutex // guards what follows
	last   uint64     // the last change of any
	floor  uint64     // no version is below
	of     map[string]uint64
	pulled map[string]time.Time // pulls since that are not told yet
}

func (v *versions) changed(repo string) {
	v.last++
	if v.of == nil || len(v.of) >= maxVersions {
		v.of, v.floor = map[string]uint64{}, v.last
	}
	v.of[repo] = v.last
}

// maxVersions bounds how many repositories are told apart.
const maxVersions = 1 << 16

// note takes changes that were queued.
func (v *versions) note(changes []index.Change) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range changes {
		switch c := c.(type) {
		case index.PutTag:
			v.changed(c.Repository)
		case index.DropTag:
			v.changed(c.Repository)
		case index.PutManifest:
			v.changed(c.Repository)
		case index.DropManifest:
			v.changed(c.Repository)
		case index.DropRepository:
			v.changed(c.Repository)
		case index.Pulled:
			if _, waits := v.pulled[c.Repository]; waits || len(v.pulled) >= maxVersions {
				continue
			}
			if v.pulled == nil {
				v.pulled = map[string]time.Time{}
			}
			v.pulled[c.Repository] = time.Now()
		}
	}
}

// all tells that everything may have changed.
func (v *versions) all() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last++
	v.floor = v.last
}

// Version changes with the candidates; see index.Index.
func (x *Index) Version(repo string) uint64 {
	v := &x.versions
	v.mu.Lock()
	defer v.mu.Unlock()
	for name, since := range v.pulled {
		if (repo == "" || repo == name) && time.Since(since) >= pullPatience {
			delete(v.pulled, name)
			v.changed(name)
		}
	}
	if repo == "" {
		return v.last
	}
	return max(v.of[repo], v.floor)
}
