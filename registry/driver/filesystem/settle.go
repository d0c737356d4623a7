package filesystem

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"berth/registry/driver/filesystem/internal/disk"
)

// births remembers the folders whose name in their parent is not yet on the
// disk. Whoever puts something below such a folder settles it, too: another
// goroutine may have made it, and not come to its flush.
type births struct {
	mu      sync.Mutex
	pending map[string]uint64 // path → generation; guarded by mu
	last    uint64            // guarded by mu
}

// mkdirBorn makes a folder for a file that the journal does not know.
func (d *Driver) mkdirBorn(dir string) error { return d.births.mkdir(d.disk, dir) }

// mkdir makes and notes under one lock, so that nobody finds a folder that is
// not noted.
func (b *births) mkdir(on disk.Disk, dir string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := on.Mkdir(dir); err != nil {
		return err
	}
	if b.pending == nil {
		b.pending = map[string]uint64{}
	}
	b.last++
	b.pending[dir] = b.last
	return nil
}

// above gives the folders from dir upwards that are pending.
func (b *births) above(dir string, rootLen int) map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.pending) == 0 {
		return nil
	}
	var found map[string]uint64
	for ; len(dir) >= rootLen; dir = filepath.Dir(dir) {
		if generation, ok := b.pending[dir]; ok {
			if found == nil {
				found = map[string]uint64{}
			}
			found[dir] = generation
		}
	}
	return found
}

// settled strikes folders off, but not one that was made anew meanwhile.
func (b *births) settled(folders map[string]uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for dir, generation := range folders {
		if b.pending[dir] == generation {
			delete(b.pending, dir)
		}
	}
}

// settle returns when the names in dir, and those that lead to it, are on the
// disk. A flush that fails leaves the folders pending, so the next one tries
// them again.
func (d *Driver) settle(dir string) error {
	born := d.births.above(dir, len(d.root))
	dirs := map[string]struct{}{dir: {}}
	for child := range born {
		dirs[filepath.Dir(child)] = struct{}{}
	}
	for above := dir; len(above) > len(d.root); above = filepath.Dir(above) {
		if d.journal.Remembers(folderHash(above)) {
			dirs[filepath.Dir(above)] = struct{}{}
		}
	}
	if err := d.flushAll(dirs); err != nil {
		return err
	}
	d.births.settled(born)
	return nil
}

// settleFound settles names that an earlier process may have made and not
// settled: on a system that can, by making all of its durable, once.
func (d *Driver) settleFound(dir string) error {
	d.found.mu.Lock()
	defer d.found.mu.Unlock()
	if d.found.durable {
		return nil
	}
	all, err := d.volumes.sync()
	if err != nil {
		return err
	}
	if d.found.durable = all; all {
		return nil
	}
	dirs := map[string]struct{}{}
	for ; len(dir) >= len(d.root)-1; dir = filepath.Dir(dir) {
		dirs[dir] = struct{}{}
	}
	return d.flushAll(dirs)
}

// inherited is what an earlier process left.
type inherited struct {
	mu      sync.Mutex // held for a flush
	durable bool       // guarded by mu
}

// flushAll flushes side by side: the disk does several in one go.
func (d *Driver) flushAll(dirs map[string]struct{}) error {
	errs := make(chan error, len(dirs))
	for dir := range dirs {
		go func() { errs <- d.flush(dir) }()
	}
	var all []error
	for range dirs {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}

// flush syncs a folder. One that is gone was deleted by another, and needs none.
func (d *Driver) flush(dir string) error {
	if err := d.disk.SyncFolder(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// makeRoot makes the root and what is missing above it.
func makeRoot(root string) error {
	missing := []string{}
	for dir := root; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
		missing = append(missing, dir)
	}
	if err := os.MkdirAll(root, 0o777); err != nil {
		return err
	}
	for _, dir := range missing {
		if err := (disk.OS{}).SyncFolder(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}
