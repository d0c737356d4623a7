package verify

import (
	"context"
	"errors"
	"fmt"
	"io"

	"berth/registry"
)

// blobs reads every blob again.
func (r *run) blobs(ctx context.Context) error {
	for st, err := range r.store.Blobs(ctx, r.at.Blob) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && st.Digest == "" {
			r.found(unlisted("", err))
			continue
		}
		if err := r.blob(ctx, st); err != nil {
			return err
		}
		r.at.Blob = st.Digest
		r.at.Blobs++
		r.at.Bytes += st.Size
		r.tellSometimes(0)
	}
	return ctx.Err()
}

// blob reads one blob, and a second time when it looks wrong: it may have been
// replaced or removed, and a disk may have hiccuped. Its error is that of ctx,
// when it could not come to an end.
func (r *run) blob(ctx context.Context, st registry.Stored) error {
	sound, err := r.sound(ctx, st.Digest)
	if (err != nil || !sound) && ctx.Err() == nil {
		if err := sleep(ctx, r.o.Settle); err != nil {
			return err
		}
		if now, serr := r.store.StatStored(ctx, st.Digest); serr == nil {
			st = now
		}
		sound, err = r.sound(ctx, st.Digest)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		r.unreadable(st, err)
	case !sound:
		return r.damage(ctx, st)
	}
	return nil
}

// damage tells of a damaged blob, and moves it aside.
func (r *run) damage(ctx context.Context, st registry.Stored) error {
	f := Finding{Kind: BlobDamaged, Digest: st.Digest, Size: st.Size, Fixes: []Fix{Refetch}}
	f.Text = fmt.Sprintf("%s is damaged: its %d bytes are not what the digest says", short(st.Digest), st.Size)
	if !r.o.LookOnly {
		moved, err := r.store.Quarantine(ctx, st.Digest)
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			f.Text += fmt.Sprintf("; it could not be moved aside: %v", err)
		case !moved:
			return nil // it was replaced by a push, or removed
		default:
			f.Quarantined = true
			f.Text += "; it was moved into the quarantine, and counts as missing until it is pushed again or repaired"
		}
	}
	r.remember(st.Digest)
	r.found(f)
	return nil
}

func (r *run) unreadable(st registry.Stored, err error) {
	r.remember(st.Digest)
	r.found(Finding{
		Kind: BlobUnreadable, Digest: st.Digest, Size: st.Size, Fixes: []Fix{Refetch},
		Text: fmt.Sprintf("%s cannot be read from the disk: %v", short(st.Digest), err),
	})
}

// remember notes what is damaged, so that repositories which need it are told of.
func (r *run) remember(d registry.Digest) {
	if r.damaged[d] || len(r.at.Damaged) >= maxDamaged {
		return
	}
	r.damaged[d] = true
	r.at.Damaged = append(r.at.Damaged, d)
}

// sound reads a blob; one that is gone is sound.
func (r *run) sound(ctx context.Context, d registry.Digest) (bool, error) {
	f, err := r.store.OpenStored(ctx, d)
	if gone(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	v := d.Verifier()
	err = r.read(ctx, f, v)
	if err = errors.Join(err, f.Close()); err != nil {
		return false, err
	}
	return v.Verified(), nil
}

// read copies at the rate of the run.
func (r *run) read(ctx context.Context, from io.Reader, to io.Writer) error {
	for now := int64(0); ; {
		n, err := from.Read(r.buffer)
		if _, werr := to.Write(r.buffer[:n]); werr != nil {
			return werr
		}
		if n > 0 {
			if perr := r.pace.take(ctx, n); perr != nil {
				return perr
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		now += int64(n)
		r.tellSometimes(now)
	}
}
