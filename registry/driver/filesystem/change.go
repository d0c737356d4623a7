package filesystem

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// maxTries bounds how often an operation starts anew because somebody deleted
// the folder under it.
const maxTries = 20

// Put implements [driver.Driver].
func (d *Driver) Put(ctx context.Context, key string, content []byte) error {
	path, err := d.begin(ctx, key)
	if err != nil {
		return err
	}
	defer d.end()
	return fail("put", key, d.inFolder(path, func(dir string) error {
		temp, err := writeTemp(dir, content)
		if err != nil {
			return err
		}
		if err := rename(temp, path); err != nil {
			_ = os.Remove(temp)
			return err
		}
		return nil
	}))
}

// inFolder does what takes effect in path's folder, makes the folder when it
// is missing, and settles it together with also.
func (d *Driver) inFolder(path string, do func(dir string) error, also ...string) error {
	dir := filepath.Dir(path)
	err := do(dir)
	for try := 0; errors.Is(err, fs.ErrNotExist) && try < maxTries; try++ {
		if err := d.mkdir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		err = do(dir)
	}
	if err != nil {
		return err
	}
	return d.settle(dir, also...)
}

// writeTemp gives the path of a new file with content, synced and closed: a
// file that is open cannot be renamed on Windows.
func writeTemp(dir string, content []byte) (string, error) {
	f, err := createTemp(dir)
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func createTemp(dir string) (*os.File, error) {
	for {
		f, err := os.OpenFile(tempName(dir), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// Move implements [driver.Driver].
func (d *Driver) Move(ctx context.Context, from, to string) error {
	source, err := d.path(from)
	if err != nil {
		return err
	}
	path, err := d.begin(ctx, to)
	if err != nil {
		return err
	}
	defer d.end()
	if _, err := stat(source); err != nil {
		return failRead("move", from, err)
	}
	err = d.inFolder(path, func(string) error { return rename(source, path) }, filepath.Dir(source))
	return fail("move", from, err)
}

// Delete implements [driver.Driver].
func (d *Driver) Delete(ctx context.Context, key string) error {
	path, err := d.begin(ctx, key)
	if err != nil {
		return err
	}
	defer d.end()
	err = remove(path)
	if isNotEmpty(err) {
		return fail("delete", key, d.deleteTree(path))
	}
	if err != nil {
		return failRead("delete", key, err)
	}
	return fail("delete", key, d.settle(filepath.Dir(path)))
}

// deleteTree takes the folder away with one rename, and its content after that.
func (d *Driver) deleteTree(path string) error {
	dir := filepath.Dir(path)
	away := tempName(dir)
	if err := rename(path, away); err != nil {
		return err
	}
	if err := d.settle(dir); err != nil {
		return err
	}
	// It is deleted already. What stays of its content is a leftover, which
	// the next listing removes.
	_ = os.RemoveAll(away)
	return nil
}
