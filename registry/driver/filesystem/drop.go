package filesystem

import (
	"io/fs"
	"path/filepath"
	"strings"

	"berth/registry/driver"
)

var _ driver.Dropper = (*writer)(nil)

// Drop implements [driver.Dropper].
func (w *writer) Drop() error {
	if w.failed == nil {
		w.failed = fail("append", w.key, fs.ErrClosed)
	}
	return w.f.Close()
}

// below gives the pending folders at a path and under it, so that they can be
// struck off when it is deleted: nobody will settle them.
func (b *births) below(path string) map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found map[string]uint64
	for dir, generation := range b.pending {
		if dir == path || strings.HasPrefix(dir, path) && dir[len(path)] == filepath.Separator {
			if found == nil {
				found = map[string]uint64{}
			}
			found[dir] = generation
		}
	}
	return found
}
