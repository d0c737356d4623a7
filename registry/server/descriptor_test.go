package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
)

func FuzzDescriptor(f *testing.F) {
	f.Add("application/vnd.oci.image.manifest.v1+json", "sha256:ab", int64(7), "n", "1", "o", "2", "a/b", "", byte(0))
	f.Add("a<b>&\"\\", "\x00", int64(-1), "é", "\xff\u2028", "\x7f", "", "\t", "https://x", byte(7))
	f.Fuzz(func(t *testing.T, mediaType, d string, size int64, key, value, other, another, artifactType, url string, more byte) {
		desc := registry.Descriptor{MediaType: mediaType, Digest: digest.Digest(d), Size: size, ArtifactType: artifactType}
		desc.Annotations = map[string]string{key: value, other: another}
		if more&1 != 0 {
			desc.URLs = []string{url}
		}
		if more&2 != 0 {
			desc.Data = []byte(value)
		}
		if more&4 != 0 {
			desc.Platform = &ocispec.Platform{OS: key}
		}
		if more&8 != 0 {
			desc.Annotations = nil
		}
		if more&16 != 0 {
			for i := range more {
				desc.Annotations = maps.Clone(desc.Annotations)
				if desc.Annotations == nil {
					desc.Annotations = map[string]string{}
				}
				desc.Annotations[fmt.Sprint(value, i)] = key
			}
		}
		want, err := json.Marshal(desc)
		if err != nil {
			return
		}
		got, err := appendDescriptor([]byte("before"), &desc)
		if err != nil || string(got) != "before"+string(want) {
			t.Fatalf("%v\n got %s\nwant before%s", err, got, want)
		}
	})
}

func BenchmarkDescriptor(b *testing.B) {
	desc := registry.Descriptor{
		MediaType: "application/vnd.oci.image.manifest.v1+json", Digest: digest.FromString("x"), Size: 700,
		ArtifactType: "application/vnd.example.sbom", Annotations: map[string]string{"org.opencontainers.image.created": "2024-01-01T00:00:00Z", "n": "1"},
	}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = appendDescriptor(buf[:0], &desc)
	}
}
