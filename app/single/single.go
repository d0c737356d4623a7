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
// wait. Errors: [*HeldError].
func Acquire(data string) (*Lock, error) {
	path := Path(data)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	l := &Lock{lock: flock.New(path, flock.SetPermissions(0o600)), note: path + ".owner"}
	got, err := l.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data folder %s: %w", data, err)
	}
	if !got {
		pid, address := owner(l.note)
		return nil, &HeldError{Data: data, PID: pid, Address: address}
	}
	if err := l.Announce(""); err != nil {
		return nil, errors.Join(err, l.Release())
	}
	return l, nil
}

// Announce writes down the process and the address that it serves.
//
// The note is a file beside the lock, because a locked file cannot be read by
// others on Windows.
func (l *Lock) Announce(address string) error {
	text := fmt.Sprintf("%d\n%s\n", os.Getpid(), address)
	if err := os.WriteFile(l.note, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the owner of the data folder: %w", err)
	}
	return nil
}

// Release gives the data folder up. A second call does nothing.
func (l *Lock) Release() error {
	if !l.lock.Locked() {
		return nil
	}
	if err := os.Remove(l.note); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, l.lock.Unlock())
	}
	return l.lock.Unlock()
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
