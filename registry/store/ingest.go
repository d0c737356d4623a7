package store

import (
	"errors"
	"io"
	"sync"
)

// chunkSize is how much is written and hashed at a time, and depth how many
// chunks of one upload may be in memory.
const (
	chunkSize = 256 << 10
	depth     = 4
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
	if len(p) < beside {
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

// ReadFrom appends what r gives until it ends. Reading and writing go on while
// the chunks before are hashed. When r fails, what came before is kept.
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

type chunk struct {
	buffer *[]byte
	n      int
}

// pipe takes a long body, of which full is the first chunk.
func (u *upload) pipe(r io.Reader, full *[]byte) (total int64, err error) {
	if err := u.room(len(*full)); err != nil {
		putBuffer(full)
		return 0, err
	}
	written := make(chan chunk, depth)
	free := make(chan *[]byte, depth)
	for range depth - 1 {
		free <- getBuffer()
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for c := range written {
			_, _ = u.hash.Write((*c.buffer)[:c.n])
			free <- c.buffer
		}
	})
	defer func() {
		close(written)
		wg.Wait()
		for range depth {
			putBuffer(<-free)
		}
	}()
	b, n := full, len(*full)
	for {
		done, werr := u.append((*b)[:n])
		written <- chunk{b, done}
		total += int64(done)
		if werr != nil {
			return total, werr
		}
		if err != nil {
			return total, ended(err)
		}
		b = <-free
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
