package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"

	"berth/registry"
	"berth/registry/driver"
)

const (
	// attempts is how often a blob is tried; each goes on where the last ended.
	attempts = 3
	pieces   = 256 << 10
)

// errTooLong: the source gives more bytes than the manifest says.
var errTooLong = registry.ErrSizeInvalid.WithMessage("the content is longer than its descriptor says")

// copyBlob brings the i-th blob of the tracker into dst.
func (c *copier) copyBlob(ctx context.Context, i int, b blob) error {
	if _, err := c.dst.StatBlob(ctx, c.r.To, b.Digest); err == nil {
		c.track.set(i, Exists)
		return nil
	} else if ctx.Err() != nil {
		return ctx.Err()
	}
	if b.elsewhere {
		// A foreign layer is fetched from its own address; where the source
		// has it nevertheless, it comes along.
		if _, err := c.src.StatBlob(ctx, c.r.From, b.Digest); err != nil {
			c.track.set(i, Exists)
			return ctx.Err()
		}
	}
	if c.mount(ctx, b.Digest) {
		c.track.set(i, Mounted)
		return nil
	}
	if err := c.upload(ctx, i, b); err != nil {
		return err
	}
	c.track.set(i, Done)
	return nil
}

// mount tries to get by without copying: from the source's repository if both
// are one registry, else from whichever has it.
func (c *copier) mount(ctx context.Context, d registry.Digest) bool {
	from := ""
	if c.same {
		from = c.r.From
	}
	_, err := c.dst.MountBlob(ctx, from, c.r.To, d)
	return err == nil
}

// upload streams one blob, and goes on after a failure where it was.
func (c *copier) upload(ctx context.Context, i int, b blob) error {
	up, err := c.dst.StartUpload(ctx, c.r.To)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		err = c.stream(ctx, i, b, up)
		if err == nil || n == attempts || !temporary(ctx, err) {
			break
		}
		resumed, resumeErr := c.resume(ctx, up)
		if resumeErr != nil {
			err = errors.Join(err, resumeErr)
			break
		}
		up = resumed
		c.track.rewind(i, up.Size())
	}
	if err == nil {
		_, err = up.Commit(ctx, b.Digest)
	}
	if err != nil {
		return errors.Join(err, up.Cancel(context.WithoutCancel(ctx)))
	}
	return nil
}

func (c *copier) resume(ctx context.Context, up registry.Upload) (registry.Upload, error) {
	id := up.ID()
	if err := up.Close(); err != nil {
		return nil, fmt.Errorf("resume upload %s: %w", id, err)
	}
	next, err := c.dst.ResumeUpload(ctx, c.r.To, id)
	if err != nil {
		return nil, fmt.Errorf("resume upload %s: %w", id, err)
	}
	return next, nil
}

// temporary reports whether trying again can help: not when the registry said
// no, the disk is full or the caller has gone.
func temporary(ctx context.Context, err error) bool {
	if ctx.Err() != nil || errors.Is(err, driver.ErrNoSpace) {
		return false
	}
	for _, e := range registry.AsErrors(err) {
		if !errors.Is(e, registry.ErrUnavailable) && !errors.Is(e, registry.ErrTooManyRequests) {
			return false
		}
	}
	return true
}

// stream sends what the upload does not have yet.
func (c *copier) stream(ctx context.Context, i int, b blob, up registry.Upload) error {
	r, err := c.src.OpenBlob(ctx, c.r.From, b.Digest)
	if err != nil {
		return err
	}
	defer r.Close()
	offset := up.Size()
	if offset > 0 {
		if _, err := r.Seek(offset, io.SeekStart); err != nil {
			return fmt.Errorf("go on at %d: %w", offset, err)
		}
	}
	buf := make([]byte, pieces)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := r.Read(buf)
		if offset += int64(n); offset > b.Size {
			return errTooLong.WithDetail(b.Digest)
		}
		if n > 0 {
			if _, werr := up.Write(buf[:n]); werr != nil {
				return werr
			}
			c.track.add(i, int64(n))
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if offset < b.Size {
		return io.ErrUnexpectedEOF
	}
	return nil
}
