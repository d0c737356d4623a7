package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

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
	if err := s.closed(ctx, repo, p); err != nil {
		return registry.Descriptor{}, err
	}
	// From here on a client that goes away must not leave half of it.
	ctx = context.WithoutCancel(ctx)
	if err := s.writeManifest(ctx, repo, m, tags); err != nil {
		return registry.Descriptor{}, fmt.Errorf("put manifest %s into %s: %w", m.Digest, repo, err)
	}
	s.cache.put(m)
	s.tell(ctx, repo, s.manifestChanges(ctx, repo, m, p, tags, time.Now())...)
	return describeManifest(m), nil
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
		if err := need(b.Digest, s.hasBlob); err != nil {
			return err
		}
	}
	for _, c := range p.Children {
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
	target, err := s.layer(ctx, repo, d)
	if registry.AsErrors(err) != nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = s.stored(ctx, target)
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}

// hasChild also takes a blob for a child: caches of builds are indexes of
// layers, and distribution takes them.
func (s *Store) hasChild(ctx context.Context, repo string, d registry.Digest) (bool, error) {
	ok, err := s.exists(ctx, revisionLink(repo, d))
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

// writeManifest writes blob, then revision, then tags. The index links of the
// tags say nothing yet and go with the revision, to wait for one flush less.
func (s *Store) writeManifest(ctx context.Context, repo string, m registry.Manifest, tags []string) error {
	if err := s.writeContent(ctx, m); err != nil {
		return err
	}
	return s.linkManifest(ctx, repo, m.Digest, tags)
}

// writeContent writes the blob of a manifest, unless it is there.
func (s *Store) writeContent(ctx context.Context, m registry.Manifest) error {
	defer s.flights.alone(string(m.Digest))()
	there, err := s.read(ctx, blobKey(m.Digest), registry.MaxManifestSize)
	if err != nil && !missing(err) {
		return err
	}
	if err == nil && bytes.Equal(there, m.Content) {
		return nil
	}
	return s.drv.Put(ctx, blobKey(m.Digest), m.Content)
}

// linkManifest writes the revision, then the tags. The caller holds the locks
// of the tags and is inside the gate.
func (s *Store) linkManifest(ctx context.Context, repo string, d registry.Digest, tags []string) error {
	var before, after []func() error
	ensure := func(key string) func() error {
		return func() error {
			if there, err := s.readLink(ctx, key); err == nil && there == d {
				return nil
			}
			return s.putLink(ctx, key, d)
		}
	}
	before = append(before, ensure(revisionLink(repo, d)))
	for _, tag := range tags {
		before = append(before, ensure(historyLink(repo, tag, d)))
		after = append(after, func() error { return s.putLink(ctx, currentLink(repo, tag), d) })
	}
	unlock := s.flights.alone(repo + "@" + string(d))
	err := together(before...)
	unlock()
	if err != nil {
		return err
	}
	return together(after...)
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
