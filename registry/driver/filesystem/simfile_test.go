package filesystem

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"berth/registry/driver/filesystem/internal/disk"
)

// simFile is an open file.
type simFile struct {
	s  *sim
	n  *inode
	at int64
}

func (s *sim) Open(path string, flag int) (disk.File, error) {
	var n *inode
	look := func() (err error) {
		if n, err = s.find(path); err == nil && flag&os.O_EXCL != 0 {
			return fs.ErrExist
		}
		if errors.Is(err, fs.ErrNotExist) && flag&os.O_CREATE != 0 {
			n, err = s.make(path, false)
		}
		if err == nil && flag&os.O_TRUNC != 0 {
			n.content, n.modified = nil, s.clock
		}
		return err
	}
	if flag&(os.O_CREATE|os.O_TRUNC) != 0 {
		if err := s.step(look, nil); err != nil {
			return nil, err
		}
	} else {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.readOnly && flag&(os.O_RDWR|os.O_WRONLY) != 0 {
			return nil, syscall.EROFS
		}
		if err := look(); err != nil {
			return nil, err
		}
	}
	return &simFile{s: s, n: n}, nil
}

func (f *simFile) put(p []byte, at int64) error {
	if end := at + int64(len(p)); end > int64(len(f.n.content)) {
		if err := f.s.room(); err != nil {
			return err
		}
		f.n.content = append(f.n.content, make([]byte, end-int64(len(f.n.content)))...)
	}
	copy(f.n.content[at:], p)
	f.n.modified = f.s.clock
	return nil
}

func (f *simFile) WriteAt(p []byte, at int64) (int, error) {
	err := f.s.step(func() error { return f.put(p, at) }, func() error { return f.put(p[:len(p)/2], at) })
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *simFile) Write(p []byte) (int, error) {
	n, err := f.WriteAt(p, f.at)
	f.at += int64(n)
	return n, err
}

func (f *simFile) ReadAt(p []byte, at int64) (int, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	n := copy(p, f.n.content[min(at, int64(len(f.n.content))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *simFile) Seek(int64, int) (int64, error) {
	f.s.mu.Lock()
	defer f.s.mu.Unlock()
	f.at = int64(len(f.n.content))
	return f.at, nil
}

func (f *simFile) Sync() error     { return f.s.step(func() error { f.n.sync(); return nil }, nil) }
func (f *simFile) SyncData() error { return f.Sync() }

func (f *simFile) Truncate(size int64) error {
	return f.s.step(func() error { f.n.content = f.n.content[:min(size, int64(len(f.n.content)))]; return nil }, nil)
}

func (f *simFile) Ahead(int64, int64)        {}
func (f *simFile) Reserve(int64, int64) bool { return false }
func (f *simFile) Release()                  {}
func (f *simFile) Close() error              { return nil }

// cutIn has the power cut at one of the next operations.
func (s *sim) cutIn(n int, half bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut, s.half = s.count+n, half
}

func (s *sim) cutNow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
}

// files gives all but those of the journal.
func (s *sim) files() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]string{}
	s.root.gather("", found)
	return found
}

func (n *inode) gather(prefix string, into map[string]string) {
	for name, child := range n.names {
		key := strings.TrimPrefix(prefix+"/"+name, "/")
		switch {
		case key == journalKey:
		case child.names != nil:
			child.gather(key, into)
		default:
			into[key] = string(child.content)
		}
	}
}

// crash gives the disk as it is when the power is back.
func (s *sim) crash(rnd *rand.Rand) *sim {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = true
	after := &sim{root: s.root, numbers: s.numbers, clock: s.clock.Add(time.Minute), life: s.life + "'"}
	odds := rnd.IntN(5) // none is kept, all is, or some
	var lost []nameOp
	for _, op := range s.pending {
		rests := slices.ContainsFunc(lost, op.rests)
		if !rests && lucky(rnd, odds) {
			op.apply(durable)
		} else {
			lost = append(lost, op)
		}
	}
	after.root.restart(rnd, odds, map[*inode]bool{})
	return after
}

func lucky(rnd *rand.Rand, odds int) bool { return rnd.IntN(4) < odds }

const sector = 512

func (n *inode) restart(rnd *rand.Rand, odds int, seen map[*inode]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	if n.synced != nil {
		n.names = maps.Clone(n.synced)
		for _, name := range slices.Sorted(maps.Keys(n.names)) {
			n.names[name].restart(rnd, odds, seen)
		}
		return
	}
	if !n.keptTime.Equal(n.modified) && !lucky(rnd, odds) {
		n.modified = n.keptTime
	}
	n.keptTime = n.modified // what came back stays
	mixed := slices.Clone(n.kept)
	if len(mixed) > len(n.content) && lucky(rnd, odds) {
		mixed = mixed[:len(n.content)]
	}
	for at := 0; at < len(n.content); at += sector {
		end := min(at+sector, len(n.content))
		if lucky(rnd, odds) {
			if len(mixed) < end {
				mixed = append(mixed, make([]byte, end-len(mixed))...)
			}
			copy(mixed[at:end], n.content[at:end])
		}
	}
	n.content, n.kept = mixed, slices.Clone(mixed)
}
