package filesystem

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"berth/registry/driver/filesystem/internal/disk"
)

// maxTries bounds how often an operation starts anew because somebody deleted
// the folder under it.
const maxTries = 20

// place carries out one step, without a flush. The name, which the journal can
// tell again, is for what comes to be on the way.
func (d *Driver) place(s step, name string) error {
	switch s.op {
	case opPut:
		return d.placePut(d.file(s.key), name, s.content)
	case opMove:
		return d.placeMove(d.file(s.key), d.file(s.to))
	case opDelete:
		return d.placeDelete(d.file(s.key), name)
	case opKeep:
	}
	return nil
}

// stepName names a step of a record.
func stepName(number uint64, i int) string {
	return tempMark + strconv.FormatUint(number, 36) + "-" + strconv.Itoa(i)
}

// placePut makes the file beside its place and renames it: who reads it, by
// Berth or past it, sees the old content or the new. What a crash leaves under
// the temporary name is removed by the replay.
func (d *Driver) placePut(path, name string, content []byte) error {
	d.prepare(filepath.Dir(path))
	temp := filepath.Join(filepath.Dir(path), name)
	err := d.inFolder(path, func() error {
		err := d.disk.WriteNew(temp, content)
		if errors.Is(err, fs.ErrExist) {
			if err := d.disk.Remove(temp); err != nil {
				return err
			}
			err = d.disk.WriteNew(temp, content)
		}
		if err != nil {
			return err
		}
		return d.disk.Rename(temp, path)
	})
	if err != nil {
		_ = d.disk.Remove(temp)
	}
	return err
}

func (d *Driver) tempPath() string {
	return d.temp + strconv.FormatUint(d.temps.Add(1), 36)
}

func (d *Driver) makeTempFolder() error {
	err := d.mkdirs(filepath.Dir(d.temp), d.mkdirNoted)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// inFolder does what takes effect in path's folder, and makes the folder when
// it is missing.
func (d *Driver) inFolder(path string, do func() error) error {
	err := do()
	for try := 0; errors.Is(err, fs.ErrNotExist) && try < maxTries; try++ {
		if err := d.mkdirs(filepath.Dir(path), d.mkdirNoted); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		err = do()
	}
	return err
}

// mkdirNoted makes a folder that the journal makes again after a power cut.
// Who puts a file into it that the journal does not know has to settle it.
func (d *Driver) mkdirNoted(dir string) error {
	d.journal.Remember(folderHash(dir))
	return d.disk.Mkdir(dir)
}

// mkdirs makes a folder and those above it.
func (d *Driver) mkdirs(dir string, mkdir func(string) error) error {
	if len(dir) < len(d.root)-1 {
		return d.gone()
	}
	err := mkdir(dir)
	switch {
	case err == nil, errors.Is(err, fs.ErrExist):
		// Where a file is in the way, the next step says so.
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case len(dir) < len(d.root):
		return d.gone()
	}
	if err := d.mkdirs(filepath.Dir(dir), mkdir); err != nil {
		return err
	}
	if err := mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// gone is the error of a root that is not made anew: the disk that held it may
// only be unplugged.
func (d *Driver) gone() error { return fmt.Errorf("rootdirectory %s is gone", d.Root()) }

func (d *Driver) placeMove(from, to string) error {
	return d.inFolder(to, func() error {
		err := d.disk.Rename(from, to)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if _, gone := d.disk.Stat(from); gone != nil {
			return fmt.Errorf("%s went meanwhile", from)
		}
		return err
	})
}

// placeDelete takes a folder away with one rename; its content goes after that.
func (d *Driver) placeDelete(path, name string) error {
	err := d.disk.Remove(path)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist), isBelowFile(err):
		return nil
	case !disk.IsNotEmpty(err):
		return err
	}
	away := d.tempPath()
	if err = d.disk.Rename(path, away); errors.Is(err, fs.ErrNotExist) {
		if err = d.makeTempFolder(); err == nil {
			err = d.disk.Rename(path, away)
		}
	}
	if disk.IsOtherDevice(err) || disk.IsNoSpace(err) {
		away = filepath.Join(filepath.Dir(path), name)
		err = d.disk.Rename(path, away)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	d.sweep(away)
	return nil
}
