//go:build linux

package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	mib       = 1 << 20
	layerSize = 64 * mib
	tailSize  = 32 << 10
)

// layers makes layers that share all bytes but the last tailSize, so that a
// fresh digest costs no pass over them.
type layers struct {
	head  []byte // what is sent, repeated
	times int
	sum   hash.Cloner // after all of the head
	tail  []byte
	count uint64
	mu    sync.Mutex // guards tail and count
	size  int64
}

func newLayers(size int64, seed uint64) (*layers, error) {
	l := &layers{size: size, count: seed << 40, tail: random(tailSize, seed+1)}
	l.head, l.times = random(int(min(size, layerSize))-tailSize, seed), 1
	if size > layerSize {
		// Many times the same 32 MiB; only the hash is made over all of it.
		l.head = l.head[:32*mib]
		l.times = int((size - tailSize) / (32 * mib))
		l.size = int64(l.times)*32*mib + tailSize
	}
	h := sha256.New()
	for range l.times {
		_, _ = h.Write(l.head)
	}
	var ok bool
	if l.sum, ok = h.(hash.Cloner); !ok {
		return nil, errors.New("sha256 cannot be cloned")
	}
	return l, nil
}

func random(n int, seed uint64) []byte {
	b := make([]byte, n)
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

// fresh gives the end of a layer that was never sent, and its digest.
func (l *layers) fresh() (tail []byte, digest string, err error) {
	l.mu.Lock()
	l.count++
	binary.LittleEndian.PutUint64(l.tail, l.count)
	tail = append(tail, l.tail...)
	l.mu.Unlock()
	h, err := l.sum.Clone()
	if err != nil {
		return nil, "", err
	}
	_, _ = h.Write(tail)
	return tail, "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

// push sends one layer as Docker does: POST, PATCH, PUT. With chunked the
// length is not told beforehand, as Docker does not tell it.
func (l *layers) push(c *conn, repo string, chunked bool) error {
	tail, digest, err := l.fresh()
	if err != nil {
		return err
	}
	r, err := c.do(request("POST", "/v2/"+repo+"/blobs/uploads/", "Content-Length: 0"), false)
	if err != nil {
		return err
	}
	if r.status != 202 {
		return fmt.Errorf("POST gives %d: %.200s", r.status, r.body)
	}
	to := r.location()
	if chunked {
		err = l.sendChunked(c, to, tail)
	} else {
		err = l.send(c, to, tail)
	}
	if err != nil {
		return err
	}
	if r, err = c.receive(false); err != nil {
		return err
	}
	if r.status != 202 {
		return fmt.Errorf("PATCH gives %d: %.200s", r.status, r.body)
	}
	r, err = c.do(request("PUT", withDigest(r.location(), digest), "Content-Length: 0"), false)
	if err != nil {
		return err
	}
	if r.status != 201 {
		return fmt.Errorf("PUT gives %d: %.200s", r.status, r.body)
	}
	return nil
}

func (l *layers) send(c *conn, to string, tail []byte) error {
	if err := c.send(request("PATCH", to, fmt.Sprintf("Content-Type: application/octet-stream\r\nContent-Length: %d", l.size))); err != nil {
		return err
	}
	for range l.times {
		for b := l.head; len(b) > 0; {
			n := min(len(b), mib)
			if err := c.send(b[:n]); err != nil {
				return err
			}
			b = b[n:]
		}
	}
	return c.send(tail)
}

// sendChunked sends chunks of 32 KiB, thirty-two with one call.
func (l *layers) sendChunked(c *conn, to string, tail []byte) error {
	if err := c.send(request("PATCH", to, "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked")); err != nil {
		return err
	}
	out := make([]byte, 0, mib+4096)
	add := func(b []byte) {
		out = fmt.Appendf(out, "%x\r\n", len(b))
		out = append(append(out, b...), "\r\n"...)
	}
	for b := l.head; len(b) > 0; {
		n := min(len(b), tailSize)
		add(b[:n])
		if b = b[n:]; len(out) >= mib-tailSize {
			if err := c.send(out); err != nil {
				return err
			}
			out = out[:0]
		}
	}
	add(tail)
	return c.send(append(out, "0\r\n\r\n"...))
}

// streams does something on many connections at once, each many times, and
// gives the time until all were done.
func streams(addr string, n, times int, do func(c *conn) error) (time.Duration, error) {
	all := make([]*conn, n)
	for i := range all {
		var err error
		if all[i], err = dial(addr); err != nil {
			return 0, err
		}
		defer all[i].close()
	}
	failed := make([]error, n)
	var group sync.WaitGroup
	begin := time.Now()
	for i, c := range all {
		group.Go(func() {
			for range times {
				if failed[i] = do(c); failed[i] != nil {
					return
				}
			}
		})
	}
	group.Wait()
	return time.Since(begin), errors.Join(failed...)
}
