package disk

import (
	"io"
	"time"
)

// ID tells a file from every other that is there at the same time. The zero
// value means that the system gives none.
type ID struct{ Device, Number uint64 }

// Info describes a file or a folder.
type Info struct {
	Size     int64 // 0 for a folder
	Modified time.Time
	Dir      bool
	ID       ID
}

// File is an open file.
type File interface {
	io.Writer
	io.ReaderAt
	io.WriterAt
	io.Seeker
	io.Closer
	// Sync makes content and size durable.
	Sync() error
	// SyncData is Sync without what reading back does not need, as the time.
	SyncData() error
	// Ahead is a hint to begin writing a range; it does not wait.
	Ahead(offset, length int64)
	// Reserve has the system find room in one go for a range behind the end,
	// which does not move. false means that it does not, or has none; what is
	// written may find room all the same. It is kept until Release.
	Reserve(offset, length int64) bool
	// Release gives back the room behind the end, as far as that succeeds.
	Release()
	Truncate(size int64) error
}

// Volume is the file system that holds a folder.
type Volume interface {
	io.Closer
	// Sync makes all durable that was done on it before. false means that the
	// system cannot: files and folders have to be synced one by one.
	Sync() (bool, error)
}

// Disk does what is asked at once; only what is synced is durable. Paths are
// absolute. Errors are those of package os.
type Disk interface {
	// Open opens a file with flags of package os.
	Open(path string, flag int) (File, error)
	// WriteNew makes a file that must not exist. Nothing is left of it after
	// an error.
	WriteNew(path string, content []byte) error
	ReadFile(path string) ([]byte, error)
	Stat(path string) (Info, error)
	// Names lists a folder, unsorted.
	Names(path string) ([]string, error)
	Mkdir(path string) error
	Rename(from, to string) error
	// Remove removes a file or an empty folder.
	Remove(path string) error
	RemoveAll(path string) error
	// SyncFile makes the content of a file durable, but for the cache of the
	// device itself: a sync of any open file follows.
	SyncFile(path string) error
	// SyncFolder makes the names in a folder durable.
	SyncFolder(path string) error
	Volume(path string) (Volume, error)
	// Life names the time since which nothing was lost of what is not yet
	// durable, as the boot of the system; "" when the system cannot tell.
	Life(path string) string
	Now() time.Time
}

const (
	folderMode = 0o777 // the umask decides, as with distribution
	fileMode   = 0o666
)
