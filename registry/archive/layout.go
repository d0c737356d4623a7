package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/manifest"
)

// containerdName holds the whole name, where the standard annotation has only
// the tag.
const containerdName = "io.containerd.image.name"

// loadLayout reads the index.json of an OCI layout.
func (a *Archive) loadLayout(ctx context.Context, content []byte) error {
	var index ocispec.Index
	if err := json.Unmarshal(content, &index); err != nil {
		return fmt.Errorf("index.json: %w", err)
	}
	if index.Manifests == nil && index.SchemaVersion != 2 {
		return ErrFormat
	}
	names := a.savedNames()
	for _, desc := range index.Manifests {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, parsed, err := a.parsed(desc.Digest)
		if err != nil {
			return fmt.Errorf("index.json: manifest %.100s: %w", desc.Digest, err)
		}
		clean := registry.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Content))}
		if parsed.Subject != nil {
			clean.ArtifactType, clean.Annotations = parsed.ArtifactType, parsed.Annotations
			a.referrers[parsed.Subject.Digest] = append(a.referrers[parsed.Subject.Digest], clean)
			continue
		}
		a.addAll(namesOf(desc, parsed, names), clean)
	}
	return nil
}

func (a *Archive) addAll(names []string, desc registry.Descriptor) {
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		if !slices.ContainsFunc(a.images, func(i Image) bool { return i.Name == name && i.Descriptor.Digest == desc.Digest }) {
			a.add(name, desc)
		}
	}
}

// namesOf finds the names of a descriptor: in its annotations, else in the
// manifest.json that docker save puts beside.
func namesOf(desc registry.Descriptor, parsed manifest.Parsed, saved map[string][]string) []string {
	if name := desc.Annotations[containerdName]; name != "" {
		return []string{name}
	}
	if name := desc.Annotations[ocispec.AnnotationRefName]; name != "" {
		return []string{name}
	}
	if parsed.Config != nil {
		return saved[blobPath(parsed.Config.Digest)]
	}
	return nil
}

func blobPath(d registry.Digest) string {
	return "blobs/" + d.Algorithm().String() + "/" + d.Encoded()
}

// parsed reads a manifest that is in the archive.
func (a *Archive) parsed(d registry.Digest) (registry.Manifest, manifest.Parsed, error) {
	m, err := a.manifest(d)
	if err != nil {
		return m, manifest.Parsed{}, err
	}
	p, err := manifest.Parse("", m.Content)
	if err != nil {
		return m, p, err
	}
	m.MediaType = p.MediaType
	return m, p, nil
}
