package transfer_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/manifest"
	"berth/registry/registrytest"
	"berth/registry/transfer"
)

// platforms pushes an index of images for the given architectures, one
// attestation for each, and gives the index.
func platforms(t *testing.T, reg registry.Registry, repo, tag string, archs ...string) registry.Manifest {
	t.Helper()
	var children []registry.Descriptor
	for _, arch := range archs {
		m := registrytest.Image(t, reg, repo, tag+arch)
		put(t, reg, repo, m)
		child := registrytest.Descriptor(m)
		child.Platform = &ocispec.Platform{OS: "linux", Architecture: arch}
		about := registrytest.Image(t, reg, repo, "attestation of "+arch)
		put(t, reg, repo, about)
		note := registrytest.Descriptor(about)
		note.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
		note.Annotations = map[string]string{"vnd.docker.reference.digest": child.Digest.String()}
		children = append(children, child, note)
	}
	index := registrytest.Index(t, children...)
	put(t, reg, repo, index, tag)
	return index
}

func put(t *testing.T, reg registry.Registry, repo string, m registry.Manifest, tags ...string) {
	t.Helper()
	if _, err := reg.PutManifest(t.Context(), repo, m, tags...); err != nil {
		t.Fatalf("put manifest: %v", err)
	}
}

func parse(t *testing.T, reg registry.Registry, repo string, d registry.Digest) manifest.Parsed {
	t.Helper()
	m, err := reg.Manifest(t.Context(), repo, d)
	if err != nil {
		t.Fatalf("manifest %s: %v", d, err)
	}
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// whole checks that everything below d can be read, and gives the number of
// manifests.
func whole(t *testing.T, reg registry.Registry, repo string, d registry.Digest) int {
	t.Helper()
	n := 1
	p := parse(t, reg, repo, d)
	for _, b := range p.Blobs {
		r, err := reg.OpenBlob(t.Context(), repo, b.Digest)
		if err != nil {
			t.Fatalf("blob %s: %v", b.Digest, err)
		}
		content, err := io.ReadAll(r)
		if err != nil || digest.FromBytes(content) != b.Digest {
			t.Errorf("blob %s reads as %s, %v", b.Digest, digest.FromBytes(content), err)
		}
		_ = r.Close()
	}
	for _, c := range p.Children {
		n += whole(t, reg, repo, c.Digest)
	}
	return n
}

func tags(t *testing.T, reg registry.Registry, repo string) []string {
	t.Helper()
	var out []string
	for tag, err := range reg.Tags(t.Context(), repo, "") {
		if errors.Is(err, registry.ErrNameUnknown) {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tag)
	}
	return out
}

func TestAnImageArrivesWithItsBytesUnchanged(t *testing.T) {
	t.Parallel()
	src, dst := registrytest.NewFake(), registrytest.NewFake()
	m := registrytest.PushImage(t, src, "a/b", "v1")
	want := registrytest.Descriptor(m)

	got, err := transfer.Copy(t.Context(), dst, src, transfer.Request{From: "a/b", Reference: "v1", To: "c", Tags: []string{"v2", "v3"}}, transfer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != want.Digest || got.Size != want.Size || got.MediaType != want.MediaType {
		t.Errorf("got %+v, want %+v", got, want)
	}
	whole(t, dst, "c", want.Digest)
	if have := tags(t, dst, "c"); !slices.Equal(have, []string{"v2", "v3"}) {
		t.Errorf("tags %v", have)
	}
}

func TestAnIndexBringsAllItsPlatforms(t *testing.T) {
	t.Parallel()
	src, dst := registrytest.NewFake(), registrytest.NewFake()
	index := platforms(t, src, "app", "v1", "amd64", "arm64")
	got, err := transfer.Copy(t.Context(), dst, src, transfer.Request{From: "app", Reference: "v1", Tags: []string{"v1"}}, transfer.Options{Parallel: 3})
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest != digest.FromBytes(index.Content) {
		t.Errorf("digest changed to %s", got.Digest)
	}
	if n := whole(t, dst, "app", got.Digest); n != 5 {
		t.Errorf("%d manifests arrived, want 5", n)
	}
}

func TestOnePlatformGivesItsManifestAndSeveralASmallerIndex(t *testing.T) {
	t.Parallel()
	src := registrytest.NewFake()
	index := platforms(t, src, "app", "v1", "amd64", "arm64", "s390x")
	all, err := manifest.Parse("", index.Content)
	if err != nil {
		t.Fatal(err)
	}

	one, err := transfer.Copy(t.Context(), registrytest.NewFake(), src, transfer.Request{From: "app", Reference: "v1", Platforms: []string{"linux/arm64"}}, transfer.Options{})
	if err != nil || one.Digest != all.Children[2].Digest {
		t.Errorf("one platform gave %s, %v; want %s", one.Digest, err, all.Children[2].Digest)
	}

	dst := registrytest.NewFake()
	two, err := transfer.Copy(t.Context(), dst, src, transfer.Request{From: "app", Reference: "v1", Platforms: []string{"linux/arm64", "linux/s390x"}}, transfer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []registry.Digest
	for _, c := range parse(t, dst, "app", two.Digest).Children {
		got = append(got, c.Digest)
	}
	var want []registry.Digest
	for _, c := range all.Children[2:] {
		want = append(want, c.Digest)
	}
	if !slices.Equal(got, want) {
		t.Errorf("children %v, want the images with their attestations %v", got, want)
	}

	_, err = transfer.Copy(t.Context(), dst, src, transfer.Request{From: "app", Reference: "v1", Platforms: []string{"plan9/mips"}}, transfer.Options{})
	if !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("a platform that is not there: %v", err)
	}
}

// lacking hides some manifests of a registry.
type lacking struct {
	registry.Registry
	hide []registry.Digest
}

func (l lacking) Manifest(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, error) {
	if slices.Contains(l.hide, d) {
		return registry.Manifest{}, registry.ErrManifestUnknown
	}
	return l.Registry.Manifest(ctx, repo, d)
}

func TestWhatAnEngineDoesNotHaveIsLeftOutWhenPartial(t *testing.T) {
	t.Parallel()
	full := registrytest.NewFake()
	index := platforms(t, full, "app", "v1", "amd64", "arm64")
	p, err := manifest.Parse("", index.Content)
	if err != nil {
		t.Fatal(err)
	}
	src := lacking{full, []registry.Digest{p.Children[2].Digest}}
	req := transfer.Request{From: "app", Reference: "v1", Tags: []string{"v1"}}

	dst := registrytest.NewFake()
	if _, err := transfer.Copy(t.Context(), dst, src, req, transfer.Options{}); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("a hole in an index went unnoticed: %v", err)
	}
	if have := tags(t, dst, "app"); have != nil {
		t.Errorf("a failed copy left tags %v", have)
	}
	req.Partial = true
	got, err := transfer.Copy(t.Context(), dst, src, req, transfer.Options{})
	if err != nil || got.Digest != p.Children[0].Digest {
		t.Errorf("got %s, %v; want the one image that is there, %s", got.Digest, err, p.Children[0].Digest)
	}
}

func TestReferrersComeAlongWhenAskedFor(t *testing.T) {
	t.Parallel()
	src := registrytest.NewFake()
	m := registrytest.PushImage(t, src, "app", "v1")
	sig := registrytest.Artifact(t, src, "app", "application/sig", registrytest.Descriptor(m), nil)
	put(t, src, "app", sig)
	over := registrytest.Artifact(t, src, "app", "application/sig2", registrytest.Descriptor(sig), nil)
	put(t, src, "app", over)

	for _, with := range []bool{false, true} {
		dst := registrytest.NewFake()
		if _, err := transfer.Copy(t.Context(), dst, src, transfer.Request{From: "app", Reference: "v1", Referrers: with}, transfer.Options{}); err != nil {
			t.Fatal(err)
		}
		for _, a := range []registry.Manifest{sig, over} {
			_, err := dst.Manifest(t.Context(), "app", digest.FromBytes(a.Content))
			if with != (err == nil) {
				t.Errorf("referrers %v: %v", with, err)
			}
		}
	}
}
