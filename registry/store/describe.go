package store

import (
	"context"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/manifest"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
	maxConfig      = 8 << 20
	createdByLabel = "org.opencontainers.image.created"
)

// manifestChanges is what the index is told of a manifest and its tags.
func (s *Store) manifestChanges(ctx context.Context, repo string, m registry.Manifest, p manifest.Parsed, tags []string, at time.Time) []index.Change {
	if s.ix == nil {
		return nil
	}
	by := registry.CallerFrom(ctx).User
	changes := []index.Change{index.PutManifest{Repository: repo, Manifest: s.row(ctx, m, p), At: at}}
	for _, tag := range tags {
		changes = append(changes, index.PutTag{Repository: repo, Tag: tag, Digest: m.Digest, At: at, By: by})
	}
	return changes
}

// row is what the index keeps of a manifest. The config of an image is read
// for platform and date; one that cannot be read leaves them open.
func (s *Store) row(ctx context.Context, m registry.Manifest, p manifest.Parsed) index.Manifest {
	row := index.Manifest{
		Descriptor: describeManifest(m),
		Children:   p.Children,
		Platforms:  p.Platforms(),
	}
	row.Descriptor.ArtifactType = p.ArtifactType
	row.Descriptor.Annotations = p.Annotations
	if p.Subject != nil {
		row.Subject = p.Subject.Digest
	}
	for _, b := range p.Blobs {
		row.Blobs = append(row.Blobs, b.Descriptor)
	}
	if created, err := time.Parse(time.RFC3339, p.Annotations[createdByLabel]); err == nil {
		row.Created = created
	}
	if p.Config == nil || p.Config.MediaType != dockerConfig && p.Config.MediaType != ocispec.MediaTypeImageConfig {
		return row
	}
	b, err := s.read(ctx, blobKey(p.Config.Digest), maxConfig)
	if err != nil {
		return row
	}
	config, err := manifest.Config(b)
	if err != nil {
		return row
	}
	if platform := config.Platform(); platform != "" {
		row.Platforms = []string{platform}
	}
	if !config.Created.IsZero() {
		row.Created = config.Created
	}
	return row
}
