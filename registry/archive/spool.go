package archive

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	magicSize = 4
	// freely is how much any archive may unpack to. Beyond it, it must not be
	// larger than ratio times what it was: layers rarely shrink to a tenth.
	freely = 1 << 30
	ratio  = 100
	// maxWindow bounds the memory that a zstd stream can ask for.
	maxWindow = 128 << 20
)

type packing int

const (
	none packing = iota
	gzipped
	zstandard
)

// compression tells by the first bytes.
func compression(magic []byte) packing {
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzipped
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstandard
	}
	return none
}

// counter counts what is read through it, and stops when ctx ends.
type counter struct {
	ctx context.Context //nolint:containedctx // lives as long as one call of spool
	r   io.Reader
	n   int64
}

func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// bounded fails when much more comes out of a decompressor than went in.
type bounded struct {
	r    io.Reader
	in   *counter
	free int64
	n    int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.n += int64(n); b.n > b.free && b.n/ratio > b.in.n {
		return 0, fmt.Errorf("%w: it unpacks to more than %d times its size", ErrRefused, ratio)
	}
	return n, err
}

// spool writes an archive into a temporary file, unpacked, and indexes it.
func spool(ctx context.Context, r *bufio.Reader, dir string) (source, error) {
	f, err := os.CreateTemp(dir, "berth-archive-*")
	if err != nil {
		return nil, err
	}
	drop := func() error { return errors.Join(f.Close(), remove(f.Name())) }
	// Where a file can lose its name while open, nothing stays after a crash.
	_ = os.Remove(f.Name())
	if err := fill(ctx, f, r, freely); err != nil {
		return nil, errors.Join(err, drop())
	}
	t, err := indexTar(ctx, f, drop)
	if err != nil {
		return nil, errors.Join(err, drop())
	}
	return t, nil
}

func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// fill copies r to w, without its compression; free as for bounded.
func fill(ctx context.Context, w io.Writer, r *bufio.Reader, free int64) error {
	magic, err := r.Peek(magicSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	in := &counter{ctx: ctx, r: r}
	var plain io.Reader
	switch compression(magic) {
	case gzipped:
		z, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		plain = &bounded{r: z, in: in, free: free}
	case zstandard:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		defer z.Close()
		plain = &bounded{r: z, in: in, free: free}
	default:
		plain = in
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, plain, make([]byte, 1<<18))
	return err
}
