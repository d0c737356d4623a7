package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/manifest"

	"github.com/opencontainers/go-digest"
)

// Manifest gives a manifest; see registry.Reader.
func (s *Store) Manifest(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, error) {
	if err := check(ctx, repo, d); err != nil {
		return registry.Manifest{}, err
	}
	if err := s.revision(ctx, repo, d); err != nil {
		return registry.Manifest{}, err
	}
	return s.content(ctx, d)
}

// StatManifest describes a manifest; see registry.Reader.
func (s *Store) StatManifest(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	m, err := s.Manifest(ctx, repo, d)
	if err != nil {
		return registry.Descriptor{}, err
	}
	return describeManifest(m), nil
}

func describeManifest(m registry.Manifest) registry.Descriptor {
	return registry.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Content))}
}

// revision checks that a repository has a manifest.
// Errors: registry.ErrManifestUnknown.
func (s *Store) revision(ctx context.Context, repo string, d registry.Digest) error {
	ok, err := s.exists(ctx, revisionLink(repo, d))
	if err != nil {
		return fmt.Errorf("stat revision %s: %w", d, err)
	}
	if !ok {
		return registry.ErrManifestUnknown.WithDetail(d)
	}
	return nil
}

// content reads the manifest of a digest, whatever repository has it. What does
// not hash to its digest or cannot be read is unknown, so that a client pushes
// it again. Errors: registry.ErrManifestUnknown.
func (s *Store) content(ctx context.Context, d registry.Digest) (registry.Manifest, error) {
	if m, ok := s.cache.get(d); ok {
		return m, nil
	}
	b, err := s.read(ctx, blobKey(d), registry.MaxManifestSize)
	if missing(err) {
		return registry.Manifest{}, registry.ErrManifestUnknown.WithDetail(d)
	}
	if err != nil {
		return registry.Manifest{}, fmt.Errorf("read manifest %s: %w", d, err)
	}
	if d.Algorithm().FromBytes(b) != d {
		return registry.Manifest{}, registry.ErrManifestUnknown.WithMessage("the manifest on disk is damaged").WithDetail(d)
	}
	p, err := manifest.Parse("", b)
	if err != nil {
		return registry.Manifest{}, registry.ErrManifestUnknown.WithMessage("the manifest on disk cannot be served: %v", err).WithDetail(d)
	}
	m := registry.Manifest{MediaType: p.MediaType, Digest: d, Content: b}
	s.cache.put(m)
	return m, nil
}

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

// DeleteManifest removes a manifest and its tags; see registry.Deleter.
func (s *Store) DeleteManifest(ctx context.Context, repo string, d registry.Digest) error {
	if err := check(ctx, repo, d); err != nil {
		return err
	}
	defer s.locks.alone(repo)()
	if err := s.revision(ctx, repo, d); err != nil {
		return err
	}
	tags, err := s.tagsOf(ctx, repo, d)
	if err != nil {
		return fmt.Errorf("delete manifest %s of %s: %w", d, repo, err)
	}
	ctx = context.WithoutCancel(ctx)
	var removals []func() error
	var changes []index.Change
	for _, tag := range tags {
		removals = append(removals, func() error { return s.remove(ctx, tagDir(repo, tag)) })
		changes = append(changes, index.DropTag{Repository: repo, Tag: tag})
	}
	for some := range slices.Chunk(removals, 16) {
		if err := together(some...); err != nil {
			s.doubt()
			return fmt.Errorf("delete the tags of %s in %s: %w", d, repo, err)
		}
	}
	if err := s.remove(ctx, revisionDir(repo, d)); err != nil {
		s.doubt()
		return fmt.Errorf("delete manifest %s of %s: %w", d, repo, err)
	}
	s.tell(ctx, repo, append(changes, index.DropManifest{Repository: repo, Digest: d})...)
	return nil
}

// tagsOf lists the tags that name a manifest, from the disk.
func (s *Store) tagsOf(ctx context.Context, repo string, d registry.Digest) ([]string, error) {
	var out []string
	for tag, err := range s.tagsOnDisk(ctx, repo, "") {
		if err != nil {
			return nil, err
		}
		if tag.digest == d {
			out = append(out, tag.name)
		}
	}
	return out, nil
}
