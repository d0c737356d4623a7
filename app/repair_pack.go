package app

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"

	"berth/registry"
	"berth/registry/archive"

	"github.com/opencontainers/go-digest"
)

// savedImage gives what the archive of a local image has, whatever repository
// is asked for. Docker keeps layers unpacked, and packs them with each push in
// the same way: so does it here, and what comes out is right or it is not.
type savedImage struct {
	a     *archive.Archive
	repo  string // any that the archive has
	t     *fetching
	dir   string
	plain map[registry.Digest]registry.Digest // packed layers and what they unpack to
	// repacked: a layer was there, and packed it was another.
	repacked bool
}

// Manifest gets a manifest out of the archive. What is a manifest in none is
// none here.
func (s *savedImage) Manifest(ctx context.Context, _ string, d registry.Digest) (registry.Manifest, error) {
	m, err := s.a.Manifest(ctx, s.repo, d)
	if err != nil && ctx.Err() == nil {
		return m, registry.ErrManifestUnknown.WithDetail(d)
	}
	return m, err
}

// OpenBlob opens a blob of the archive, or packs one.
func (s *savedImage) OpenBlob(ctx context.Context, _ string, d registry.Digest) (registry.Blob, error) {
	b, err := s.a.OpenBlob(ctx, s.repo, d)
	if errors.Is(err, registry.ErrBlobUnknown) && s.plain[d] != "" {
		b, err = s.pack(ctx, d, s.plain[d])
	}
	if err != nil {
		return nil, err
	}
	return countedBlob{b, s.t}, nil
}

// pack compresses an unpacked layer as docker push does, into a file.
func (s *savedImage) pack(ctx context.Context, want, plain registry.Digest) (_ registry.Blob, err error) {
	from, err := s.a.OpenBlob(ctx, s.repo, plain)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	f, err := os.CreateTemp(s.dir, "repair-*")
	if err != nil {
		return nil, err
	}
	out := packed{f, registry.Descriptor{MediaType: "application/octet-stream", Digest: want}}
	defer func() {
		if err != nil {
			_ = out.Close()
		}
	}()
	sum := want.Algorithm().Digester()
	to := bufio.NewWriterSize(io.MultiWriter(f, sum.Hash()), 64<<10)
	zip := gzip.NewWriter(to)
	_, err = io.Copy(zip, untilDone{ctx, from})
	if err = errors.Join(err, zip.Close(), to.Flush()); err != nil {
		return nil, err
	}
	if digest.Digest(sum.Digest()) != want {
		s.repacked = true
		return nil, registry.ErrBlobUnknown.WithDetail(want)
	}
	if out.desc.Size, err = f.Seek(0, io.SeekCurrent); err != nil {
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return out, err
}

// packed is a packed layer in a file that goes with Close.
type packed struct {
	*os.File
	desc registry.Descriptor
}

// Descriptor says what it is.
func (p packed) Descriptor() registry.Descriptor { return p.desc }

// Close removes the file.
func (p packed) Close() error { return errors.Join(p.File.Close(), os.Remove(p.Name())) }

// untilDone reads until a context ends.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (r untilDone) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
