package store

import (
	"context"
	"fmt"
	"io"
	"time"

	"berth/registry"

	"github.com/google/uuid"
	"github.com/opencontainers/go-digest"
)

// upload is a holder's view of a session.
type upload struct {
	s *Store
	*session
	done bool // committed, cancelled or closed
}

var (
	_ registry.Upload = (*upload)(nil)
	_ io.ReaderFrom   = (*upload)(nil)
)

// StartUpload begins an upload; see registry.Writer. Nothing of it is on disk
// until bytes have to be kept. Its hash is that of
// registry.AlgorithmFrom(ctx); committing another algorithm's digest reads the
// content once more.
func (s *Store) StartUpload(ctx context.Context, repo string) (registry.Upload, error) {
	if err := check(ctx, repo); err != nil {
		return nil, err
	}
	v7, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("name an upload: %w", err)
	}
	algorithm := registry.AlgorithmFrom(ctx)
	if algorithm != digest.SHA256 && algorithm != digest.SHA512 {
		return nil, registry.ErrDigestInvalid.WithMessage("digests of algorithm %q are not supported; use sha256 or sha512", algorithm)
	}
	sess := &session{repo: repo, id: v7.String(), started: time.Now(), hash: newHasher(algorithm)}
	if _, err := s.sessions.take(ctx, repo, sess.id); err != nil {
		return nil, err
	}
	return &upload{s: s, session: sess}, nil
}

// ResumeUpload goes on with an upload; see registry.Writer.
func (s *Store) ResumeUpload(ctx context.Context, repo, id string) (registry.Upload, error) {
	if err := check(ctx, repo); err != nil {
		return nil, err
	}
	if !validUploadID(id) {
		return nil, registry.ErrBlobUploadUnknown
	}
	sess, err := s.sessions.take(ctx, repo, id)
	if err != nil {
		return nil, err
	}
	if sess == nil {
		if sess, err = s.load(ctx, repo, id); err != nil {
			s.sessions.leave(repo, id)
			return nil, err
		}
	}
	return &upload{s: s, session: sess}, nil
}

// ID names the upload.
func (u *upload) ID() string { return u.id }

// Size counts the bytes so far.
func (u *upload) Size() int64 { return u.size }

func (u *upload) usable() error {
	if u.done {
		return registry.ErrBlobUploadUnknown.WithMessage("the upload is closed").WithDetail(u.id)
	}
	if u.broken {
		return registry.ErrBlobUploadInvalid.WithMessage("an earlier write failed; resume the upload").WithDetail(u.id)
	}
	return nil
}

// Close lets go; see registry.Upload. What has come is in a file afterwards,
// where the end of this process does not reach it.
func (u *upload) Close() error {
	if u.done {
		return nil
	}
	u.done = true
	if u.w == nil && u.size > 0 && !u.broken {
		if err := u.spill(); err != nil {
			u.s.sessions.end(u.repo, u.id)
			return err
		}
	}
	if u.s.park(u.session) {
		return nil
	}
	defer u.s.sessions.end(u.repo, u.id)
	return u.s.settle(context.Background(), u.session)
}

// Cancel throws away; see registry.Upload.
func (u *upload) Cancel(ctx context.Context) error {
	if u.done {
		return nil
	}
	u.done = true
	defer u.s.sessions.end(u.repo, u.id)
	if !u.filed {
		return nil
	}
	u.drop()
	if err := u.s.remove(context.WithoutCancel(ctx), uploadDir(u.repo, u.id)); err != nil {
		return fmt.Errorf("cancel upload %s: %w", u.id, err)
	}
	u.s.beside.gone(u.repo, u.id)
	return nil
}

// Commit makes a blob of it; see registry.Upload. When the storage fails
// before the blob is in its place, the upload stays and can be resumed.
func (u *upload) Commit(ctx context.Context, want registry.Digest) (registry.Descriptor, error) {
	if err := u.usable(); err != nil {
		return registry.Descriptor{}, err
	}
	if err := check(ctx, u.repo, want); err != nil {
		return registry.Descriptor{}, err
	}
	same := u.hash.algorithm == want.Algorithm()
	if same && u.hash.digest() != want {
		return registry.Descriptor{}, u.mismatch(ctx, want)
	}
	var err error
	if int64(len(u.small)) == u.size {
		if !same && want.Algorithm().FromBytes(u.small) != want {
			return registry.Descriptor{}, u.mismatch(ctx, want)
		}
		// From here on a client that goes away must not leave half of it.
		err = u.s.adoptSmall(context.WithoutCancel(ctx), u.session, want)
	} else {
		err = u.commitFile(ctx, want, same)
	}
	if u.done { // a mismatch
		return registry.Descriptor{}, err
	}
	if err != nil {
		u.s.tellLeft(ctx, want)
		return registry.Descriptor{}, fmt.Errorf("commit upload %s: %w", u.id, err)
	}
	u.done = true
	u.s.sessions.end(u.repo, u.id)
	return describeBlob(want, u.size), nil
}

// commitFile adopts the file of an upload; hashed says that its hash is checked
// already.
func (u *upload) commitFile(ctx context.Context, want registry.Digest, hashed bool) error {
	// Afterwards the upload takes no more, and Close leaves it to be read from
	// the disk.
	u.broken = true
	w := u.w
	u.w = nil
	if err := w.Close(); err != nil {
		return err
	}
	if !hashed {
		h := newHasher(want.Algorithm())
		if err := u.s.hashFile(ctx, uploadData(u.repo, u.id), h, 0, u.size); err != nil {
			return err
		}
		if h.digest() != want {
			return u.mismatch(ctx, want)
		}
	}
	return u.s.adopt(context.WithoutCancel(ctx), u.session, want)
}

func (u *upload) mismatch(ctx context.Context, want registry.Digest) error {
	if err := u.Cancel(ctx); err != nil {
		u.s.log.Warn("rejected upload could not be removed", "upload", u.id, "error", err)
	}
	return registry.ErrDigestInvalid.WithDetail(want)
}
