package filesystem

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"time"

	"berth/registry/driver/filesystem/internal/disk"
	"berth/registry/driver/filesystem/internal/journal"
)

// replay carries out what is left of an earlier life: after the end of the
// process what it had begun, after a power cut all since the last checkpoint.
type replay struct {
	d     *Driver
	want  *outcome
	found journal.Found
	// after is the time since which only other programs changed something.
	after time.Time
	// foreign keys are left alone; decided once, before the first change.
	foreign map[string]bool
	// decided up to this record, by a replay that a power cut interrupted.
	decided uint64

	halves []string // paths of temporary files and deleted trees
	fetch  []fetch  // files on their way
	clear  []string // keys to remove
	lay    []string // keys to write
}

// fetch is a file that has to come to a key.
type fetch struct {
	from, staged string // paths
	key          string
}

func (d *Driver) replay(found journal.Found) error {
	if len(found.Frames) == 0 {
		// A mark belongs to records; numbers may begin anew.
		_ = d.disk.Remove(d.markPath())
		return nil
	}
	want, err := outcomeOf(found.Frames, found.Placed)
	if err != nil {
		return err
	}
	r := &replay{d: d, want: want, found: found, after: found.Newest.Add(slack), foreign: map[string]bool{}}
	err = r.run()
	if disk.IsReadOnly(err) || errors.Is(err, fs.ErrPermission) {
		// It can be read. What is recorded waits for a start that may carry it
		// out, and until then nothing may be recorded behind it.
		d.journal.Refuse(err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("replay the journal: %w", classify(err))
	}
	d.remember(found)
	return d.journal.Replayed()
}

// remember tells the journal which keys its records are about.
func (d *Driver) remember(found journal.Found) {
	for _, f := range found.Frames {
		all, err := decode(f.Payload)
		if err != nil {
			continue
		}
		for _, s := range all {
			for _, hash := range appendHashes(nil, s) {
				d.journal.Remember(hash)
			}
			for _, key := range keysOf([]step{s}) {
				for path := filepath.Dir(d.file(key)); len(path) > len(d.root); path = filepath.Dir(path) {
					d.journal.Remember(folderHash(path))
				}
			}
		}
	}
}

func (r *replay) run() error {
	if err := r.readMark(); err != nil {
		return err
	}
	if err := r.want.each("", r.plan); err != nil {
		return err
	}
	if err := r.planHalves(); err != nil {
		return err
	}
	if len(r.halves)+len(r.fetch)+len(r.clear)+len(r.lay) == 0 {
		return nil
	}
	if err := r.writeMark(); err != nil {
		return err
	}
	return r.carryOut()
}

// plan decides what has to be done for a key.
func (r *replay) plan(key string, o *outcome) error {
	now, err := r.d.disk.Stat(r.d.file(key))
	if err != nil && !isNothing(err) {
		return err
	}
	there := err == nil
	if there && now.Dir {
		if !o.emptied {
			return nil // whoever made a folder of it was not Berth
		}
		return errors.Join(r.planTree(key, o, o.number), r.planFile(key, o, now, false))
	}
	return r.planFile(key, o, now, there)
}

func (r *replay) planFile(key string, o *outcome, now disk.Info, there bool) error {
	switch o.kind {
	case laid:
		if there && now.Size == int64(len(o.content)) && !r.found.Doubt {
			b, err := r.d.disk.ReadFile(r.d.file(key))
			if err != nil {
				return err
			}
			if bytes.Equal(b, o.content) {
				return nil
			}
		}
		if !r.isForeign(key, o.number, now, there) {
			r.lay = append(r.lay, key)
		}
	case moved:
		return r.planFetch(key, o, now, there)
	case cleared:
		if there && !r.isForeign(key, o.number, now, there) {
			r.clear = append(r.clear, key)
		}
	case untouched:
	}
	return nil
}

// isNothing says that an error means only that nothing is there.
func isNothing(err error) bool { return errors.Is(err, fs.ErrNotExist) || isBelowFile(err) }

// isForeign says whether another program has changed a key since.
func (r *replay) isForeign(key string, number uint64, now disk.Info, there bool) bool {
	if r.foreign[key] {
		return true
	}
	if number <= r.decided {
		return false
	}
	foreign := there && now.Modified.After(r.after)
	if !there {
		foreign = r.folderChanged(key)
	}
	if foreign {
		r.foreign[key] = true
	}
	return foreign
}

// folderChanged looks at the nearest folder that exists. The root, and Berth's
// own folder, change for other reasons.
func (r *replay) folderChanged(key string) bool {
	own := filepath.Dir(r.d.journalFolder())
	for dir := filepath.Dir(r.d.file(key)); len(dir) > len(r.d.root) && dir != own; dir = filepath.Dir(dir) {
		if info, err := r.d.disk.Stat(dir); err == nil {
			return info.Dir && info.Modified.After(r.after)
		}
	}
	return false
}

func (r *replay) planFetch(key string, o *outcome, now disk.Info, there bool) error {
	if there && sameFile(now, o.source) {
		return nil
	}
	if there && r.isForeign(key, o.number, now, there) {
		return nil
	}
	staged := r.d.journalFolder() + string(filepath.Separator) + fmt.Sprintf("moved-%d-%x", o.source.number, o.source.modified)
	for _, path := range append([]string{staged}, r.paths(o.stops)...) {
		info, err := r.d.disk.Stat(path)
		switch {
		case err == nil && sameFile(info, o.source):
			r.fetch = append(r.fetch, fetch{from: path, staged: staged, key: key})
			return nil
		case err != nil && !isNothing(err):
			return err
		}
	}
	return nil // another program has deleted it
}

func (r *replay) paths(keys []string) []string {
	paths := make([]string, 0, len(keys))
	for _, key := range keys {
		paths = append(paths, r.d.file(key))
	}
	return paths
}

func sameFile(info disk.Info, source identity) bool { return !info.Dir && identityOf(info) == source }

// planTree plans the removal of what a folder that was deleted holds still, but
// for what came to be there later. o may be nil.
func (r *replay) planTree(key string, o *outcome, number uint64) error {
	names, err := r.d.disk.Names(r.d.file(key))
	if err != nil {
		if isNothing(err) {
			return nil
		}
		return err
	}
	for _, name := range names {
		var child *outcome
		if o != nil {
			child = o.children[name]
		}
		if err := r.planBelow(key+"/"+name, child, number); err != nil {
			return err
		}
	}
	r.clear = append(r.clear, key) // it stays where it is not empty
	return nil
}

func (r *replay) planBelow(key string, o *outcome, number uint64) error {
	now, err := r.d.disk.Stat(r.d.file(key))
	switch {
	case err != nil && isNothing(err):
		return nil
	case err != nil:
		return err
	case now.Dir:
		return r.planTree(key, o, number)
	case o != nil && (o.kind != untouched || o.number > 0):
		return nil // it has its own plan, or is a writer's
	case !r.isForeign(key, number, now, true):
		r.clear = append(r.clear, key)
	}
	return nil
}

// planHalves finds temporary files of changes that were interrupted. None is
// removed before the mark is written: that would change the folder's time.
func (r *replay) planHalves() error {
	for _, f := range r.found.Frames {
		if f.Number <= r.found.Placed {
			continue
		}
		all, err := decode(f.Payload)
		if err != nil {
			return err
		}
		for i, s := range all {
			key := s.key
			switch s.op {
			case opMove:
				key = s.to
			case opPut, opDelete:
			case opKeep:
				continue
			}
			dir := filepath.Dir(r.d.file(key))
			if err := r.planHalf(filepath.Join(dir, stepName(f.Number, i)), filepath.Join(dir, laidName(key))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *replay) planHalf(paths ...string) error {
	for _, path := range paths {
		if _, err := r.d.disk.Stat(path); err == nil {
			r.halves = append(r.halves, path)
		} else if !isNothing(err) {
			return err
		}
	}
	return nil
}

// laidName is for what a replay writes; another finds it again.
func laidName(key string) string {
	sum := fnv.New64a()
	_, _ = io.WriteString(sum, key)
	return tempMark + strconv.FormatUint(sum.Sum64(), 36)
}

// carryOut first takes files out of folders that are to go, then makes room,
// then fills.
func (r *replay) carryOut() error {
	for _, path := range r.halves {
		if err := r.d.disk.RemoveAll(path); err != nil {
			return err
		}
	}
	for _, f := range r.fetch {
		if f.from == f.staged {
			continue
		}
		if err := r.d.disk.Rename(f.from, f.staged); err != nil {
			return err
		}
	}
	for _, key := range r.clear {
		err := r.d.disk.Remove(r.d.file(key))
		if err != nil && !isNothing(err) && !disk.IsNotEmpty(err) {
			return err
		}
	}
	for _, f := range r.fetch {
		to := r.d.file(f.key)
		if err := r.d.inFolder(to, func() error { return r.d.disk.Rename(f.staged, to) }); err != nil {
			return err
		}
	}
	for _, key := range r.lay {
		if err := r.d.placePut(r.d.file(key), laidName(key), r.want.find(key).content); err != nil {
			return err
		}
	}
	return nil
}
