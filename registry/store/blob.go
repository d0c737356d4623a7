package store

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"berth/registry"
	"berth/registry/driver"

	"github.com/opencontainers/go-digest"
)

const blobMediaType = "application/octet-stream"

// maxSmall is the size up to which a blob is sent from memory: opening a file
// costs more than copying so little.
const maxSmall = 64 << 10

// blob is open content.
type blob struct {
	io.ReadSeekCloser
	descriptor registry.Descriptor
}

// Descriptor says what the blob is.
func (b *blob) Descriptor() registry.Descriptor { return b.descriptor }

// Unwrap leads registry.File to the plain file, if there is one.
func (b *blob) Unwrap() io.ReadSeekCloser { return b.ReadSeekCloser }

// memoryBlob is the content of a small blob.
type memoryBlob struct {
	bytes.Reader
	content    []byte
	descriptor registry.Descriptor
}

func newMemoryBlob(d registry.Digest, content []byte) *memoryBlob {
	b := &memoryBlob{content: content, descriptor: describeBlob(d, int64(len(content)))}
	b.Reset(content)
	return b
}

// Descriptor says what the blob is.
func (b *memoryBlob) Descriptor() registry.Descriptor { return b.descriptor }

// Bytes gives the whole content, which must not be modified.
func (b *memoryBlob) Bytes() []byte { return b.content }

// Close does nothing.
func (b *memoryBlob) Close() error { return nil }

func describeBlob(d registry.Digest, size int64) registry.Descriptor {
	return registry.Descriptor{MediaType: blobMediaType, Digest: d, Size: size}
}

// OpenBlob opens a blob; see registry.Reader.
func (s *Store) OpenBlob(ctx context.Context, repo string, d registry.Digest) (registry.Blob, error) {
	if err := check(ctx, repo, d); err != nil {
		return nil, err
	}
	target, err := s.layer(ctx, repo, d)
	if err != nil {
		return nil, err
	}
	b, err := s.openStored(ctx, d, target)
	if missing(err) {
		return nil, registry.ErrBlobUnknown.WithDetail(d)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", d, err)
	}
	return b, nil
}

// openStored opens the blob d, which is on disk as target; a small one may come
// from memory, as long as the disk has the file that it was read from.
// Errors: missing.
func (s *Store) openStored(ctx context.Context, d, target registry.Digest) (registry.Blob, error) {
	key := blobKey(target)
	now := time.Now()
	info, err := s.drv.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	if info.Dir || s.hollow(target, info.Size) {
		return nil, fmt.Errorf("blob %s: %w", target, errDamaged)
	}
	if info.Size <= maxSmall {
		if kept, ok := s.cache.blobs.get(target); ok && same(kept.info, info) {
			return newMemoryBlob(d, kept.content), nil
		}
		if settled(info, now) {
			content, err := s.readSmall(ctx, target, info)
			return newMemoryBlob(d, content), err
		}
	}
	f, err := s.drv.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil && s.hollow(target, size) {
		err = fmt.Errorf("blob %s: %w", target, errDamaged)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &blob{f, describeBlob(d, size)}, nil
}

// readSmall reads a small blob, and keeps it when it is what its digest says:
// what is damaged goes out as it lies there, which is for the client to see.
func (s *Store) readSmall(ctx context.Context, d registry.Digest, info driver.Info) ([]byte, error) {
	content, err := s.read(ctx, blobKey(d), maxSmall)
	if err == nil && d.Algorithm().FromBytes(content) == d {
		s.cache.blobs.put(d, smallBlob{info, content}, int64(len(content)+len(d)+len(info.Key)))
	}
	return content, err
}

// StatBlob describes a blob and leases it; see registry.Reader.
func (s *Store) StatBlob(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	if err := check(ctx, repo, d); err != nil {
		return registry.Descriptor{}, err
	}
	defer s.gate.refer()()
	desc, target, err := s.lookAtBlob(ctx, repo, d)
	if err != nil {
		return registry.Descriptor{}, err
	}
	s.leases.take(repo, target)
	if s.landed(layerLink(repo, d)) {
		desc, _, err = s.lookAtBlob(ctx, repo, d)
	}
	return desc, err
}

// lookAtBlob also says where the bytes are. Errors: registry.ErrBlobUnknown.
func (s *Store) lookAtBlob(ctx context.Context, repo string, d registry.Digest) (desc registry.Descriptor, target registry.Digest, err error) {
	if target, err = s.layer(ctx, repo, d); err != nil {
		return desc, "", err
	}
	size, err := s.stored(ctx, target)
	if missing(err) {
		return desc, "", registry.ErrBlobUnknown.WithDetail(d)
	}
	if err != nil {
		return desc, "", fmt.Errorf("stat blob %s: %w", d, err)
	}
	return describeBlob(d, size), target, nil
}

// layer says under which digest a blob of a repository is stored. That is d,
// but for what distribution keeps under an alias: it stores content that was
// pushed by its sha512 under its sha256. Errors: registry.ErrBlobUnknown.
func (s *Store) layer(ctx context.Context, repo string, d registry.Digest) (registry.Digest, error) {
	if d.Algorithm() == digest.SHA256 {
		ok, err := s.exists(ctx, layerLink(repo, d))
		if err != nil {
			return "", fmt.Errorf("stat link of %s: %w", d, err)
		}
		if !ok {
			return "", registry.ErrBlobUnknown.WithDetail(d)
		}
		return d, nil
	}
	target, err := s.readLink(ctx, layerLink(repo, d))
	if missing(err) {
		return "", registry.ErrBlobUnknown.WithDetail(d)
	}
	if err != nil {
		return "", fmt.Errorf("read link of %s: %w", d, err)
	}
	return target, nil
}

// stored gives the size of a blob on disk. Errors: missing.
func (s *Store) stored(ctx context.Context, d registry.Digest) (int64, error) {
	info, err := s.drv.Stat(ctx, blobKey(d))
	if err != nil {
		return 0, err
	}
	if info.Dir || s.hollow(d, info.Size) {
		return 0, fmt.Errorf("blob %s: %w", d, errDamaged)
	}
	return info.Size, nil
}

// hollow finds the commonest damage, a file system that lost the content of a
// file but not its name, and the damage that was found before.
func (s *Store) hollow(d registry.Digest, size int64) bool {
	return size == 0 && d != d.Algorithm().FromBytes(nil) || s.torn.has(d, size)
}
