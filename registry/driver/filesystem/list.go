package filesystem

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"berth/registry/driver"
	"berth/registry/driver/filesystem/internal/disk"
)

// List implements [driver.Driver].
func (d *Driver) List(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	return func(yield func(driver.Info, error) bool) {
		path, names, err := d.names(ctx, prefix)
		if err != nil {
			yield(driver.Info{}, err)
			return
		}
		slices.Sort(names)
		for _, name := range names {
			info, err := d.child(ctx, prefix, path, name)
			if errors.Is(err, fs.ErrNotExist) {
				continue // it went while we listed
			}
			if !yield(info, err) || err != nil {
				return
			}
		}
	}
}

// names reads the names of a folder, without temporary ones.
func (d *Driver) names(ctx context.Context, prefix string) (path string, names []string, err error) {
	path, err = d.folder(prefix)
	if err != nil {
		return "", nil, err
	}
	if err := d.wait(ctx); err != nil {
		return "", nil, err
	}
	defer d.end()
	f, err := os.Open(path)
	if err != nil {
		return "", nil, failRead("list", prefix, err)
	}
	defer func() { _ = f.Close() }()
	all, err := f.Readdirnames(-1)
	if err != nil {
		return "", nil, failRead("list", prefix, err)
	}
	names = all[:0]
	for _, file := range all {
		name, ok := keyName(file)
		switch {
		case !ok:
			dropOld(filepath.Join(path, file))
		case !d.hidden(prefix, name):
			names = append(names, name)
		}
	}
	return path, names, nil
}

// hidden says whether a name is the journal's, or that of a folder with nothing
// but the journal in it.
func (d *Driver) hidden(prefix, name string) bool {
	above, last, _ := strings.Cut(journalKey, "/")
	if prefix == above {
		return strings.EqualFold(name, last)
	}
	if prefix != "" || name != above {
		return false
	}
	f, err := os.Open(d.file(above))
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	inside, err := f.Readdirnames(2)
	return err == nil && len(inside) == 1 && inside[0] == last
}

func (d *Driver) child(ctx context.Context, prefix, path, name string) (driver.Info, error) {
	if err := d.wait(ctx); err != nil {
		return driver.Info{}, err
	}
	defer d.end()
	key := name
	if prefix != "" {
		key = prefix + "/" + name
	}
	file := filepath.Join(path, name)
	info, err := disk.OS{}.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		if link, lerr := os.Lstat(file); lerr == nil && link.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0 {
			return driver.Info{Key: key, Modified: link.ModTime(), Lost: true}, nil
		}
	}
	if err != nil {
		return driver.Info{}, failRead("list", key, err)
	}
	return driver.Info{Key: key, Size: info.Size, Modified: info.Modified, Dir: info.Dir, ID: info.ID.Number}, nil
}

// Walk implements [driver.Walker]: folder by folder, unsorted.
func (d *Driver) Walk(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	return func(yield func(driver.Info, error) bool) {
		folders := []string{prefix}
		for len(folders) > 0 {
			folder := folders[len(folders)-1]
			folders = folders[:len(folders)-1]
			path, names, err := d.names(ctx, folder)
			if errors.Is(err, fs.ErrNotExist) && folder != prefix {
				continue
			}
			if err != nil {
				yield(driver.Info{}, err)
				return
			}
			for _, name := range names {
				info, err := d.child(ctx, folder, path, name)
				switch {
				case errors.Is(err, fs.ErrNotExist):
				case err != nil:
					yield(driver.Info{}, err)
					return
				case info.Lost:
				case info.Dir:
					folders = append(folders, info.Key)
				case !yield(info, nil):
					return
				}
			}
		}
	}
}
