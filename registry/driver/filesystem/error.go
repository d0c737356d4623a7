package filesystem

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"berth/registry/driver"
	"berth/registry/driver/filesystem/internal/disk"
)

// classify adds the driver's own error to one of the system; both can be found.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case disk.IsNoSpace(err):
		return fmt.Errorf("%w: %w", driver.ErrNoSpace, err)
	case disk.IsReadOnly(err):
		return fmt.Errorf("%w: %w", driver.ErrReadOnly, err)
	}
	return err
}

// fail names the operation and the key.
func fail(op, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return &fs.PathError{Op: op, Path: key, Err: fs.ErrNotExist}
	}
	return fmt.Errorf("%s %s: %w", op, key, classify(err))
}

// failRead is fail for an operation that makes nothing: below a file there is
// nothing, so "not a directory" means missing.
func failRead(op, key string, err error) error {
	if isBelowFile(err) {
		err = fs.ErrNotExist
	}
	return fail(op, key, err)
}

func isBelowFile(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
