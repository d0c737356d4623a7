package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"berth/registry/driver/filesystem/internal/disk"
)

const (
	// segmentSize is where a segment is full, when the options do not say. One
	// that begins with a larger group is as large as that.
	segmentSize = 8 << 20
	// reserve at the end of a segment is for marks and aborts, which must not
	// wait for room: room is made by them.
	reserve = 16 << 10
	// firstSize is how a segment begins; it doubles as it fills, so that an
	// idle store stays small.
	firstSize = 64 << 10
	// maxSegments is how many may be full before writers wait for a checkpoint.
	maxSegments = 4

	suffix = ".log"
)

// segment is a file of frames. Journal.io guards all of it.
type segment struct {
	f    disk.File
	path string
	id   uint64 // its name
	// end of what is written; size of what is zeros on the disk already.
	end, size int64
	epoch     uint64
	// last frame in it; 0 for none.
	last uint64
	memo *memo
}

func segmentName(id uint64) string { return fmt.Sprintf("%08x%s", id, suffix) }

func segmentID(name string) (uint64, bool) {
	hex, ok := strings.CutSuffix(name, suffix)
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseUint(hex, 16, 64)
	return id, err == nil
}

// begin empties the segment for a new life.
func (s *segment) begin() {
	s.end, s.last, s.epoch, s.memo = 0, 0, rand.Uint64(), nil
}

// fits says whether n more bytes may be written. Only frames that make room go
// into the reserve.
func (j *Journal) fits(s *segment, n int64, urgent bool) bool {
	switch {
	case s.end == 0:
		return true
	case urgent:
		return s.end+n <= max(j.o.Segment, s.size)
	}
	return s.end+n <= j.o.Segment-j.reserve()
}

func (j *Journal) reserve() int64 { return min(reserve, j.o.Segment/4) }

// grow has room for n more bytes, and the reserve, written with zeros: a flush
// within what is written already touches no metadata of the file system.
func (j *Journal) grow(s *segment, n int64, urgent bool) error {
	need := s.end + n
	if !urgent {
		need += j.reserve()
	}
	if need <= s.size {
		return nil
	}
	first := min(firstSize, j.o.Segment)
	size := max(first, min(2*s.size, j.o.Segment))
	for size < need {
		size += first
	}
	zeros := make([]byte, min(size-s.size, 1<<20))
	for at := s.size; at < size; {
		n, err := s.f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	s.size = size
	return nil
}

// create makes a segment whose name is durable.
func (j *Journal) create() (*segment, error) {
	if err := j.makeFolder(); err != nil {
		return nil, err
	}
	id := j.nextID
	path := filepath.Join(j.o.Folder, segmentName(id))
	f, err := j.o.Disk.Open(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	if err := j.o.Disk.SyncFolder(j.o.Folder); err != nil {
		return nil, errors.Join(err, f.Close(), j.o.Disk.Remove(path))
	}
	j.nextID++
	s := &segment{f: f, path: path, id: id}
	s.begin()
	return s, nil
}

// makeFolder makes the folder of the journal, and those above it that the
// store needs not.
func (j *Journal) makeFolder() error {
	parent := filepath.Dir(j.o.Folder)
	err := j.o.Disk.Mkdir(j.o.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		if err := j.o.Disk.Mkdir(parent); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := j.o.Disk.SyncFolder(filepath.Dir(parent)); err != nil {
			return err
		}
		err = j.o.Disk.Mkdir(j.o.Folder)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return j.o.Disk.SyncFolder(parent)
}

// found is what a folder holds.
type found struct {
	segments []*segment
	frames   []Frame // of all, in order
	base     uint64
	last     uint64
}

// read opens and scans all segments.
func (j *Journal) read() (found, error) {
	var all found
	names, err := j.o.Disk.Names(j.o.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return all, err
	}
	for _, name := range names {
		id, ok := segmentID(name)
		if !ok {
			continue
		}
		s, frames, err := j.load(id)
		if err != nil {
			all.close()
			return found{}, err
		}
		j.nextID = max(j.nextID, id+1)
		all.segments = append(all.segments, s)
		all.frames = append(all.frames, frames...)
	}
	slices.SortFunc(all.frames, func(a, b Frame) int {
		if a.Number < b.Number {
			return -1
		}
		return 1
	})
	for _, f := range all.frames {
		all.base = max(all.base, f.head.base)
		all.last = max(all.last, f.Number)
	}
	return all, nil
}

func (j *Journal) load(id uint64) (*segment, []Frame, error) {
	path := filepath.Join(j.o.Folder, segmentName(id))
	f, err := j.o.Disk.Open(path, os.O_RDWR)
	if disk.IsReadOnly(err) || errors.Is(err, fs.ErrPermission) {
		j.fail(err)
		f, err = j.o.Disk.Open(path, os.O_RDONLY)
	}
	if err != nil {
		return nil, nil, err
	}
	s := &segment{f: f, path: path, id: id}
	if s.size, err = f.Seek(0, io.SeekEnd); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	frames, end, err := scan(f, s.size)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	s.end = end
	if len(frames) > 0 {
		s.last = frames[len(frames)-1].Number
	}
	return s, frames, nil
}

func (a *found) close() {
	for _, s := range a.segments {
		_ = s.f.Close()
	}
}
