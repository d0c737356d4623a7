package store

import (
	"context"

	"berth/registry"
	"berth/registry/index"
)

// adoptSmall makes a blob of bytes in memory, with one flush. What is there
// already is compared, so that a damaged blob is replaced.
func (s *Store) adoptSmall(ctx context.Context, sess *session, d registry.Digest) error {
	defer s.locks.shared(sess.repo)()
	defer s.gate.refer()()
	s.leases.take(sess.repo, d)
	s.censuses.note(sess.repo, d)
	b := s.newBatch()
	defer b.done()
	b.ensure(ctx, blobKey(d), sess.small)
	b.ensure(ctx, layerLink(sess.repo, d), []byte(d))
	err := error(nil)
	if sess.filed {
		// A folder with an open file in it cannot be deleted on every system.
		sess.drop()
		needed := len(b.changes)
		b.remove(uploadDir(sess.repo, sess.id))
		if err = b.apply(ctx); err != nil {
			b.changes = b.changes[:needed]
			err = s.clearLater(b.apply(ctx), sess)
		}
	} else {
		err = b.apply(ctx)
	}
	if err != nil {
		return err
	}
	s.adopted(ctx, sess, d)
	return nil
}

// adopt moves the data of an upload, which is durable, to its blob key and
// links it, with one flush. What is there already is replaced, since what comes
// is known to be right.
func (s *Store) adopt(ctx context.Context, sess *session, d registry.Digest) error {
	defer s.locks.shared(sess.repo)()
	defer s.gate.refer()()
	s.leases.take(sess.repo, d)
	s.censuses.note(sess.repo, d)
	b := s.newBatch()
	defer b.done()
	b.fly(blobKey(d))
	data := uploadData(sess.repo, sess.id)
	b.move(data, blobKey(d))
	b.ensure(ctx, layerLink(sess.repo, d), []byte(d))
	needed := len(b.changes)
	b.remove(uploadDir(sess.repo, sess.id))
	if err := b.apply(ctx); err != nil {
		// A file that somebody reads cannot be replaced on every system, and
		// need not be when it is whole.
		if there, _ := s.exists(ctx, data); !there {
			return err
		}
		if size, serr := s.stored(ctx, d); serr != nil || size != sess.size {
			return err
		}
		b.changes = b.changes[1:needed]
		if err := s.clearLater(b.apply(ctx), sess); err != nil {
			return err
		}
	}
	s.adopted(ctx, sess, d)
	return nil
}

// clearLater leaves the rest of an upload, which could not be deleted with what
// made a blob of it, to the purge.
func (s *Store) clearLater(err error, sess *session) error {
	if err == nil {
		s.log.Warn("upload could not be cleared away", "repository", sess.repo, "upload", sess.id)
	}
	return err
}

func (s *Store) adopted(ctx context.Context, sess *session, d registry.Digest) {
	s.cache.drop(d)
	s.torn.forget(d)
	if sess.filed {
		s.beside.gone(sess.repo, sess.id)
	}
	s.tell(ctx, sess.repo, index.PutBlob{Repository: sess.repo, Digest: d, Size: sess.size})
}
