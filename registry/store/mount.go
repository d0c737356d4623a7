package store

import (
	"context"
	"fmt"

	"berth/registry"
	"berth/registry/index"
)

// MountBlob links a blob of one repository into another; see registry.Writer.
// An empty from means any blob on disk: a store has no rights to check, so a
// guard in front of it that gives some callers less than the whole registry
// must refuse it.
func (s *Store) MountBlob(ctx context.Context, from, to string, d registry.Digest) (registry.Descriptor, error) {
	if err := check(ctx, to, d); err != nil {
		return registry.Descriptor{}, err
	}
	if from != "" {
		if err := check(ctx, from); err != nil {
			return registry.Descriptor{}, err
		}
	}
	defer s.locks.shared(to)()
	defer s.gate.refer()()
	target := d
	if from != "" {
		var err error
		if target, err = s.layer(ctx, from, d); err != nil {
			return registry.Descriptor{}, err
		}
	}
	s.censuses.note(to, d, target)
	landed := s.flights.shared(blobKey(target))
	size, err := s.stored(ctx, target)
	landed()
	if missing(err) {
		return registry.Descriptor{}, registry.ErrBlobUnknown.WithDetail(d)
	}
	if err != nil {
		return registry.Descriptor{}, fmt.Errorf("mount %s: %w", d, err)
	}
	s.leases.take(to, target)
	b := s.newBatch()
	defer b.done()
	b.ensure(ctx, layerLink(to, d), []byte(target))
	if err := b.apply(context.WithoutCancel(ctx)); err != nil {
		return registry.Descriptor{}, fmt.Errorf("mount %s into %s: %w", d, to, err)
	}
	s.tell(ctx, to, index.PutBlob{Repository: to, Digest: d, Size: size})
	return describeBlob(d, size), nil
}
