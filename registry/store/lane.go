package store

import (
	"hash"
	"sync"
)

// lane hashes the chunks of one body. While there are cores to spare, it does so
// beside the reading and writing of the chunks behind; else on the goroutine
// that reads and writes, where the bytes are in the cache of its core.
type lane struct {
	hash  hash.Hash
	spare func() bool

	chunks chan chunk   // to the goroutine; nil before there is one
	free   chan *[]byte // from it
	out    int          // how many chunks it has
	wg     sync.WaitGroup
}

type chunk struct {
	buffer *[]byte
	n      int
}

// add takes n bytes in b, and gives a buffer for the next.
func (l *lane) add(b *[]byte, n int) *[]byte {
	if !l.spare() {
		l.wait()
		_, _ = l.hash.Write((*b)[:n])
		return b
	}
	if l.chunks == nil {
		l.chunks, l.free = make(chan chunk, depth), make(chan *[]byte, depth)
		l.wg.Go(func() {
			for c := range l.chunks {
				_, _ = l.hash.Write((*c.buffer)[:c.n])
				l.free <- c.buffer
			}
		})
	}
	l.chunks <- chunk{b, n}
	l.out++
	if l.out < depth && len(l.free) == 0 {
		return getBuffer()
	}
	l.out--
	return <-l.free
}

// wait returns when all that was added is hashed.
func (l *lane) wait() {
	for ; l.out > 0; l.out-- {
		putBuffer(<-l.free)
	}
}

// end waits, and ends the goroutine.
func (l *lane) end() {
	l.wait()
	if l.chunks != nil {
		close(l.chunks)
		l.wg.Wait()
	}
}

// spare reports whether there are cores enough for every body that comes in to
// be hashed beside its writing.
func (ss *sessions) spare() bool { return 2*int(ss.bodies.Load()) <= ss.cores }
