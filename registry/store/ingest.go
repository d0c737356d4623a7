package store

import (
	"errors"
	"io"
	"sync"
)

const (
	// chunkSize is how much is read, written and hashed at a time. Few chunks of
	// it fit into the nearer caches; with larger ones the figures scatter.
	chunkSize = 64 << 10
	// depth is how many chunks of one upload may wait to be hashed.
	depth = 4
	// inMemory is how large an upload is kept in memory, so that it can become a
	// blob with one flush.
	inMemory = 64 << 10
	// beside is from what size on hashing beside writing is worth a goroutine.
	beside = 64 << 10
)

var buffers = sync.Pool{New: func() any { b := make([]byte, chunkSize); return &b }}

func getBuffer() *[]byte { return buffers.Get().(*[]byte) }

func putBuffer(b *[]byte) { buffers.Put(b) }

// Write appends p; the hash runs beside the write.
func (u *upload) Write(p []byte) (int, error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	if err := u.room(len(p)); err != nil {
		return 0, err
	}
	if len(p) < beside || !u.s.sessions.spare() {
		n, err := u.append(p)
		_, _ = u.hash.Write(p[:n])
		return n, err
	}
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = u.hash.Write(p) })
	n, err := u.append(p)
	wg.Wait()
	return n, err
}

// room makes a file when n more bytes are too many for memory. When it fails,
// the upload is as it was.
func (u *upload) room(n int) error {
	if u.w != nil || u.size+int64(n) <= inMemory {
		return nil
	}
	return u.spill()
}

// append adds to memory or to the file, for which room was called. After an
// error the hash is not to be trusted.
func (u *upload) append(p []byte) (int, error) {
	n, err := len(p), error(nil)
	if u.w != nil {
		n, err = u.w.Write(p)
		u.onDisk.grow(n)
	}
	if int64(len(u.small)) == u.size && u.size+int64(n) <= inMemory {
		u.small = append(u.small, p[:n]...)
	} else {
		u.small = nil
	}
	u.size += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err != nil {
		u.broken = true
	}
	return n, err
}

// ReadFrom appends what r gives until it ends; see lane for the hash. When r fails, what came before is kept.
func (u *upload) ReadFrom(r io.Reader) (int64, error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	b := getBuffer()
	n, err := fill(r, *b)
	if err != nil {
		defer putBuffer(b)
		return u.last((*b)[:n], err)
	}
	return u.pipe(r, b)
}

// last takes the one chunk of a short body; err is how r ended.
func (u *upload) last(p []byte, err error) (int64, error) {
	if err := u.room(len(p)); err != nil {
		return 0, err
	}
	n, werr := u.append(p)
	_, _ = u.hash.Write(p[:n])
	if werr != nil {
		return int64(n), werr
	}
	return int64(n), ended(err)
}

// pipe takes a long body, of which full is the first chunk.
func (u *upload) pipe(r io.Reader, b *[]byte) (total int64, err error) {
	defer func() { putBuffer(b) }()
	n := len(*b)
	u.s.sessions.bodies.Add(1)
	defer u.s.sessions.bodies.Add(-1)
	l := lane{hash: u.hash, spare: u.s.sessions.spare}
	defer l.end()
	for {
		if err := u.room(n); err != nil {
			return total, err
		}
		done, werr := u.append((*b)[:n])
		b = l.add(b, done)
		total += int64(done)
		if werr != nil {
			return total, werr
		}
		if err != nil {
			return total, ended(err)
		}
		n, err = fill(r, *b)
	}
}

// fill reads until b is full or r ends; then the error is not nil.
func fill(r io.Reader, b []byte) (n int, err error) {
	for idle := 0; n < len(b); {
		m, err := r.Read(b[n:])
		n += m
		if err != nil {
			return n, err
		}
		if idle++; m > 0 {
			idle = 0
		} else if idle > 100 {
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
