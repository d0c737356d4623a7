package filesystem

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"berth/registry/driver/filesystem/internal/disk"
)

// sim is a disk that can lose its power at any operation. What was not synced
// is then there or not, each name and each sector for itself. But as a file
// system with a journal does, it keeps nothing that was done to a name, or to a
// folder, when it loses what was done to that before.
type sim struct {
	mu      sync.Mutex
	root    *inode
	pending []nameOp // not yet durable, in order
	clock   time.Time
	life    string
	numbers uint64

	count, cut int  // operations that change something; the one that fails, 0 for none
	half       bool // of which then a part takes place
	dead       bool
	full       int // the operation from which on the disk is full; 0 for none
	readOnly   bool
	unwritable bool   // the next sync of the whole fails, and forgets what it had to write
	denied     string // a part of paths at which nothing may be made
	leap       int    // the operation before which somebody sets the clock forward
}

var errCut = errors.New("the power is cut")

// inode is a folder when names is not nil.
type inode struct {
	number        uint64
	names, synced map[string]*inode
	content, kept []byte // live, and durable
	forgotten     bool   // what it holds will never be durable
	modified      time.Time
	keptTime      time.Time
}

// nameOp puts or removes a name; a rename does both at once.
type nameOp struct {
	node       *inode
	in, out    *inode // folders
	inAs, from string
	above      []*inode // folders that both are in, at any depth
}

// rests says whether an operation builds on an earlier one.
func (op nameOp) rests(on nameOp) bool {
	same := func(a *inode, as string, b *inode, bs string) bool { return a != nil && a == b && as == bs }
	return same(op.in, op.inAs, on.in, on.inAs) || same(op.in, op.inAs, on.out, on.from) ||
		same(op.out, op.from, on.in, on.inAs) || same(op.out, op.from, on.out, on.from) ||
		op.node.names != nil && slices.Contains(on.above, op.node) ||
		on.node.names != nil && slices.Contains(op.above, on.node)
}

func newSim() *sim {
	return &sim{root: &inode{number: 1, names: map[string]*inode{}, synced: map[string]*inode{}}, numbers: 1, clock: time.Unix(1e9, 0), life: "1"}
}

const simRoot = string(filepath.Separator) + "sim"

func parts(path string) []string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, simRoot), string(filepath.Separator))
	if path == "" {
		return nil
	}
	return strings.Split(path, string(filepath.Separator))
}

func (s *sim) find(path string) (*inode, error) {
	n := s.root
	for _, part := range parts(path) {
		if n.names == nil {
			return nil, syscall.ENOTDIR
		}
		if n = n.names[part]; n == nil {
			return nil, fs.ErrNotExist
		}
	}
	return n, nil
}

func (s *sim) parent(path string) (*inode, string, error) {
	n, err := s.find(filepath.Dir(path))
	if err == nil && n.names == nil {
		err = syscall.ENOTDIR
	}
	return n, filepath.Base(path), err
}

// step is one operation that changes something. torn does half of it.
func (s *sim) step(do, torn func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return errCut
	}
	if s.readOnly {
		return syscall.EROFS
	}
	s.count++
	s.clock = s.clock.Add(time.Millisecond)
	if s.count == s.leap {
		s.clock = s.clock.Add(time.Hour)
	}
	if s.count != s.cut {
		return do()
	}
	s.dead = true
	if s.half && torn != nil {
		_ = torn()
	} else if s.half {
		_ = do()
	}
	return errCut
}

func (s *sim) room() error {
	if s.full > 0 && s.count >= s.full {
		return syscall.ENOSPC
	}
	return nil
}

// chain gives the folders that lead to a path.
func (s *sim) chain(path string) []*inode {
	chain := []*inode{s.root}
	for _, part := range parts(filepath.Dir(path)) {
		chain = append(chain, chain[len(chain)-1].names[part])
	}
	return chain
}

// name carries out an operation on names.
func (s *sim) name(op nameOp, paths ...string) {
	for _, path := range paths {
		op.above = append(op.above, s.chain(path)...)
	}
	op.apply(func(n *inode) map[string]*inode { return n.names })
	for _, folder := range []*inode{op.in, op.out} {
		if folder != nil {
			folder.modified = s.clock
		}
	}
	s.pending = append(s.pending, op)
}

func (op nameOp) apply(names func(*inode) map[string]*inode) {
	if op.out != nil && names(op.out)[op.from] == op.node {
		delete(names(op.out), op.from)
	}
	if op.in != nil {
		names(op.in)[op.inAs] = op.node
	}
}

func durable(n *inode) map[string]*inode { return n.synced }

