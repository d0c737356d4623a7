package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/manifest"
)

// maxLayers bounds the layers of one image; engines stop at 127.
const maxLayers = 2048

// saved is an image in the manifest.json of docker save.
type saved struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// savedNames gives the names of manifest.json by the path of the config; none
// when there is no such file.
func (a *Archive) savedNames() map[string][]string {
	out := map[string][]string{}
	content, err := readSmall(a.src, "manifest.json")
	if err != nil {
		return out
	}
	var list []saved
	if json.Unmarshal(content, &list) == nil {
		for _, s := range list {
			out[s.Config] = append(out[s.Config], s.RepoTags...)
		}
	}
	return out
}

// loadDocker reads the manifest.json of docker save, and makes a manifest for
// each image.
func (a *Archive) loadDocker(ctx context.Context, content []byte) error {
	var list []saved
	if err := json.Unmarshal(content, &list); err != nil {
		return fmt.Errorf("manifest.json: %w", err)
	}
	for i, s := range list {
		desc, err := a.make(ctx, s)
		if err != nil {
			return fmt.Errorf("manifest.json: image %d: %w", i+1, err)
		}
		a.addAll(s.RepoTags, desc)
	}
	return nil
}

// make puts together the manifest of one image. The bytes depend on nothing
// but the config and the layers.
func (a *Archive) make(ctx context.Context, s saved) (registry.Descriptor, error) {
	if len(s.Layers) > maxLayers {
		return registry.Descriptor{}, fmt.Errorf("%w: %d layers", ErrRefused, len(s.Layers))
	}
	raw, err := readSmall(a.src, s.Config)
	if err != nil {
		return registry.Descriptor{}, fmt.Errorf("config: %w", err)
	}
	config, err := manifest.Config(raw)
	if err != nil {
		return registry.Descriptor{}, fmt.Errorf("config: %w", err)
	}
	if len(config.DiffIDs) != len(s.Layers) {
		return registry.Descriptor{}, registry.ErrManifestInvalid.WithMessage(
			"the config names %d layers, the archive has %d", len(config.DiffIDs), len(s.Layers))
	}
	m := ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    registry.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromBytes(raw), Size: int64(len(raw))},
		Layers:    make([]registry.Descriptor, 0, len(s.Layers)),
	}
	m.SchemaVersion = 2
	a.at[m.Config.Digest] = s.Config
	for i, name := range s.Layers {
		layer, err := a.describeLayer(ctx, name, config.DiffIDs[i])
		if err != nil {
			return registry.Descriptor{}, fmt.Errorf("layer %d: %w", i+1, err)
		}
		m.Layers = append(m.Layers, layer)
	}
	content, err := json.Marshal(m)
	if err != nil {
		return registry.Descriptor{}, err
	}
	d := digest.FromBytes(content)
	a.made[d] = registry.Manifest{MediaType: m.MediaType, Digest: d, Content: content}
	return registry.Descriptor{MediaType: m.MediaType, Digest: d, Size: int64(len(content))}, nil
}

// describeLayer finds a layer. An engine saves it plain, and its digest is the
// diff id; other builders compress it, and then it must be read to know.
func (a *Archive) describeLayer(ctx context.Context, name string, diff registry.Digest) (registry.Descriptor, error) {
	if _, err := registry.ParseDigest(string(diff)); err != nil {
		return registry.Descriptor{}, err
	}
	f, err := a.src.open(name)
	if err != nil {
		return registry.Descriptor{}, err
	}
	defer f.Close()
	desc := registry.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: diff, Size: f.size}
	magic := make([]byte, magicSize)
	n, err := io.ReadFull(f, magic)
	if err != nil && n == 0 && f.size > 0 {
		return registry.Descriptor{}, err
	}
	packed := compression(magic[:n])
	if packed != none {
		desc.MediaType = ocispec.MediaTypeImageLayerGzip
		if packed == zstandard {
			desc.MediaType = ocispec.MediaTypeImageLayerZstd
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return registry.Descriptor{}, err
		}
		if desc.Digest, err = digest.FromReader(&counter{ctx: ctx, r: f}); err != nil {
			return registry.Descriptor{}, err
		}
	}
	a.at[desc.Digest] = name
	return desc, nil
}
