package store

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"

	"github.com/opencontainers/go-digest"
)

// hasher is the digest of an upload so far.
type hasher struct {
	algorithm digest.Algorithm
	hash.Hash
}

func newHasher(a digest.Algorithm) hasher { return hasher{a, a.Hash()} }

func (h hasher) digest() digest.Digest { return digest.NewDigest(h.algorithm, h.Hash) }

// state is what going on with a hash needs, so that nothing is read again. The
// format is that of the standard library, as distribution uses it.
func (h hasher) state() ([]byte, error) {
	m, ok := h.Hash.(encoding.BinaryMarshaler)
	if !ok {
		return nil, fmt.Errorf("%s keeps no state", h.algorithm)
	}
	return m.MarshalBinary()
}

// loadHash gives the hash of the first size bytes of an upload: from a state
// that was kept, and from the file for the bytes behind it.
func (s *Store) loadHash(ctx context.Context, repo, id string, size int64) (hasher, error) {
	for _, a := range []digest.Algorithm{digest.SHA256, digest.SHA512} {
		if h, ok := s.hashAt(ctx, repo, id, a, size); ok {
			return h, nil
		}
	}
	h, offset := newHasher(digest.SHA256), int64(0)
	for info, err := range s.drv.List(ctx, hashStatesRoot(repo, id, digest.SHA256)) {
		if err != nil {
			break
		}
		at, err := strconv.ParseInt(lastPart(info.Key), 10, 64)
		if err != nil || at <= offset || at > size {
			continue
		}
		if kept, ok := s.hashAt(ctx, repo, id, digest.SHA256, at); ok {
			h, offset = kept, at
		}
	}
	return h, s.hashFile(ctx, uploadData(repo, id), h, offset, size)
}

// hashAt restores one state; a state that cannot be used is none.
func (s *Store) hashAt(ctx context.Context, repo, id string, a digest.Algorithm, offset int64) (hasher, bool) {
	state, err := s.read(ctx, hashStateKey(repo, id, a, offset), 4096)
	if err != nil {
		return hasher{}, false
	}
	h := newHasher(a)
	u, ok := h.Hash.(encoding.BinaryUnmarshaler)
	return h, ok && u.UnmarshalBinary(state) == nil
}

// hashFile adds the bytes from offset to size of a file to a hash.
func (s *Store) hashFile(ctx context.Context, key string, h io.Writer, offset, size int64) error {
	if offset == size {
		return nil
	}
	f, err := s.drv.Open(ctx, key)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	b := getBuffer()
	defer putBuffer(b)
	for left := size - offset; left > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.Read((*b)[:min(left, int64(len(*b)))])
		_, _ = h.Write((*b)[:n])
		if left -= int64(n); left > 0 && err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("hash %s: %w", key, err)
		}
	}
	return nil
}
