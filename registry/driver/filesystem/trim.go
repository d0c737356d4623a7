package filesystem

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"berth/registry/driver"
)

var _ driver.Trimmer = (*Driver)(nil)

// Trim implements [driver.Trimmer]: the file system itself refuses to remove a
// folder with something in it. Who is about to write into it makes it anew.
func (d *Driver) Trim(ctx context.Context, key string) (bool, error) {
	if err := writable(key); err != nil {
		return false, err
	}
	path, err := d.begin(ctx, key)
	if err != nil {
		return false, err
	}
	defer d.end()
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, failRead("trim", key, err)
	}
	if !info.IsDir() {
		return false, nil // a link to a folder on another disk stays as well
	}
	// What is refused is no failure: somebody may have put something there.
	if err := d.disk.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return true, nil
}
