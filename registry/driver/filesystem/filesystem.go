package filesystem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"berth/registry/driver"
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
	threads chan struct{}
	births  births
}

var (
	_ driver.Driver = (*Driver)(nil)
	_ driver.Walker = (*Driver)(nil)
	_ driver.Spacer = (*Driver)(nil)
)

// Open opens a folder, and makes it when it is missing. It does not take
// ownership: one process at a time is the caller's care.
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
	if o.MaxThreads == 0 {
		o.MaxThreads = defaultThreads
	}
	if root[len(root)-1] != filepath.Separator {
		root += string(filepath.Separator)
	}
	return &Driver{root: root, threads: make(chan struct{}, max(o.MaxThreads, minThreads))}, nil
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
	info, err := stat(path)
	if err != nil {
		return driver.Info{}, failRead("stat", key, err)
	}
	info.Key = key
	return info, nil
}

// Open implements [driver.Driver]. It gives an *os.File.
func (d *Driver) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	path, err := d.begin(ctx, key)
	if err != nil {
		return nil, err
	}
	defer d.end()
	f, err := openRead(path)
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
	free, total, err = space(d.root)
	if err != nil {
		return 0, 0, fmt.Errorf("free space of %s: %w", d.root, err)
	}
	return free, total, nil
}
