package filesystem

import (
	"os"

	"golang.org/x/sys/unix"
)

// flushAhead is how many bytes are written before the system is told to start
// putting them on the disk, so that the sync at the end finds little to do.
const flushAhead = 8 << 20

// startFlush is a hint: it does not wait, and its failure means nothing.
func startFlush(f *os.File, offset, length int64) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) {
		_ = unix.SyncFileRange(int(fd), offset, length, unix.SYNC_FILE_RANGE_WRITE)
	})
}
