package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"berth/registry"
	"berth/registry/manifest"

	"github.com/opencontainers/go-digest"
)

// PutManifest stores a manifest; see registry.Writer.
func (s *Store) PutManifest(ctx context.Context, repo string, m registry.Manifest, tags ...string) (registry.Descriptor, error) {
	if err := check(ctx, repo); err != nil {
		return registry.Descriptor{}, err
	}
	tags, err := distinctTags(tags)
	if err != nil {
		return registry.Descriptor{}, err
	}
	p, err := examine(&m)
	if err != nil {
		return registry.Descriptor{}, err
	}
	defer s.locks.shared(repo)()
	defer s.lockTags(repo, tags)()
	defer s.gate.refer()()
	s.refers(repo, m.Digest, p)
	if err := s.closed(ctx, repo, p); err != nil {
		return registry.Descriptor{}, err
	}
	if len(tags) == 0 {
		s.leases.take(repo, m.Digest) // what names it has still to come
	}
	// From here on a client that goes away must not leave half of it.
	ctx = context.WithoutCancel(ctx)
	if err := s.writeManifest(ctx, repo, m, tags); err != nil {
		s.tellWhatStayed(ctx, repo, m, p, tags)
		return registry.Descriptor{}, fmt.Errorf("put manifest %s into %s: %w", m.Digest, repo, err)
	}
	s.cache.put(m)
	s.keepPromises(repo, m.Digest, p, tags)
	s.tell(ctx, repo, s.manifestChanges(ctx, repo, m, p, tags, registry.MomentFrom(ctx))...)
	return describeManifest(m), nil
}

// keepPromises ends the leases in flight of what the manifest needs, which is
// referred to now, and, when it has a tag, of the manifest itself.
func (s *Store) keepPromises(repo string, d registry.Digest, p manifest.Parsed, tags []string) {
	for _, b := range p.Blobs {
		s.leases.keep(repo, b.Digest)
	}
	for _, c := range p.Children {
		s.leases.keep(repo, c.Digest)
	}
	if len(tags) > 0 {
		s.leases.keep(repo, d)
	}
}

// refers tells a clean-up that runs what a manifest refers to. The caller is
// inside the gate, and looks only then whether it is there.
func (s *Store) refers(repo string, d registry.Digest, p manifest.Parsed) {
	if s.censuses.any.Load() == 0 {
		return
	}
	s.censuses.pushed(repo, d)
	refs := make([]registry.Digest, 0, len(p.Blobs)+len(p.Children)+1)
	for _, b := range p.Blobs {
		refs = append(refs, b.Digest)
	}
	for _, c := range p.Children {
		refs = append(refs, c.Digest)
	}
	if p.Subject != nil {
		refs = append(refs, p.Subject.Digest)
	}
	s.censuses.note(repo, refs...)
}

// tellWhatStayed brings to the index what a write that failed half-way left.
func (s *Store) tellWhatStayed(ctx context.Context, repo string, m registry.Manifest, p manifest.Parsed, tags []string) {
	if s.ix == nil {
		return
	}
	there, err := s.exists(ctx, revisionLink(repo, m.Digest))
	if err != nil {
		s.doubt()
		return
	}
	if !there {
		s.tellLeft(ctx, m.Digest)
		return
	}
	tags = slices.DeleteFunc(tags, func(tag string) bool {
		now, err := s.readLink(ctx, currentLink(repo, tag))
		if err != nil && !missing(err) {
			s.doubt()
		}
		return err != nil || now != m.Digest
	})
	s.tell(ctx, repo, s.manifestChanges(ctx, repo, m, p, tags, registry.MomentFrom(ctx))...)
}

// examine checks a manifest by itself, and fills in what was left empty. It
// takes a copy of the content, which the caller may use again.
func examine(m *registry.Manifest) (manifest.Parsed, error) {
	if len(m.Content) > registry.MaxManifestSize {
		return manifest.Parsed{}, registry.ErrSizeInvalid.WithMessage("the manifest is larger than %d bytes", registry.MaxManifestSize)
	}
	algorithm := digest.SHA256
	if m.Digest != "" {
		d, err := registry.ParseDigest(m.Digest.String())
		if err != nil {
			return manifest.Parsed{}, err
		}
		algorithm = d.Algorithm()
	}
	d := algorithm.FromBytes(m.Content)
	if m.Digest != "" && m.Digest != d {
		return manifest.Parsed{}, registry.ErrDigestInvalid.WithDetail(m.Digest)
	}
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		return manifest.Parsed{}, err
	}
	m.MediaType, m.Digest, m.Content = p.MediaType, d, bytes.Clone(m.Content)
	return p, nil
}

