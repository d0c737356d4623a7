package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"berth/registry"
)

// truncated remembers blobs that are shorter on disk than a manifest says, and
// were therefore read through: those that the disk has damaged are not there
// for anybody until they are pushed again, and those that are whole, because
// the manifest is wrong, are not read again. A size of the file goes with each,
// so that a blob that was replaced is another.
type truncated struct {
	any atomic.Bool // something is damaged

	mu      sync.Mutex // guards what follows
	damaged map[registry.Digest]int64
	whole   map[registry.Digest]int64
}

// maxTruncated bounds what is remembered of each kind.
const maxTruncated = 10_000

func (t *truncated) has(d registry.Digest, size int64) bool {
	if !t.any.Load() {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	was, ok := t.damaged[d]
	return ok && was == size
}

func (t *truncated) believed(d registry.Digest, size int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was, ok := t.whole[d]
	return ok && was == size
}

func (t *truncated) remember(d registry.Digest, size int64, whole bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	which := &t.damaged
	if whole {
		which = &t.whole
	}
	if *which == nil || len(*which) >= maxTruncated {
		*which = map[registry.Digest]int64{}
	}
	(*which)[d] = size
	t.any.Store(len(t.damaged) > 0)
}

// forget is for a blob that was pushed again, and may have the size that it had.
func (t *truncated) forget(d registry.Digest) {
	if !t.any.Load() {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.damaged, d)
	t.any.Store(len(t.damaged) > 0)
}

// isWhole reports whether a blob of size bytes is what its digest says. It is
// asked for only when a manifest says that there are more.
func (s *Store) isWhole(ctx context.Context, d registry.Digest, size int64) (bool, error) {
	if s.torn.believed(d, size) {
		return true, nil
	}
	f, err := s.drv.Open(ctx, blobKey(d))
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v := d.Verifier()
	b := getBuffer()
	defer putBuffer(b)
	n, err := io.CopyBuffer(v, withContext{ctx, f}, *b)
	if err = errors.Join(err, f.Close()); err != nil {
		return false, fmt.Errorf("read blob %s: %w", d, err)
	}
	whole := v.Verified()
	if n == size || !whole {
		s.torn.remember(d, size, whole)
	}
	if !whole {
		s.log.Warn("blob is damaged, it counts as missing until it is pushed again", "digest", d, "size", size)
	}
	return whole, nil
}

// withContext ends reading with a context.
type withContext struct {
	ctx context.Context
	r   io.Reader
}

func (w withContext) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}
