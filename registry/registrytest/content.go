package registrytest

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
)

// Bytes gives n bytes that look random and are the same for the same seed.
func Bytes(seed uint64, n int) []byte {
	b := make([]byte, n)
	src := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // content, not a secret
	for i := range b {
		b[i] = byte(src.Uint32())
	}
	return b
}

// PushBlob pushes content as a blob.
func PushBlob(t testing.TB, reg registry.Registry, repo string, content []byte) registry.Descriptor {
	t.Helper()
	desc, err := push(t, reg, repo, content, digest.FromBytes(content))
	if err != nil {
		t.Fatalf("push blob: %v", err)
	}
	return desc
}

func push(t testing.TB, reg registry.Registry, repo string, content []byte, d registry.Digest) (registry.Descriptor, error) {
	t.Helper()
	up, err := reg.StartUpload(t.Context(), repo)
	if err != nil {
		return registry.Descriptor{}, err
	}
	if _, err := io.Copy(up, bytes.NewReader(content)); err != nil {
		_ = up.Close()
		return registry.Descriptor{}, err
	}
	return up.Commit(t.Context(), d)
}

// PushImage pushes an image of one layer that is different for each
// repository and first tag, and points the tags at it.
func PushImage(t testing.TB, reg registry.Registry, repo string, tags ...string) registry.Manifest {
	t.Helper()
	seed := repo
	if len(tags) > 0 {
		seed += ":" + tags[0]
	}
	m := Image(t, reg, repo, seed)
	if _, err := reg.PutManifest(t.Context(), repo, m, tags...); err != nil {
		t.Fatalf("push manifest: %v", err)
	}
	return m
}

// Image pushes the blobs of an image, and gives its manifest, which is not
// pushed yet.
func Image(t testing.TB, reg registry.Registry, repo, seed string) registry.Manifest {
	t.Helper()
	config := PushBlob(t, reg, repo, []byte(`{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[]},"author":"`+seed+`"}`))
	layer := PushBlob(t, reg, repo, []byte("layer of "+seed))
	config.MediaType = ocispec.MediaTypeImageConfig
	layer.MediaType = ocispec.MediaTypeImageLayer
	return marshal(t, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    config,
		Layers:    []registry.Descriptor{layer},
	})
}

// Artifact pushes the empty config, and gives the manifest of an artifact that
// refers to subject.
func Artifact(t testing.TB, reg registry.Registry, repo, artifactType string, subject registry.Descriptor, annotations map[string]string) registry.Manifest {
	t.Helper()
	PushBlob(t, reg, repo, ocispec.DescriptorEmptyJSON.Data)
	empty := ocispec.DescriptorEmptyJSON
	empty.Data = nil
	return marshal(t, ocispec.MediaTypeImageManifest, ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: artifactType,
		Config:       empty,
		Layers:       []registry.Descriptor{empty},
		Subject:      &subject,
		Annotations:  annotations,
	})
}

// Index gives an index of manifests.
func Index(t testing.TB, children ...registry.Descriptor) registry.Manifest {
	t.Helper()
	if children == nil {
		children = []registry.Descriptor{}
	}
	return marshal(t, ocispec.MediaTypeImageIndex, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: ocispec.MediaTypeImageIndex,
		Manifests: children,
	})
}

func marshal(t testing.TB, mediaType string, v any) registry.Manifest {
	t.Helper()
	// Indented, so that a registry which marshals again is found out.
	content, err := json.MarshalIndent(v, "", "   ")
	if err != nil {
		t.Fatal(err)
	}
	return registry.Manifest{MediaType: mediaType, Digest: digest.FromBytes(content), Content: content}
}

// Descriptor describes a manifest.
func Descriptor(m registry.Manifest) registry.Descriptor {
	return registry.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Content))}
}
