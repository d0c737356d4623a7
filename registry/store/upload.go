package store

import (
	"context"
	"fmt"
	"io"
	"time"

	"berth/registry"
	"berth/registry/index"

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

// StartUpload begins an upload; see registry.Writer. Its hash is that of
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
	// The writer outlives the request that opens it.
	sess.w, err = s.drv.Append(context.WithoutCancel(ctx), uploadData(repo, sess.id), 0)
	if err != nil {
		return nil, fmt.Errorf("start upload in %s: %w", repo, err)
	}
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

// Close lets go; see registry.Upload.
func (u *upload) Close() error {
	if u.done {
		return nil
	}
	u.done = true
	if u.s.park(u.session) {
		return nil
	}
	defer u.s.sessions.leave(u.repo, u.id)
	return u.s.settle(context.Background(), u.session)
}

// Cancel throws away; see registry.Upload.
func (u *upload) Cancel(ctx context.Context) error {
	if u.done {
		return nil
	}
	u.done = true
	defer u.s.sessions.leave(u.repo, u.id)
	if u.w != nil {
		// What becomes of bytes that are thrown away does not matter.
		_ = u.w.Close()
		u.w = nil
	}
	if err := u.s.remove(context.WithoutCancel(ctx), uploadDir(u.repo, u.id)); err != nil {
		return fmt.Errorf("cancel upload %s: %w", u.id, err)
	}
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
	if err := u.closeData(); err != nil {
		return registry.Descriptor{}, fmt.Errorf("commit upload %s: %w", u.id, err)
	}
	if !same {
		h := newHasher(want.Algorithm())
		if err := u.s.hashFile(ctx, uploadData(u.repo, u.id), h, 0, u.size); err != nil {
			return registry.Descriptor{}, fmt.Errorf("commit upload %s: %w", u.id, err)
		}
		if h.digest() != want {
			return registry.Descriptor{}, u.mismatch(ctx, want)
		}
	}
	// From here on a client that goes away must not leave half of it.
	if err := u.s.adopt(context.WithoutCancel(ctx), u.session, want); err != nil {
		return registry.Descriptor{}, fmt.Errorf("commit upload %s: %w", u.id, err)
	}
	u.done = true
	u.s.sessions.leave(u.repo, u.id)
	return describeBlob(want, u.size), nil
}

// closeData makes the bytes durable. Afterwards the upload takes no more, and
// Close leaves it to be read from the disk.
func (u *upload) closeData() error {
	u.broken = true
	w := u.w
	u.w = nil
	return w.Close()
}

func (u *upload) mismatch(ctx context.Context, want registry.Digest) error {
	if err := u.Cancel(ctx); err != nil {
		u.s.log.Warn("rejected upload could not be removed", "upload", u.id, "error", err)
	}
	return registry.ErrDigestInvalid.WithDetail(want)
}

// adopt moves the data of an upload to its blob key and links it. What is
// there already is replaced, since what comes is known to be right.
func (s *Store) adopt(ctx context.Context, sess *session, d registry.Digest) error {
	defer s.locks.shared(sess.repo)()
	defer s.gate.refer()()
	unlock := s.flights.alone(string(d))
	err := s.drv.Move(ctx, uploadData(sess.repo, sess.id), blobKey(d))
	unlock()
	if err != nil {
		// A file that somebody reads cannot be replaced on every system.
		if size, serr := s.stored(ctx, d); serr != nil || size != sess.size {
			return err
		}
	}
	s.leases.take(d)
	s.cache.drop(d)
	err = together(
		func() error { return s.putLink(ctx, layerLink(sess.repo, d), d) },
		func() error {
			if err := s.remove(ctx, uploadDir(sess.repo, sess.id)); err != nil {
				// It is purged when its time comes.
				s.log.Warn("upload could not be cleared away", "upload", sess.id, "error", err)
			}
			return nil
		},
	)
	if err != nil {
		return err
	}
	s.tell(ctx, sess.repo, index.PutBlob{Repository: sess.repo, Digest: d, Size: sess.size})
	return nil
}
