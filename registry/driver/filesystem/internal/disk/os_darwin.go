package disk

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// life is the boot and the mounted volume.
func life(path string) string {
	boot, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil || boot == "" {
		return ""
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return ""
	}
	return boot + " " + strconv.FormatUint(uint64(st.Dev), 10) + " " + strconv.FormatUint(st.Ino, 10)
}

// syncData is the full flush: Sync has the drive empty its cache.
func syncData(f *os.File) error { return f.Sync() }
