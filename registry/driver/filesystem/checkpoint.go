package filesystem

import (
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"sync"
	"time"

	"berth/registry/driver/filesystem/internal/disk"
	"berth/registry/driver/filesystem/internal/journal"
)

// idle is how long after the last change the journal is emptied.
const idle = 5 * time.Second

// volumes are the file systems that a checkpoint has to sync: the root's, and
// others that somebody has linked into it.
type volumes struct {
	mu    sync.Mutex
	known map[uint64]struct{}    // devices; guarded by mu
	open  map[string]disk.Volume // by a path on them; guarded by mu
}

func (v *volumes) add(on disk.Disk, path string, device uint64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.known[device]; ok {
		return nil
	}
	volume, err := on.Volume(path)
	if err != nil {
		return err
	}
	if v.open == nil {
		v.known, v.open = map[uint64]struct{}{}, map[string]disk.Volume{}
	}
	v.known[device] = struct{}{}
	v.open[path] = volume
	return nil
}

// sync gives false where the system cannot sync a whole file system.
func (v *volumes) sync() (bool, error) {
	v.mu.Lock()
	all := make([]disk.Volume, 0, len(v.open))
	for _, volume := range v.open {
		all = append(all, volume)
	}
	v.mu.Unlock()
	for _, volume := range all {
		if ok, err := volume.Sync(); !ok || err != nil {
			return ok, err
		}
	}
	return len(all) > 0, nil
}

func (v *volumes) close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	var errs []error
	for _, volume := range v.open {
		errs = append(errs, volume.Close())
	}
	v.open = nil
	return errors.Join(errs...)
}

// beyond notes that a file is on another file system than the root.
func (d *Driver) beyond(key string, info disk.Info) {
	if info.ID.Device != d.device {
		d.alsoSync(filepath.Dir(d.file(key)))
	}
}

// alsoSync has checkpoints sync the file system of a folder, too.
func (d *Driver) alsoSync(dir string) {
	if info, err := d.disk.Stat(dir); err == nil {
		_ = d.volumes.add(d.disk, dir, info.ID.Device)
	}
}

// volumeDepth is how far below the root other file systems are looked for:
// people link or mount docker, or blobs below it.
const volumeDepth = 4

// findVolumes notes the file systems of the upper folders.
func (d *Driver) findVolumes(dir string, depth int) error {
	names, err := d.disk.Names(dir)
	if err != nil {
		return nil //nolint:nilerr // one that cannot be read holds nothing of ours
	}
	for _, name := range names[:min(len(names), 32)] {
		path := filepath.Join(dir, name)
		if path == filepath.Dir(d.journalFolder()) {
			continue // our own, which may be long
		}
		info, err := d.disk.Stat(path)
		if err != nil || !info.Dir {
			continue
		}
		if info.ID.Device != d.device {
			if err := d.volumes.add(d.disk, path, info.ID.Device); err != nil {
				return err
			}
		}
		if depth > 1 {
			if err := d.findVolumes(path, depth-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// openJournal opens the journal, and carries out what an earlier life left.
func (d *Driver) openJournal(segment int64) error {
	info, err := d.disk.Stat(d.Root())
	if err != nil {
		return err
	}
	d.device = info.ID.Device
	if err := d.volumes.add(d.disk, d.Root(), d.device); err != nil {
		return err
	}
	if err := d.findVolumes(d.Root(), volumeDepth); err != nil {
		return err
	}
	j, found, err := journal.Open(journal.Options{
		Disk: d.disk, Folder: d.journalFolder(), Life: d.disk.Life(d.Root()), Flush: d.checkpoint, Segment: segment, Idle: idle,
	})
	if err != nil {
		return err
	}
	d.journal = j
	if err := d.replay(found); err != nil {
		return err
	}
	d.sweepOld()
	return nil
}

// checkpoint makes durable what was carried out of records.
func (d *Driver) checkpoint(records iter.Seq[[]byte]) error {
	if ok, err := d.volumes.sync(); ok || err != nil {
		return err
	}
	paths := map[string]struct{}{}
	for b := range records {
		all, err := decode(b)
		if err != nil {
			return err
		}
		for _, s := range all {
			d.touched(paths, s)
		}
	}
	for path := range paths {
		if err := d.syncPath(path); err != nil {
			return err
		}
	}
	return nil
}

// touched adds what a step may have changed: the file, and the folders above
// it, which it may have made.
func (d *Driver) touched(paths map[string]struct{}, s step) {
	for _, key := range keysOf([]step{s}) {
		path := d.file(key)
		for ; len(path) > len(d.root); path = filepath.Dir(path) {
			if _, ok := paths[path]; ok {
				break
			}
			paths[path] = struct{}{}
		}
	}
	paths[d.Root()] = struct{}{}
}

func (d *Driver) syncPath(path string) error {
	info, err := d.disk.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || isBelowFile(err):
		return nil
	case err != nil:
		return err
	case info.Dir:
		return d.flush(path)
	}
	if err := d.disk.SyncFile(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// sweep removes a deleted tree in the background. What stays is a leftover,
// which the next start removes.
func (d *Driver) sweep(path string) {
	d.tidy.Go(func() { _ = d.disk.RemoveAll(path) })
}

// sweepOld removes what earlier lives left.
func (d *Driver) sweepOld() {
	folder := filepath.Dir(d.temp)
	names, err := d.disk.Names(folder)
	if err != nil || len(names) == 0 {
		return
	}
	d.tidy.Go(func() {
		for _, name := range names {
			_ = d.disk.RemoveAll(filepath.Join(folder, name))
		}
	})
}
