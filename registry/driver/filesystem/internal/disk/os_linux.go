package disk

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// FlushAhead is how many bytes are written before the system is told to start
// putting them on the disk, so that the sync at the end finds little to do.
const FlushAhead = 8 << 20

func ahead(f *os.File, offset, length int64) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		_ = unix.SyncFileRange(int(fd), offset, length, unix.SYNC_FILE_RANGE_WRITE)
	})
}

// reserve saves the file system finding room page by page.
func reserve(f *os.File, offset, length int64) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	var done error
	err = conn.Control(func(fd uintptr) {
		done = again(func() error { return unix.Fallocate(int(fd), unix.FALLOC_FL_KEEP_SIZE, offset, length) })
	})
	return err == nil && done == nil
}

// release truncates to the size that the file has.
func release(f *os.File) {
	if info, err := f.Stat(); err == nil {
		_ = f.Truncate(info.Size())
	}
}

func syncData(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var done error
	err = conn.Control(func(fd uintptr) {
		done = again(func() error { return unix.Fdatasync(int(fd)) })
	})
	if err == nil && done != nil {
		err = &os.PathError{Op: "fdatasync", Path: f.Name(), Err: done}
	}
	return err
}

// volume keeps the folder open: a system that could not write tells it to
// those who had a file open then.
type volume struct{ f *os.File }

func openVolume(path string) (Volume, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return volume{f}, nil
}

func (v volume) Sync() (bool, error) {
	if err := again(func() error { return unix.Syncfs(int(v.f.Fd())) }); err != nil {
		return true, &os.PathError{Op: "syncfs", Path: v.f.Name(), Err: err}
	}
	return true, nil
}

func (v volume) Close() error { return v.f.Close() }

// life is the boot and the mount: a stick that is pulled out loses as much as
// a computer whose power is cut.
func life(path string) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	var st unix.Statx_t
	const mountIDUnique = 0x4000 // since Linux 6.8, and never used twice
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID|mountIDUnique|unix.STATX_INO, &st); err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + strconv.FormatUint(st.Mnt_id, 10) + " " + strconv.FormatUint(st.Ino, 10)
}
