package filesystem

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"berth/registry/driver"
	"berth/registry/driver/filesystem/internal/disk"
)

// tempMark begins the name of a file or folder that is not there yet, or not
// there any more. No repository name and no tag can begin with a dot.
const tempMark = ".berth-tmp-"

// tempAge is how old a leftover must be: older than any operation takes.
const tempAge = time.Hour

// path is the one way from a key to a path. A file system that cannot hold
// some name gets its translation here, and in [keyName] its inverse.
func (d *Driver) path(key string) (string, error) {
	if err := checkKey(key); err != nil {
		return "", err
	}
	return d.file(key), nil
}

func checkKey(key string) error {
	if err := driver.CheckKey(key); err != nil {
		return err
	}
	// A file system may not tell large letters from small.
	const n = len(journalKey)
	journal := len(key) >= n && strings.EqualFold(key[:n], journalKey) && (len(key) == n || key[n] == '/')
	if journal || strings.HasPrefix(key, tempMark) || strings.Contains(key, "/"+tempMark) {
		return &fs.PathError{Op: "key", Path: key, Err: driver.ErrKey}
	}
	return nil
}

// journalKey is where the driver keeps its journal: nobody's key.
const journalKey = "berth/journal"

// tempFolder holds, in the journal's folder, files that are not yet in their
// place, and trees that are deleted.
const tempFolder = "tmp"

func (d *Driver) journalFolder() string { return d.file(journalKey) }

// file is the path of a key that is well-formed.
func (d *Driver) file(key string) string { return d.root + filepath.FromSlash(key) }

// writable refuses a key that is malformed, or above the journal, which must
// not go with it.
func writable(key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if within(journalKey, key) {
		return &fs.PathError{Op: "key", Path: key, Err: driver.ErrKey}
	}
	return nil
}

// folder is path for a prefix: "" is the root.
func (d *Driver) folder(prefix string) (string, error) {
	if prefix == "" {
		return d.root, nil
	}
	return d.path(prefix)
}

// keyName turns the name of a file into the last part of its key; false means
// that it is nobody's key.
func keyName(name string) (string, bool) {
	return name, !strings.HasPrefix(name, tempMark)
}

// dropOld removes a leftover that no running operation can still need. It is a
// service by the way: what cannot be removed is left.
func dropOld(path string) {
	if info, err := (disk.OS{}).Stat(path); err == nil && time.Since(info.Modified) > tempAge {
		_ = os.RemoveAll(path)
	}
}
