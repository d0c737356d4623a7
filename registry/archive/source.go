package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"berth/registry"
)

const (
	// maxEntries bounds the index of a tar: the largest images have hundreds.
	maxEntries = 200_000
	// maxName bounds their names, which are kept in memory.
	maxName = 4096
	// maxLinks bounds links to links.
	maxLinks = 16
)

// source finds the members of an archive by their slash path.
type source interface {
	// open gives a member; fs.ErrNotExist when there is none.
	open(name string) (member, error)
	io.Closer
}

// member is an open member.
type member struct {
	io.ReadSeekCloser
	size int64
}

// readSmall reads a member that is kept in memory: an index or a manifest.
func readSmall(src source, name string) ([]byte, error) {
	m, err := src.open(name)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if m.size > registry.MaxManifestSize {
		return nil, fmt.Errorf("%w: %s has %d bytes", ErrRefused, name, m.size)
	}
	content := make([]byte, m.size)
	if _, err := io.ReadFull(m, content); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return content, nil
}

// inside cleans a member's name, and refuses one that leads out.
func inside(name string) (string, error) {
	if len(name) > maxName {
		return "", fmt.Errorf("%w: a name of %d bytes", ErrRefused, len(name))
	}
	clean := path.Clean(name)
	if path.IsAbs(name) || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsAny(name, "\\\x00") {
		return "", fmt.Errorf("%w: the name %.200q leads out of the archive", ErrRefused, name)
	}
	return clean, nil
}

// folder is a layout in a directory. os.Root keeps links inside.
type folder struct{ root *os.Root }

func openFolder(dir string) (source, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return folder{root}, nil
}

func (f folder) open(name string) (member, error) {
	clean, err := inside(name)
	if err != nil {
		return member{}, err
	}
	// Opening a pipe would wait for a writer that never comes.
	info, err := f.root.Stat(clean)
	if err != nil {
		return member{}, err
	}
	if !info.Mode().IsRegular() {
		return member{}, fmt.Errorf("%w: %s is not a file", ErrRefused, clean)
	}
	file, err := f.root.Open(clean)
	if err != nil {
		return member{}, err
	}
	return member{file, info.Size()}, nil
}

func (f folder) Close() error { return f.root.Close() }

// entry is a member of a tar: a place in the file, or a link to another.
type entry struct {
	offset, size int64
	link         string
}

// tarball is a tar whose members are read in place.
type tarball struct {
	file    io.ReaderAt
	entries map[string]entry
	close   func() error
}

func (t *tarball) Close() error { return t.close() }

func (t *tarball) open(name string) (member, error) {
	clean, err := inside(name)
	if err != nil {
		return member{}, err
	}
	for range maxLinks {
		e, ok := t.entries[clean]
		if !ok {
			return member{}, fmt.Errorf("member %.200q: %w", clean, fs.ErrNotExist)
		}
		if e.link == "" {
			return member{part{io.NewSectionReader(t.file, e.offset, e.size)}, e.size}, nil
		}
		clean = e.link
	}
	return member{}, fmt.Errorf("%w: %.200q is a link without end", ErrRefused, name)
}

type part struct{ *io.SectionReader }

func (part) Close() error { return nil }

// indexTar reads the headers of a tar. closer is what Close does.
func indexTar(ctx context.Context, f io.ReadSeeker, closer func() error) (*tarball, error) {
	at, ok := f.(io.ReaderAt)
	if !ok {
		return nil, errors.New("the tar cannot be read at random")
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	t := &tarball{file: at, entries: map[string]entry{}, close: closer}
	headers := tar.NewReader(f)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := headers.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return nil, broken(n, err)
		}
		if n >= maxEntries {
			return nil, fmt.Errorf("%w: more than %d members", ErrRefused, maxEntries)
		}
		offset, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		if err := t.enter(h, offset, end); err != nil {
			return nil, err
		}
	}
}

// broken tells a file that was never a tar from one that was cut off.
func broken(n int, err error) error {
	if n == 0 && (errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return ErrFormat
	}
	return fmt.Errorf("the tar is damaged: %w", err)
}

func (t *tarball) enter(h *tar.Header, offset, end int64) error {
	name, err := inside(h.Name)
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir, tar.TypeXGlobalHeader:
		return nil
	case tar.TypeReg:
		for key := range h.PAXRecords {
			if strings.HasPrefix(key, "GNU.sparse") {
				return fmt.Errorf("%w: %.200q is sparse", ErrRefused, name)
			}
		}
		if h.Size < 0 || h.Size > end-offset {
			return fmt.Errorf("the tar is damaged: %.200q: %w", name, io.ErrUnexpectedEOF)
		}
		t.entries[name] = entry{offset: offset, size: h.Size}
	case tar.TypeSymlink, tar.TypeLink:
		target := h.Linkname
		if h.Typeflag == tar.TypeSymlink && !path.IsAbs(target) {
			target = path.Join(path.Dir(name), target)
		}
		if target, err = inside(target); err != nil {
			return err
		}
		t.entries[name] = entry{link: target}
	default:
		return fmt.Errorf("%w: %.200q is neither file, folder nor link", ErrRefused, name)
	}
	return nil
}
