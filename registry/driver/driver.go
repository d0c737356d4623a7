package driver

import (
	"context"
	"io"
	"iter"
	"time"
)

// Driver stores bytes under keys such as "docker/registry/v2/blobs/…". A key is
// relative, slash-separated, without empty, "." or ".." parts. Implementations
// are safe for concurrent use; calls on one key by several goroutines behave
// as if done one after the other.
//
// A missing key gives an error that matches fs.ErrNotExist; a full disk one
// that matches [ErrNoSpace].
type Driver interface {
	// Stat describes a file or a folder.
	Stat(ctx context.Context, key string) (Info, error)

	// Open opens a file for reading; the caller closes it. The filesystem
	// driver gives an *os.File, so that it can be sent without copying.
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)

	// Put replaces a small file, whole or not at all.
	Put(ctx context.Context, key string, content []byte) error

	// Append opens a file for writing at offset, which must equal its size;
	// offset 0 creates or truncates it. Errors: [ErrOffset].
	Append(ctx context.Context, key string, offset int64) (Writer, error)

	// Move renames a file, replacing what is there, whole or not at all.
	Move(ctx context.Context, from, to string) error

	// Delete removes a file, or a folder with everything in it.
	Delete(ctx context.Context, key string) error

	// List yields the direct children of a folder in lexical order of their
	// names; Info.Key is the full key. A missing folder yields fs.ErrNotExist.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
}

// Writer appends to a file. Written bytes are durable after Sync, or Close,
// returned nil.
type Writer interface {
	io.WriteCloser
	// Size is the file's size with everything written so far.
	Size() int64
	// Sync makes what was written durable.
	Sync() error
}

// Dropper is an optional ability of a [Writer]: to be closed without making
// durable what was written, for bytes that nobody needs.
type Dropper interface{ Drop() error }

// Info describes a file or a folder.
type Info struct {
	Key string
	// Size in bytes; 0 for a folder.
	Size     int64
	Modified time.Time
	Dir      bool
	// Lost is set by List for a link that leads nowhere, as to a disk that is not
	// there now: what lies behind it is not known. It is no folder then.
	Lost bool
	// ID tells a file from the one that it replaced; 0 where the driver cannot.
	ID uint64
}

// Walker is an optional ability: a driver that can walk a tree faster than by
// listing its folders one by one.
type Walker interface {
	// Walk yields every file below prefix, in any order.
	Walk(ctx context.Context, prefix string) iter.Seq2[Info, error]
}

// Spacer is an optional ability: a driver that knows how much room there is.
type Spacer interface {
	// Space gives the free and the total bytes for this user.
	Space(ctx context.Context) (free, total int64, err error)
}

// Trimmer is an optional ability: a driver that can remove a folder on the
// condition that it is empty.
type Trimmer interface {
	// Trim removes a folder with nothing in it, and says whether it is gone. It
	// may be there again after a power loss.
	Trim(ctx context.Context, key string) (gone bool, err error)
}

// Unwrapper is implemented by a driver that wraps another.
type Unwrapper interface{ Unwrap() Driver }

// As finds an ability in d or in what it wraps.
func As[T any](d Driver) (T, bool) {
	for d != nil {
		if t, ok := d.(T); ok {
			return t, true
		}
		u, ok := d.(Unwrapper)
		if !ok {
			break
		}
		d = u.Unwrap()
	}
	var zero T
	return zero, false
}
