package sqlite

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/index"
)

func described() index.Manifest {
	d := func(s string) registry.Digest { return digest.FromString(s) }
	return index.Manifest{
		Descriptor: registry.Descriptor{
			MediaType: ocispec.MediaTypeImageIndex, Digest: d("top"), Size: 1234, ArtifactType: "application/vnd.example.thing",
			Annotations: map[string]string{"b": "2", "a": "", "": "empty"},
		},
		Subject: digest.SHA512.FromString("subject"),
		Children: []registry.Descriptor{
			{MediaType: ocispec.MediaTypeImageManifest, Digest: d("child"), Size: 5, Platform: &ocispec.Platform{OS: "linux", Architecture: "arm", Variant: "v7", OSFeatures: []string{"x"}}},
			{Digest: "sha256:short", Size: -1},
		},
		Blobs: []registry.Descriptor{
			{MediaType: "application/x-other", Digest: d("blob"), Size: 1 << 60, URLs: []string{"https://example.com"}, Data: []byte("data")},
			{},
		},
		Platforms: []string{"linux/arm/v7", ""},
		Created:   time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
	}
}

func TestADescriptionComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for _, m := range []index.Manifest{described(), {}, {Descriptor: registry.Descriptor{MediaType: "x"}}} {
		b, err := encode(&m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(b)
		if diff := cmp.Diff(m, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		if own, err := decodeDescriptor(b); err != nil || !cmp.Equal(own, m.Descriptor) {
			t.Errorf("its descriptor: %+v, %v", own, err)
		}
		for n := range b {
			if _, err := decode(b[:n]); err == nil {
				t.Errorf("%d of %d bytes were taken for all", n, len(b))
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	m := described()
	b, err := encode(&m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decode(b)
		if err != nil {
			return
		}
		again, err := encode(&m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode(again); err != nil || !cmp.Equal(m, got) {
			t.Errorf("%+v came back as %+v, %v", m, got, err)
		}
	})
}

func TestKeysSortAsTheirDigests(t *testing.T) {
	t.Parallel()
	var digests []registry.Digest
	for _, s := range []string{"a", "b", "c", "d", "e"} {
		digests = append(digests, digest.FromString(s), digest.SHA512.FromString(s))
	}
	slices.Sort(digests)
	keys := make([]string, len(digests))
	for i, d := range digests {
		keys[i] = string(keyOf(d))
		if back := digestOf(keyOf(d)); back != d {
			t.Errorf("%s came back as %s", d, back)
		}
		if string(keyAfter(d)) != keys[i] {
			t.Errorf("a page behind %s begins elsewhere", d)
		}
	}
	if !slices.IsSorted(keys) {
		t.Error("keys are in another order")
	}
	for _, odd := range []registry.Digest{"", "sha256:", "sha256:zz", "md5:00", "nonsense", registry.Digest("sha256:" + strings.Repeat("A", 64))} {
		if odd != "" && digestOf(keyOf(odd)) != odd {
			t.Errorf("%q came back as %q", odd, digestOf(keyOf(odd)))
		}
		if len(keyAfter(odd)) != 0 {
			t.Errorf("a page behind %q does not begin at the start", odd)
		}
	}
}
