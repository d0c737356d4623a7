package driver

import (
	"errors"
	"io/fs"
	"strings"
)

// Errors that a driver returns, beside fs.ErrNotExist and fs.ErrExist.
var (
	// ErrOffset means that Append was asked to start elsewhere than at the end.
	ErrOffset = errors.New("offset is not the size of the file")
	// ErrNoSpace means that the disk, or the quota, is full.
	ErrNoSpace = errors.New("no space left")
	// ErrReadOnly means that the storage cannot be written.
	ErrReadOnly = errors.New("storage is read-only")
	// ErrGone means that the storage as a whole is not there: its folder was
	// taken away, or its disk unplugged.
	ErrGone = errors.New("the storage is gone")
	// ErrKey means that a key is malformed.
	ErrKey = errors.New("malformed key")
)

// CheckKey refuses a key that is empty, absolute, or has an empty, "." or ".."
// part. "" is allowed for List and Walk only, which do not call it.
func CheckKey(key string) error {
	if key == "" || !fs.ValidPath(key) || key == "." || strings.ContainsAny(key, "\x00\\") {
		return &fs.PathError{Op: "key", Path: key, Err: ErrKey}
	}
	return nil
}
