package single

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// Lock is the ownership of a data folder.
type Lock struct {
	lock *flock.Flock
	note string
	// readOnly: the folder cannot be written, so nothing can be noted in it.
	readOnly bool
}

// HeldError says that another process owns the data folder.
type HeldError struct {
	Data string
	// PID and Address of the owner; 0 and empty when it has not said.
	PID     int
	Address string
}

// Error says who holds it.
func (e *HeldError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("the data folder %s is in use by another process", e.Data)
	}
	return fmt.Sprintf("the data folder %s is in use by process %d", e.Data, e.PID)
}

// Path gives the path of the lock of a data folder.
func Path(data string) string { return filepath.Join(data, "berth", "lock") }

// Acquire takes the data folder, which is made when it is missing. It does not
// wait. A folder on a read-only disk is taken as well as that can be, and the
// caller asks ReadOnly. Errors: [*HeldError].
func Acquire(data string) (*Lock, error) {
	path := Path(data)
	l := &Lock{lock: flock.New(path, flock.SetPermissions(0o600)), note: path + ".owner"}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		if l.readOnly = isReadOnly(err); l.readOnly {
			return l, nil
		}
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	got, err := l.lock.TryLock()
	if l.readOnly = isReadOnly(err); l.readOnly {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock the data folder %s: %w", data, err)
	}
	if !got {
		held := &HeldError{Data: data}
		if canBeTrue(l.note) {
			held.PID, held.Address = owner(l.note)
		}
		return nil, held
	}
	if err := l.Announce(""); err != nil {
		return nil, errors.Join(err, l.Release())
	}
	return l, nil
}

// ReadOnly says that the disk of the folder cannot be written: another process
// may serve it as well, and neither can change anything.
func (l *Lock) ReadOnly() bool { return l.readOnly }

// Announce writes down the process and the address that it serves.
//
// The note is a file beside the lock, because a locked file cannot be read by
// others on Windows.
func (l *Lock) Announce(address string) error {
	text := fmt.Sprintf("%d\n%s\n", os.Getpid(), address)
	err := os.WriteFile(l.note, []byte(text), 0o600)
	if isReadOnly(err) {
		l.readOnly = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("write the owner of the data folder: %w", err)
	}
	return nil
}

// Release gives the data folder up. A second call does nothing.
func (l *Lock) Release() error {
	if !l.lock.Locked() {
		return nil
	}
	if err := os.Remove(l.note); err != nil && !errors.Is(err, fs.ErrNotExist) && !isReadOnly(err) {
		return errors.Join(err, l.lock.Unlock())
	}
	return l.lock.Unlock()
}

// canBeTrue says whether who holds the lock could write the note; on a disk
// that has become read-only it is of somebody before.
func canBeTrue(note string) bool {
	f, err := os.OpenFile(note, os.O_WRONLY, 0)
	if err == nil {
		err = f.Close()
	}
	return !isReadOnly(err)
}

func owner(note string) (pid int, address string) {
	text, err := os.ReadFile(note)
	if err != nil {
		return 0, ""
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	if pid, err = strconv.Atoi(strings.TrimSpace(first)); err != nil {
		return 0, ""
	}
	return pid, strings.TrimSpace(rest)
}
