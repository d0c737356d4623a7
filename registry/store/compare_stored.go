package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/index"
)

// The index is also compared in what no repository tells: which blobs are on
// disk, linked or not, and what holds manifests beside tags. Each difference is
// looked at again with the flight of the blob, so that nobody writes or frees it
// meanwhile, and told before that ends: so what the index hears last is true.

// tellStored brings to the index what became of files. A failure is no reason
// to doubt lists: it only makes figures wrong until the next reconciliation.
func (s *Store) tellStored(ctx context.Context, changes ...index.Change) {
	if s.ix == nil || len(changes) == 0 {
		return
	}
	if err := s.ix.Apply(context.WithoutCancel(ctx), changes...); err != nil {
		s.log.Warn("index is behind", "error", err)
		s.doubt()
	}
}

// tellFreed brings to the index that blobs are not on disk any more. The caller
// has their flights, or the gate alone.
func (s *Store) tellFreed(ctx context.Context, freed ...registry.Digest) {
	changes := make([]index.Change, len(freed))
	for i, d := range freed {
		changes[i] = index.DropStored{Digest: d}
	}
	s.tellStored(ctx, changes...)
}

// tellLeft brings to the index a blob that something which failed may have left
// on disk without a link.
func (s *Store) tellLeft(ctx context.Context, d registry.Digest) {
	if s.ix == nil {
		return
	}
	if err := s.compareBlob(context.WithoutCancel(ctx), d); err != nil {
		s.doubt()
	}
}

// compareBlob makes the index say of one blob what the disk says.
func (s *Store) compareBlob(ctx context.Context, d registry.Digest) error {
	defer s.flights.shared(blobKey(d))()
	st, err := s.StatStored(ctx, d)
	switch {
	case errors.Is(err, registry.ErrBlobUnknown):
		s.tellFreed(ctx, d)
		return nil
	case err != nil:
		return err
	}
	s.tellStored(ctx, index.PutStored{Digest: d, Size: st.Size, At: notAhead(st.Modified)})
	return nil
}

// notAhead gives a time that is not in the future: it comes from a clock that
// is wrong, and must not stay ahead of all that comes.
func notAhead(at time.Time) time.Time {
	if now := time.Now(); at.After(now) {
		return now
	}
	return at
}

// compareStored makes the index say which blobs are on disk.
func (s *Store) compareStored(ctx context.Context, p *pace) error {
	told := 0
	mend := func(d registry.Digest) error {
		if err := s.compareBlob(ctx, d); err != nil {
			s.log.Warn("a blob was not compared with the index", "digest", d, "error", err)
			return ctx.Err()
		}
		// Wait until the index has written it, so as not to fill its queue.
		if told++; told%tellAtOnce == 0 {
			_, err := s.ix.Usage(ctx)
			return err
		}
		return nil
	}
	had := &storedRows{s: s}
	for st, err := range s.Blobs(ctx, "") {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.log.Warn("blobs were not compared with the index", "error", err)
			continue
		}
		row, has, err := had.upTo(ctx, st.Digest, mend)
		if err != nil {
			return err
		}
		if !has || row.Size != st.Size || notAhead(st.Modified).After(row.Modified) {
			if err := mend(st.Digest); err != nil {
				return err
			}
		}
		if err := p.rest(ctx); err != nil {
			return err
		}
	}
	_, _, err := had.upTo(ctx, "", mend)
	return err
}

// storedRows reads what the index takes for stored, page by page.
type storedRows struct {
	s     *Store
	page  []registry.Stored
	after registry.Digest
	done  bool
}

// upTo passes what is before d, or, when d is empty, all, to gone, and gives
// the row of d.
func (r *storedRows) upTo(ctx context.Context, d registry.Digest, gone func(registry.Digest) error) (registry.Stored, bool, error) {
	for {
		if len(r.page) == 0 && !r.done {
			page, err := r.s.ix.Stored(ctx, r.after, pageSize)
			if err != nil {
				return registry.Stored{}, false, fmt.Errorf("read the index: %w", err)
			}
			if r.done = len(page) < pageSize; len(page) > 0 {
				r.after = page[len(page)-1].Digest
			}
			r.page = page
		}
		if len(r.page) == 0 {
			return registry.Stored{}, false, nil
		}
		first := r.page[0]
		if d != "" && strings.Compare(first.Digest.String(), d.String()) > 0 {
			return registry.Stored{}, false, nil
		}
		r.page = r.page[1:]
		if first.Digest == d {
			return first, true, nil
		}
		if err := gone(first.Digest); err != nil {
			return registry.Stored{}, false, err
		}
	}
}

// compareRoots makes the index know what holds manifests beside tags. Ids are
// never used twice: what the index knew before the roots were read, and is not
// among them, is gone. What came or went meanwhile is met by another look.
func (s *Store) compareRoots(ctx context.Context) error {
	if s.opt.Roots == nil {
		return nil
	}
	for range tries {
		known := map[string]index.Root{}
		for after := ""; ; {
			page, err := s.ix.Roots(ctx, after, pageSize)
			if err != nil {
				return fmt.Errorf("read the index: %w", err)
			}
			for _, root := range page {
				known[root.ID], after = root, root.ID
			}
			if len(page) < pageSize {
				break
			}
		}
		var changes []index.Change
		seen := map[registry.Digest]bool{}
		for root, err := range s.opt.Roots(ctx) {
			if err != nil {
				return err
			}
			if known[root.ID] != root {
				changes = append(s.contentOf(ctx, root.Digest, seen, changes), index.PutRoot(root))
			}
			delete(known, root.ID)
		}
		for id := range known {
			changes = append(changes, index.DropRoot{ID: id})
		}
		if len(changes) == 0 {
			return nil
		}
		for len(changes) > 0 {
			n := min(len(changes), tellAtOnce)
			s.tellStored(ctx, changes[:n]...)
			changes = changes[n:]
		}
	}
	return nil
}

// contentOf adds what the index does not know of a manifest that maybe no
// repository links any more, and of its children.
func (s *Store) contentOf(ctx context.Context, d registry.Digest, seen map[registry.Digest]bool, changes []index.Change) []index.Change {
	if _, err := s.ix.Manifest(ctx, d); !errors.Is(err, index.ErrUnknown) {
		return changes
	}
	if seen[d] {
		return changes
	}
	seen[d] = true
	row, ok := s.rowOf(ctx, d)
	if !ok {
		return changes
	}
	changes = append(changes, index.PutContent{Manifest: row})
	for _, child := range row.Children {
		changes = s.contentOf(ctx, child.Digest, seen, changes)
	}
	return changes
}