// closed checks that everything a manifest refers to, but its subject, is in
// the repository. Errors: registry.Errors of ErrManifestBlobUnknown.
func (s *Store) closed(ctx context.Context, repo string, p manifest.Parsed) error {
	var unknown registry.Errors
	seen := map[registry.Digest]bool{}
	need := func(d registry.Digest, has func(context.Context, string, registry.Digest) (bool, error)) error {
		if seen[d] {
			return nil
		}
		seen[d] = true
		ok, err := has(ctx, repo, d)
		if err != nil {
			return fmt.Errorf("look for %s: %w", d, err)
		}
		if !ok {
			unknown = append(unknown, registry.ErrManifestBlobUnknown.WithDetail(d))
		}
		return nil
	}
	for _, b := range p.Blobs {
		if b.Elsewhere {
			continue
		}
		has := func(ctx context.Context, repo string, d registry.Digest) (bool, error) {
			return s.hasBlobOf(ctx, repo, d, b.Size)
		}
		if err := need(b.Digest, has); err != nil {
			return err
		}
	}
	for _, c := range p.Children {
		if s.opt.Optional != nil && s.opt.Optional(c) {
			continue
		}
		if err := need(c.Digest, s.hasChild); err != nil {
			return err
		}
	}
	if len(unknown) > 0 {
		return unknown
	}
	return nil
}

func (s *Store) hasBlob(ctx context.Context, repo string, d registry.Digest) (bool, error) {
	return s.hasBlobOf(ctx, repo, d, 0)
}

// hasBlobOf waits for a link that is being written: what refers to it must not
// be durable before it is. Where a manifest says that there are more bytes, the
// disk may have lost some, so the blob is read.
func (s *Store) hasBlobOf(ctx context.Context, repo string, d registry.Digest, size int64) (bool, error) {
	s.flights.shared(layerLink(repo, d))()
	target, err := s.layer(ctx, repo, d)
	if registry.AsErrors(err) != nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if target != d {
		s.censuses.note(repo, target)
	}
	n, err := s.stored(ctx, target)
	if missing(err) {
		return false, nil
	}
	if err == nil && n < size {
		return s.isWhole(ctx, target, n)
	}
	return err == nil, err
}

// hasChild also takes a blob for a child: caches of builds are indexes of
// layers, and distribution takes them.
func (s *Store) hasChild(ctx context.Context, repo string, d registry.Digest) (bool, error) {
	link := revisionLink(repo, d)
	s.flights.shared(link)()
	ok, err := s.exists(ctx, link)
	if err != nil || !ok {
		if err != nil {
			return false, err
		}
		return s.hasBlob(ctx, repo, d)
	}
	_, err = s.stored(ctx, d)
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}

// writeManifest writes blob, then revision, then tags, with one flush. The
// caller holds the locks of the tags and is inside the gate.
func (s *Store) writeManifest(ctx context.Context, repo string, m registry.Manifest, tags []string) error {
	b := s.newBatch()
	defer b.done()
	b.ensure(ctx, blobKey(m.Digest), m.Content)
	return s.linkManifest(ctx, b, repo, m.Digest, tags)
}

// linkManifest ends a batch with the links of a manifest, and makes it. A tag
// is written also where it names the manifest already: its time is that of the
// last push.
func (s *Store) linkManifest(ctx context.Context, b *batch, repo string, d registry.Digest, tags []string) error {
	link := []byte(d)
	b.ensure(ctx, revisionLink(repo, d), link)
	for _, tag := range tags {
		// The lock of the tag is its flight.
		if key := historyLink(repo, tag, d); !s.has(ctx, key, link) {
			b.put(key, link)
		}
	}
	for _, tag := range tags {
		b.put(currentLink(repo, tag), link)
	}
	defer s.cache.tagged(tags)
	return b.apply(ctx)
}

// lockTags takes the locks of tags, which are sorted and distinct.
func (s *Store) lockTags(repo string, tags []string) (unlock func()) {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = repo + ":" + tag
	}
	return s.tags.all(names)
}

// distinctTags checks tags, sorts them, and drops what is said twice.
func distinctTags(tags []string) ([]string, error) {
	for _, tag := range tags {
		if err := registry.ParseTag(tag); err != nil {
			return nil, err
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(tags))), nil
}
