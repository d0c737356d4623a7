package app

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"

	"berth/registry"
	"berth/registry/archive"
	"berth/registry/manifest"

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
	// pushedAs are manifests that the engine says it has pushed or pulled.
	pushedAs map[registry.Digest]bool
	// repacked: a layer was there, and packed it was another.
	repacked bool
}

// Manifest gets a manifest out of the archive, or writes it again as docker push
// did. What is a manifest in none is none here.
func (s *savedImage) Manifest(ctx context.Context, _ string, d registry.Digest) (registry.Manifest, error) {
	m, err := s.a.Manifest(ctx, s.repo, d)
	if err != nil && ctx.Err() == nil && s.pushedAs[d] {
		m, err = s.rewrite(ctx, d)
	}
	if err != nil && ctx.Err() == nil {
		return m, registry.ErrManifestUnknown.WithDetail(d)
	}
	return m, err
}

// dockerManifest is a manifest with the fields in docker's order.
type dockerManifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Config        dockerPart   `json:"config"`
	Layers        []dockerPart `json:"layers"`
}

type dockerPart struct {
	MediaType string          `json:"mediaType"`
	Size      int64           `json:"size"`
	Digest    registry.Digest `json:"digest"`
}

// rewrite writes the manifest of docker push again; it is the one, or it is not.
func (s *savedImage) rewrite(ctx context.Context, want registry.Digest) (registry.Manifest, error) {
	for _, i := range s.a.Images() {
		saved, err := s.a.Manifest(ctx, s.repo, i.Descriptor.Digest)
		if err != nil {
			return saved, err
		}
		p, err := manifest.Parse(saved.MediaType, saved.Content)
		if err != nil || len(p.Blobs) == 0 {
			continue
		}
		m := dockerManifest{2, manifest.DockerManifest, dockerPart{"application/vnd.docker.container.image.v1+json", p.Blobs[0].Size, p.Blobs[0].Digest}, []dockerPart{}}
		for _, layer := range p.Blobs[1:] {
			d, size, err := s.packInto(ctx, io.Discard, layer.Digest, want.Algorithm())
			if err != nil {
				return registry.Manifest{}, err
			}
			s.plain[d] = layer.Digest
			m.Layers = append(m.Layers, dockerPart{"application/vnd.docker.image.rootfs.diff.tar.gzip", size, d})
		}
		content, err := json.MarshalIndent(m, "", "   ")
		if err == nil && want.Algorithm().FromBytes(content) == want {
			return registry.Manifest{MediaType: m.MediaType, Digest: want, Content: content}, nil
		}
	}
	return registry.Manifest{}, registry.ErrManifestUnknown.WithDetail(want)
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
	d, size, err := s.packInto(ctx, f, plain, want.Algorithm())
	if err != nil {
		return nil, err
	}
	if d != want {
		s.repacked = true
		return nil, registry.ErrBlobUnknown.WithDetail(want)
	}
	out.desc.Size = size
	_, err = f.Seek(0, io.SeekStart)
	return out, err
}

// packInto compresses a layer of the archive, and gives the digest and the size
// of what comes out.
func (s *savedImage) packInto(ctx context.Context, w io.Writer, plain registry.Digest, a digest.Algorithm) (registry.Digest, int64, error) {
	from, err := s.a.OpenBlob(ctx, s.repo, plain)
	if err != nil {
		return "", 0, err
	}
	defer from.Close()
	sum, size := a.Digester(), &sized{}
	to := bufio.NewWriterSize(io.MultiWriter(w, sum.Hash(), size), 64<<10)
	zip := gzip.NewWriter(to)
	_, err = io.Copy(zip, untilDone{ctx, from})
	err = errors.Join(err, zip.Close(), to.Flush())
	return sum.Digest(), size.n, err
}

// sized counts what is written.
type sized struct{ n int64 }

func (s *sized) Write(p []byte) (int, error) {
	s.n += int64(len(p))
	return len(p), nil
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
