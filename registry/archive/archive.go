package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"berth/registry"
)

var (
	// ErrFormat means that it is no archive of a kind known here.
	ErrFormat = errors.New("neither an OCI layout nor a docker save archive")
	// ErrRefused means that an archive is made to do harm, or as if it were.
	ErrRefused = errors.New("refused")
)

// Unnamed is the repository of images that have no name in the archive.
const Unnamed = "unnamed"

// Image is an image, or another artifact, of an archive.
type Image struct {
	// Name as the archive has it, "docker.io/acme/app:v1"; may be empty.
	Name string
	// Repository and Tag are where the Archive has it: the name without its
	// host. The repository is [Unnamed], and the tag may be empty, when the
	// archive gives no name.
	Repository string
	Tag        string
	Descriptor registry.Descriptor
}

// Archive is an open archive. It is a registry.Registry whose writing methods
// fail with registry.ErrUnsupported. Content is found by digest in each of its
// repositories, whichever image it belongs to. It is safe for concurrent use.
type Archive struct {
	registry.Unsupported
	src    source
	images []Image
	// made are manifests that are not in the archive as such.
	made map[registry.Digest]registry.Manifest
	// at says where blobs are that are not under blobs/.
	at map[registry.Digest]string
	// repos, then tags.
	repos     map[string]map[string]registry.Descriptor
	referrers map[registry.Digest][]registry.Descriptor
}

var _ registry.Registry = (*Archive)(nil)

// Open opens a folder or a file. The caller closes it. A compressed file is
// unpacked first, to a temporary one in tempDir (empty: the system's). Errors:
// ErrFormat, ErrRefused, those of the file system.
func Open(ctx context.Context, path, tempDir string) (*Archive, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	if info.IsDir() {
		src, err := openFolder(path)
		if err != nil {
			return nil, fmt.Errorf("open archive %s: %w", path, err)
		}
		return finish(ctx, src)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open archive %s: %w", path, ErrFormat)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	magic := make([]byte, magicSize)
	n, _ := io.ReadFull(f, magic)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if compression(magic[:n]) != none {
		defer f.Close()
		return Read(ctx, f, tempDir)
	}
	src, err := indexTar(ctx, f, f.Close)
	if err != nil {
		return nil, fmt.Errorf("open archive %s: %w", path, errors.Join(err, f.Close()))
	}
	return finish(ctx, src)
}

// Read takes an archive from a stream, which it spools into a temporary file
// in tempDir (empty: the system's) that goes with Close. Errors as Open, and
// those of r.
func Read(ctx context.Context, r io.Reader, tempDir string) (*Archive, error) {
	src, err := spool(ctx, bufio.NewReaderSize(r, 1<<16), tempDir)
	if err != nil {
		return nil, fmt.Errorf("read archive: %w", err)
	}
	return finish(ctx, src)
}

func finish(ctx context.Context, src source) (*Archive, error) {
	a := &Archive{
		src:       src,
		made:      map[registry.Digest]registry.Manifest{},
		at:        map[registry.Digest]string{},
		repos:     map[string]map[string]registry.Descriptor{},
		referrers: map[registry.Digest][]registry.Descriptor{},
	}
	err := a.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("read archive: %w", errors.Join(err, src.Close()))
	}
	return a, nil
}

func (a *Archive) load(ctx context.Context) error {
	index, err := readSmall(a.src, "index.json")
	if err == nil {
		return a.loadLayout(ctx, index)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	list, err := readSmall(a.src, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return ErrFormat
	}
	if err != nil {
		return err
	}
	return a.loadDocker(ctx, list)
}

// Images lists what the archive holds, in its own order; an image with several
// names is there once for each.
func (a *Archive) Images() []Image { return append([]Image(nil), a.images...) }

// Close removes what Open or Read put aside. Blobs must be closed before.
func (a *Archive) Close() error { return a.src.Close() }

// add enters an image under its name.
func (a *Archive) add(name string, desc registry.Descriptor) {
	repo, tag := split(name)
	if a.repos[repo] == nil {
		a.repos[repo] = map[string]registry.Descriptor{}
	}
	if tag != "" {
		if _, taken := a.repos[repo][tag]; !taken {
			a.repos[repo][tag] = desc
		}
	}
	a.images = append(a.images, Image{Name: name, Repository: repo, Tag: tag, Descriptor: desc})
}
