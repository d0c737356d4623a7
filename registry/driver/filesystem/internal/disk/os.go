package disk

import (
	"os"
	"time"
)

// OS is the disk of the operating system.
type OS struct{}

var _ Disk = OS{}

type file struct{ *os.File }

func (f file) SyncData() error                   { return syncData(f.File) }
func (f file) Ahead(offset, length int64)        { ahead(f.File, offset, length) }
func (f file) Reserve(offset, length int64) bool { return reserve(f.File, offset, length) }
func (f file) Release()                          { release(f.File) }

// Open implements [Disk].
func (OS) Open(path string, flag int) (File, error) {
	f, err := os.OpenFile(path, flag, fileMode)
	if err != nil {
		return nil, err
	}
	return file{f}, nil
}

// WriteNew implements [Disk].
func (OS) WriteNew(path string, content []byte) error { return writeNew(path, content) }

// ReadFile implements [Disk].
func (OS) ReadFile(path string) ([]byte, error) { return os.ReadFile(path) }

// Stat implements [Disk]. It follows links.
func (OS) Stat(path string) (Info, error) { return stat(path) }

// Names implements [Disk].
func (OS) Names(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return names, err
}

// Mkdir implements [Disk].
func (OS) Mkdir(path string) error { return mkdir(path) }

// Rename implements [Disk].
func (OS) Rename(from, to string) error { return rename(from, to) }

// Remove implements [Disk].
func (OS) Remove(path string) error { return remove(path) }

// RemoveAll implements [Disk].
func (OS) RemoveAll(path string) error { return os.RemoveAll(path) }

// SyncFile implements [Disk].
func (OS) SyncFile(path string) error { return syncFile(path) }

// SyncFolder implements [Disk].
func (OS) SyncFolder(path string) error { return syncFolder(path) }

// Volume implements [Disk].
func (OS) Volume(path string) (Volume, error) { return openVolume(path) }

// Life implements [Disk].
func (OS) Life(path string) string { return life(path) }

// Now implements [Disk].
func (OS) Now() time.Time { return time.Now() }

// OpenRead opens a file for reading; it may be replaced and deleted meanwhile.
func OpenRead(path string) (*os.File, error) { return openRead(path) }

// Space gives the free and the total bytes for this user.
func Space(path string) (free, total int64, err error) { return space(path) }

// IsNoSpace says whether the disk, or the quota, is full.
func IsNoSpace(err error) bool { return isNoSpace(err) }

// IsReadOnly says whether the file system cannot be written.
func IsReadOnly(err error) bool { return isReadOnly(err) }

// IsNotEmpty says whether a folder was not removed because it is not empty.
func IsNotEmpty(err error) bool { return isNotEmpty(err) }

// IsOtherDevice says whether a rename failed because it leads elsewhere.
func IsOtherDevice(err error) bool { return isOtherDevice(err) }
