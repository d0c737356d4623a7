//go:build unix

package disk

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// again repeats a call that a signal interrupted.
func again(do func() error) error {
	for {
		if err := do(); err != unix.EINTR { //nolint:errorlint // an errno as the system gives it
			return err
		}
	}
}

// stat is not os.Stat because a HEAD of a blob is one stat, and that one
// allocates.
func stat(path string) (Info, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	for errors.Is(err, unix.EINTR) {
		err = unix.Stat(path, &st)
	}
	if err != nil {
		return Info{}, err
	}
	info := Info{
		Modified: time.Unix(st.Mtim.Unix()),
		Dir:      st.Mode&unix.S_IFMT == unix.S_IFDIR,
		ID:       ID{uint64(st.Dev), uint64(st.Ino)}, //nolint:unconvert // the types differ between systems
	}
	if !info.Dir {
		info.Size = st.Size
	}
	return info, nil
}

// writeNew goes round package os, which registers each file with the poller.
func writeNew(path string, content []byte) error {
	var fd int
	err := again(func() (err error) {
		fd, err = unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, fileMode)
		return err
	})
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	for len(content) > 0 && err == nil {
		var n int
		err = again(func() (err error) { n, err = unix.Write(fd, content); return err })
		content = content[max(n, 0):]
	}
	if closed := unix.Close(fd); err == nil && closed != unix.EINTR { //nolint:errorlint // an errno as the system gives it
		err = closed
	}
	if err != nil {
		_ = unix.Unlink(path)
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

func mkdir(path string) error {
	if err := again(func() error { return unix.Mkdir(path, folderMode) }); err != nil {
		return &fs.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return nil
}

// rename is rename(2): os.Rename looks first whether the target is a folder.
func rename(from, to string) error {
	if err := again(func() error { return unix.Rename(from, to) }); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func remove(path string) error { return os.Remove(path) }

func openRead(path string) (*os.File, error) { return os.Open(path) }

// syncFolder puts the names in a folder on the disk. Some network file systems
// cannot, and need not.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		err = nil
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = again(func() error { return unix.Fsync(int(f.Fd())) })
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func space(path string) (free, total int64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, 0, &fs.PathError{Op: "statfs", Path: path, Err: err}
	}
	block := int64(st.Bsize)
	return int64(st.Bavail) * block, int64(st.Blocks) * block, nil
}

func isNoSpace(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

func isReadOnly(err error) bool { return errors.Is(err, unix.EROFS) }

func isNotEmpty(err error) bool {
	return errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST)
}

func isOtherDevice(err error) bool { return errors.Is(err, unix.EXDEV) }
