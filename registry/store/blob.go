package store

import (
	"context"
	"fmt"
	"io"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

const blobMediaType = "application/octet-stream"

// blob is open content.
type blob struct {
	io.ReadSeekCloser
	descriptor registry.Descriptor
}

// Descriptor says what the blob is.
func (b *blob) Descriptor() registry.Descriptor { return b.descriptor }

// Unwrap leads registry.File to the plain file, if there is one.
func (b *blob) Unwrap() io.ReadSeekCloser { return b.ReadSeekCloser }

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
	f, err := s.drv.Open(ctx, blobKey(target))
	if missing(err) {
		return nil, registry.ErrBlobUnknown.WithDetail(d)
	}
	if err != nil {
		return nil, fmt.Errorf("open blob %s: %w", d, err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open blob %s: %w", d, err)
	}
	if hollow(target, size) {
		_ = f.Close()
		return nil, registry.ErrBlobUnknown.WithMessage("the blob on disk is damaged").WithDetail(d)
	}
	return &blob{f, describeBlob(d, size)}, nil
}

// StatBlob describes a blob and leases it; see registry.Reader.
func (s *Store) StatBlob(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	if err := check(ctx, repo, d); err != nil {
		return registry.Descriptor{}, err
	}
	defer s.gate.refer()()
	target, err := s.layer(ctx, repo, d)
	if err != nil {
		return registry.Descriptor{}, err
	}
	size, err := s.stored(ctx, target)
	if missing(err) {
		return registry.Descriptor{}, registry.ErrBlobUnknown.WithDetail(d)
	}
	if err != nil {
		return registry.Descriptor{}, fmt.Errorf("stat blob %s: %w", d, err)
	}
	s.leases.take(target)
	return describeBlob(d, size), nil
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
	if info.Dir || hollow(d, info.Size) {
		return 0, fmt.Errorf("blob %s: %w", d, errDamaged)
	}
	return info.Size, nil
}

// hollow finds the commonest damage: a file system that lost the content of a
// file but not its name.
func hollow(d registry.Digest, size int64) bool {
	return size == 0 && d != d.Algorithm().FromBytes(nil)
}
