package filesystem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"

	"berth/registry/driver"
	"berth/registry/driver/filesystem/internal/disk"
	"berth/registry/driver/filesystem/internal/journal"
)

// Options configure [Open]. The keys are those of CNCF distribution.
type Options struct {
	// RootDirectory is the folder; it is made when it is missing.
	RootDirectory string `yaml:"rootdirectory"`
	// MaxThreads bounds how many operations wait for the disk at one time.
	// 0 means 100; less than 25 means 25.
	MaxThreads int `yaml:"maxthreads"`
}

const (
	defaultThreads = 100
	minThreads     = 25
)

// Driver keeps keys as files. See the package comment.
type Driver struct {
	root    string // absolute, with a separator at its end
	disk    disk.Disk
	threads chan struct{}
	births  births
	known   known
	claims  claims
	journal *journal.Journal
	volumes volumes
	found   inherited
	device  uint64 // that holds the root

	temp  string // beginning of the path of a temporary file or folder
	temps atomic.Uint64
	tidy  sync.WaitGroup // removals in the background
}

var (
	_ driver.Driver  = (*Driver)(nil)
	_ driver.Walker  = (*Driver)(nil)
	_ driver.Spacer  = (*Driver)(nil)
	_ driver.Batcher = (*Driver)(nil)
	_ io.Closer      = (*Driver)(nil)
)

// Open opens a folder, and makes it when it is missing. It does not take
// ownership: one process at a time is the caller's care. What a crash or a
// power cut interrupted is carried out before it returns.
//
// The caller closes the driver; one that is not closed is like a crash.
func Open(o Options) (*Driver, error) {
	if o.RootDirectory == "" {
		return nil, errors.New("rootdirectory is empty: it must name the folder that holds the registry")
	}
	root, err := filepath.Abs(o.RootDirectory)
	if err != nil {
		return nil, fmt.Errorf("rootdirectory %s: %w", o.RootDirectory, err)
	}
	switch info, err := os.Stat(root); {
	case errors.Is(err, fs.ErrNotExist):
		if err := makeRoot(root); err != nil {
			return nil, fmt.Errorf("make rootdirectory %s: %w", root, classify(err))
		}
	case err != nil:
		return nil, fmt.Errorf("rootdirectory: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("rootdirectory %s is not a folder", root)
	}
	return openOn(disk.OS{}, root, o.MaxThreads, 0)
}

// openOn opens a folder that exists, with a journal in segments of a size.
func openOn(on disk.Disk, root string, threads int, segment int64) (*Driver, error) {
	if threads == 0 {
		threads = defaultThreads
	}
	if root[len(root)-1] != filepath.Separator {
		root += string(filepath.Separator)
	}
	d := &Driver{root: root, disk: on, threads: make(chan struct{}, max(threads, minThreads))}
	d.temp = filepath.Join(d.journalFolder(), tempFolder, strconv.FormatUint(rand.Uint64(), 36)+"-")
	if err := d.openJournal(segment); err != nil {
		return nil, fmt.Errorf("rootdirectory %s: %w", d.Root(), err)
	}
	return d, nil
}

// Close makes durable what the journal still holds, and leaves it empty. After
// it, what changes something is refused with fs.ErrClosed; readers and writers
// that are open can be used on.
func (d *Driver) Close() error {
	err := d.journal.Close()
	d.tidy.Wait()
	return errors.Join(err, d.volumes.close())
}

// Root is the absolute path of the folder.
func (d *Driver) Root() string { return filepath.Clean(d.root) }

// begin turns a key into a path and waits for a thread; end gives it back.
func (d *Driver) begin(ctx context.Context, key string) (string, error) {
	path, err := d.path(key)
	if err != nil {
		return "", err
	}
	return path, d.wait(ctx)
}

func (d *Driver) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case d.threads <- struct{}{}:
		return nil
	default:
	}
	select {
	case d.threads <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Driver) end() { <-d.threads }

// Stat implements [driver.Driver].
func (d *Driver) Stat(ctx context.Context, key string) (driver.Info, error) {
	path, err := d.begin(ctx, key)
	if err != nil {
		return driver.Info{}, err
	}
	defer d.end()
	info, err := disk.OS{}.Stat(path)
	if err != nil {
		return driver.Info{}, failRead("stat", key, err)
	}
	return driver.Info{Key: key, Size: info.Size, Modified: info.Modified, Dir: info.Dir, ID: info.ID.Number}, nil
}

// Open implements [driver.Driver]. It gives an *os.File.
func (d *Driver) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	path, err := d.begin(ctx, key)
	if err != nil {
		return nil, err
	}
	defer d.end()
	f, err := disk.OpenRead(path)
	if err != nil {
		return nil, failRead("open", key, err)
	}
	return f, nil
}

// Space implements [driver.Spacer].
func (d *Driver) Space(ctx context.Context) (free, total int64, err error) {
	if err := d.wait(ctx); err != nil {
		return 0, 0, err
	}
	defer d.end()
	free, total, err = disk.Space(d.root)
	if err != nil {
		return 0, 0, fmt.Errorf("free space of %s: %w", d.root, err)
	}
	return free, total, nil
}
