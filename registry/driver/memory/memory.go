package memory

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"berth/registry/driver"
)

// Driver is a tree of files in memory. The zero value is not usable; see [New].
type Driver struct {
	mu   sync.RWMutex
	root *node // guarded by mu
}

// node is a folder when children is not nil, else a file.
type node struct {
	children map[string]*node

	// live only ever grows, or is replaced: a reader may keep a slice of it.
	live     []byte
	modified time.Time

	// safe is what survives a crash; held says that the name survives, too.
	safe []byte
	held bool
}

var (
	_ driver.Driver = (*Driver)(nil)
	_ driver.Walker = (*Driver)(nil)
)

// New gives an empty driver.
func New() *Driver {
	return &Driver{root: newFolder()}
}

func newFolder() *node {
	return &node{children: map[string]*node{}, modified: time.Now()}
}

// Crash does what a loss of power does: bytes that were never synced are gone,
// and so are files of which nothing was ever synced. Writers that were open
// must not be used any more.
func (d *Driver) Crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.root.crash()
}

func (n *node) crash() {
	for name, child := range n.children {
		switch {
		case child.children != nil:
			child.crash()
		case !child.held:
			delete(n.children, name)
		default:
			child.live = child.safe
		}
	}
}

// Stat implements [driver.Driver].
func (d *Driver) Stat(ctx context.Context, key string) (driver.Info, error) {
	if err := check(ctx, key); err != nil {
		return driver.Info{}, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	n := d.root.find(key)
	if n == nil {
		return driver.Info{}, missing("stat", key)
	}
	return n.info(key), nil
}

// Open implements [driver.Driver].
func (d *Driver) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if err := check(ctx, key); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	n := d.root.find(key)
	if n == nil || n.children != nil {
		return nil, missing("open", key)
	}
	return reader{bytes.NewReader(n.live)}, nil
}

type reader struct{ *bytes.Reader }

func (reader) Close() error { return nil }

// Put implements [driver.Driver].
func (d *Driver) Put(ctx context.Context, key string, content []byte) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	content = bytes.Clone(content)
	return d.root.attach("put", key, &node{live: content, safe: content, held: true, modified: time.Now()})
}

// Move implements [driver.Driver].
func (d *Driver) Move(ctx context.Context, from, to string) error {
	for _, key := range []string{from, to} {
		if err := check(ctx, key); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.root.find(from)
	if n == nil || n.children != nil {
		return missing("move", from)
	}
	if from == to {
		return nil
	}
	if err := d.root.attach("move", to, n); err != nil {
		return err
	}
	n.held = true // the new name is durable, even where the bytes are not
	d.root.detach(from)
	return nil
}

// Delete implements [driver.Driver].
func (d *Driver) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.root.detach(key) {
		return missing("delete", key)
	}
	return nil
}

// List implements [driver.Driver].
func (d *Driver) List(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	return func(yield func(driver.Info, error) bool) {
		infos, err := d.list(ctx, prefix)
		if err != nil {
			yield(driver.Info{}, err)
			return
		}
		for _, info := range infos {
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (d *Driver) list(ctx context.Context, prefix string) ([]driver.Info, error) {
	if err := checkPrefix(ctx, prefix); err != nil {
		return nil, err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	n := d.root.find(prefix)
	if n == nil || n.children == nil {
		return nil, missing("list", prefix)
	}
	var infos []driver.Info
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		infos = append(infos, n.children[name].info(join(prefix, name)))
	}
	return infos, nil
}

// Walk implements [driver.Walker].
func (d *Driver) Walk(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	return func(yield func(driver.Info, error) bool) { d.walk(ctx, prefix, yield) }
}

func (d *Driver) walk(ctx context.Context, prefix string, yield func(driver.Info, error) bool) bool {
	infos, err := d.list(ctx, prefix)
	if err != nil {
		return yield(driver.Info{}, err)
	}
	for _, info := range infos {
		if !info.Dir && !yield(info, nil) || info.Dir && !d.walk(ctx, info.Key, yield) {
			return false
		}
	}
	return true
}

func (n *node) info(key string) driver.Info {
	return driver.Info{Key: key, Size: int64(len(n.live)), Modified: n.modified, Dir: n.children != nil}
}

// find gives the node of a key, or nil. The root has the key "".
func (n *node) find(key string) *node {
	for n != nil && key != "" {
		var part string
		part, key, _ = strings.Cut(key, "/")
		n = n.children[part]
	}
	return n
}

// attach places a file under a key, makes the folders above it, and replaces a
// file that is there.
func (n *node) attach(op, key string, file *node) error {
	parent, name := n, key
	for {
		part, rest, more := strings.Cut(name, "/")
		if !more {
			break
		}
		child := parent.children[part]
		if child == nil {
			child = newFolder()
			parent.children[part] = child
		}
		if child.children == nil {
			return &fs.PathError{Op: op, Path: key, Err: fs.ErrExist}
		}
		parent, name = child, rest
	}
	if old := parent.children[name]; old != nil && old.children != nil {
		return &fs.PathError{Op: op, Path: key, Err: fs.ErrExist}
	}
	parent.children[name] = file
	parent.modified = time.Now()
	return nil
}

// detach removes what is under a key, and says whether there was something.
func (n *node) detach(key string) bool {
	parent, name := n, key
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		parent, name = n.find(key[:i]), key[i+1:]
	}
	if parent == nil || parent.children[name] == nil {
		return false
	}
	delete(parent.children, name)
	parent.modified = time.Now()
	return true
}

func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return driver.CheckKey(key)
}

func checkPrefix(ctx context.Context, prefix string) error {
	if prefix == "" {
		return ctx.Err()
	}
	return check(ctx, prefix)
}

func missing(op, key string) error {
	return &fs.PathError{Op: op, Path: key, Err: fs.ErrNotExist}
}

func join(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + "/" + name
}