func (s *sim) make(path string, folder bool) (*inode, error) {
	dir, name, err := s.parent(path)
	if err != nil {
		return nil, err
	}
	if dir.names[name] != nil {
		return nil, fs.ErrExist
	}
	if s.denied != "" && strings.Contains(path, s.denied) {
		return nil, syscall.EACCES
	}
	if err := s.room(); err != nil {
		return nil, err
	}
	s.numbers++
	n := &inode{number: s.numbers, modified: s.clock}
	if folder {
		n.names, n.synced = map[string]*inode{}, map[string]*inode{}
	}
	s.name(nameOp{node: n, in: dir, inAs: name}, path)
	return n, nil
}

func (s *sim) Mkdir(path string) error {
	return s.step(func() error { _, err := s.make(path, true); return err }, nil)
}

func (s *sim) WriteNew(path string, content []byte) error {
	if err := s.step(func() error { _, err := s.make(path, false); return err }, nil); err != nil {
		return err
	}
	return s.step(func() error {
		n, err := s.find(path)
		if err == nil {
			n.content = slices.Clone(content)
		}
		return err
	}, nil)
}

func (s *sim) Rename(from, to string) error {
	return s.step(func() error {
		out, fromName, err := s.parent(from)
		if err != nil {
			return err
		}
		in, toName, err := s.parent(to)
		if err != nil {
			return err
		}
		n, there := out.names[fromName], in.names[toName]
		switch {
		case n == nil:
			return fs.ErrNotExist
		case n == there:
			return nil
		case there != nil && there.names != nil:
			return syscall.EISDIR
		}
		s.name(nameOp{node: n, in: in, inAs: toName, out: out, from: fromName}, from, to)
		return nil
	}, nil)
}

func (s *sim) Remove(path string) error {
	return s.step(func() error {
		out, name, err := s.parent(path)
		if err != nil {
			return err
		}
		n := out.names[name]
		switch {
		case n == nil:
			return fs.ErrNotExist
		case len(n.names) > 0:
			return syscall.ENOTEMPTY
		}
		s.name(nameOp{node: n, out: out, from: name}, path)
		return nil
	}, nil)
}

func (s *sim) RemoveAll(path string) error {
	names, err := s.Names(path)
	if err == nil {
		for _, name := range names {
			if err := s.RemoveAll(filepath.Join(path, name)); err != nil {
				return err
			}
		}
	}
	if err := s.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (s *sim) SyncFolder(path string) error {
	return s.step(func() error {
		dir, err := s.find(path)
		if err != nil {
			return err
		}
		s.settle(func(op nameOp) bool { return op.in == dir || op.out == dir })
		return nil
	}, nil)
}

// settle makes operations durable, in their order, together with the earlier
// ones on the same names.
func (s *sim) settle(which func(nameOp) bool) {
	chosen := make([]bool, len(s.pending))
	for i, op := range slices.Backward(s.pending) {
		chosen[i] = which(op)
		for k := i + 1; k < len(chosen) && !chosen[i]; k++ {
			chosen[i] = chosen[k] && s.pending[k].rests(op)
		}
	}
	rest := s.pending[:0]
	for i, op := range s.pending {
		if chosen[i] {
			op.apply(durable)
		} else {
			rest = append(rest, op)
		}
	}
	s.pending = rest
}

func (s *sim) SyncFile(path string) error {
	return s.step(func() error {
		n, err := s.find(path)
		if err == nil {
			n.sync()
		}
		return err
	}, nil)
}

func (n *inode) sync() {
	if !n.forgotten {
		n.keep()
	}
}

func (n *inode) keep() { n.kept, n.keptTime = slices.Clone(n.content), n.modified }

func (s *sim) Stat(path string) (disk.Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.find(path)
	if err != nil {
		return disk.Info{}, err
	}
	return disk.Info{Size: int64(len(n.content)), Modified: n.modified, Dir: n.names != nil, ID: disk.ID{Number: n.number}}, nil
}

func (s *sim) Names(path string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.find(path)
	if err == nil && n.names == nil {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(n.names)), nil
}

func (s *sim) ReadFile(path string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.find(path)
	if err != nil {
		return nil, err
	}
	return slices.Clone(n.content), nil
}

func (s *sim) Life(string) string { return s.life }

func (s *sim) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *sim) Volume(string) (disk.Volume, error) { return simVolume{s}, nil }

type simVolume struct{ s *sim }

func (v simVolume) Close() error { return nil }

func (v simVolume) Sync() (bool, error) {
	return true, v.s.step(func() error {
		v.s.settle(func(nameOp) bool { return true })
		if v.s.unwritable {
			v.s.unwritable = false
			v.s.root.each(func(n *inode) { n.forgotten = n.names == nil && !bytes.Equal(n.kept, n.content) })
			return syscall.EIO
		}
		v.s.root.each(func(n *inode) { n.sync() })
		return nil
	}, nil)
}

func (n *inode) each(do func(*inode)) {
	do(n)
	for _, child := range n.names {
		child.each(do)
	}
}
