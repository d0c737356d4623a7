package archive_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/archive"
	"berth/registry/registrytest"
	"berth/registry/transfer"
)

// file is a member of a tar under test.
type file struct {
	name    string
	content []byte
	link    string
	kind    byte
}

func tarOf(t testing.TB, files ...file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content)), Typeflag: tar.TypeReg, Linkname: f.link}
		if f.kind != 0 {
			h.Typeflag = f.kind
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// save makes what docker save writes of an image with the given layers. As
// engines do it, a layer that is there twice is a link the second time.
func save(t testing.TB, tags []string, layers ...[]byte) (files []file, configDigest digest.Digest) {
	t.Helper()
	var diffs []digest.Digest
	var paths []string
	seen := map[digest.Digest]string{}
	for i, l := range layers {
		d := digest.FromBytes(l)
		p := string(rune('a'+i)) + "/layer.tar"
		f := file{name: p, content: l}
		if first := seen[d]; first != "" {
			f = file{name: p, kind: tar.TypeSymlink, link: "../" + first}
		}
		seen[d] = p
		files = append(files, file{name: string(rune('a'+i)) + "/", kind: tar.TypeDir}, f)
		diffs, paths = append(diffs, d), append(paths, p)
	}
	config := asJSON(t, map[string]any{"os": "linux", "architecture": "amd64", "rootfs": map[string]any{"type": "layers", "diff_ids": diffs}})
	configDigest = digest.FromBytes(config)
	name := configDigest.Encoded() + ".json"
	files = append(files, file{name: name, content: config}, file{name: "manifest.json", content: asJSON(t, []map[string]any{
		{"Config": name, "RepoTags": tags, "Layers": paths},
	})})
	return files, configDigest
}

// layout gives an OCI layout of what reg holds below a manifest.
func layout(t testing.TB, annotations map[string]string, manifests ...registry.Manifest) []file {
	t.Helper()
	files := []file{{name: "oci-layout", content: []byte(`{"imageLayoutVersion":"1.0.0"}`)}}
	var top []registry.Descriptor
	for _, m := range manifests {
		desc := registrytest.Descriptor(m)
		desc.Annotations = annotations
		top = append(top, desc)
		files = append(files, blobFile(m.Content))
	}
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: top}
	index.SchemaVersion = 2
	return append(files, file{name: "index.json", content: asJSON(t, index)})
}

func blobFile(content []byte) file {
	return file{name: "blobs/sha256/" + digest.FromBytes(content).Encoded(), content: content}
}

// image gives a manifest and the members that its blobs are.
func image(t testing.TB, seed string) (registry.Manifest, []file) {
	t.Helper()
	config, layer := []byte(`{"os":"linux","architecture":"amd64"}`), []byte("layer of "+seed)
	m := ocispec.Manifest{
		MediaType: ocispec.MediaTypeImageManifest,
		Config:    registry.Descriptor{MediaType: ocispec.MediaTypeImageConfig, Digest: digest.FromBytes(config), Size: int64(len(config))},
		Layers:    []registry.Descriptor{{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.FromBytes(layer), Size: int64(len(layer))}},
	}
	m.SchemaVersion = 2
	content := asJSON(t, m)
	return registry.Manifest{MediaType: m.MediaType, Digest: digest.FromBytes(content), Content: content}, []file{blobFile(config), blobFile(layer)}
}

func read(t testing.TB, content []byte) *archive.Archive {
	t.Helper()
	a, err := archive.Read(t.Context(), bytes.NewReader(content), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// imported copies the first image of an archive into an empty registry.
func imported(t *testing.T, a *archive.Archive) (registry.Registry, registry.Descriptor) {
	t.Helper()
	dst := registrytest.NewFake()
	i := a.Images()[0]
	desc, err := transfer.Copy(t.Context(), dst, a, transfer.Request{
		From: i.Repository, Reference: i.Descriptor.Digest.String(), To: "to/here", Tags: []string{"v1"},
	}, transfer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return dst, desc
}

func TestADockerSaveTarKeepsTheImageID(t *testing.T) {
	t.Parallel()
	files, id := save(t, []string{"acme/app:dev", "localhost:5000/team/app:v1"}, []byte("one"), []byte("two"), []byte("one"))
	a := read(t, tarOf(t, files...))

	var names []string
	for _, i := range a.Images() {
		names = append(names, i.Repository+":"+i.Tag)
	}
	if !slices.Equal(names, []string{"acme/app:dev", "team/app:v1"}) {
		t.Errorf("names %v", names)
	}
	dst, desc := imported(t, a)
	m, err := dst.Manifest(t.Context(), "to/here", desc.Digest)
	if err != nil {
		t.Fatal(err)
	}
	var got ocispec.Manifest
	if err := json.Unmarshal(m.Content, &got); err != nil {
		t.Fatal(err)
	}
	if got.Config.Digest != id {
		t.Errorf("config %s, want the image id %s", got.Config.Digest, id)
	}
	if len(got.Layers) != 3 || got.Layers[2].Digest != digest.FromString("one") || got.Layers[0].MediaType != ocispec.MediaTypeImageLayer {
		t.Errorf("layers %+v", got.Layers)
	}
}

func TestTheSameImageGivesTheSameManifestEachTime(t *testing.T) {
	t.Parallel()
	files, _ := save(t, []string{"a:1"}, []byte("one"), []byte("two"))
	first := read(t, tarOf(t, files...)).Images()[0].Descriptor.Digest
	slices.Reverse(files)
	second := read(t, tarOf(t, files...)).Images()[0].Descriptor.Digest
	if first != second {
		t.Errorf("%s and %s", first, second)
	}
	// The bytes are a promise across versions: a change makes every image that
	// is imported again look new.
	if want := digest.Digest("sha256:7be68741ae4799c844a26ce801bd1512481c9394bb6818cda9a296e163ef5c50"); first != want {
		t.Errorf("digest %s, want %s", first, want)
	}
}

func TestACompressedLayerOfAnotherBuilderKeepsItsBytes(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte("layer"))
	_ = z.Close()
	files, _ := save(t, []string{"a:1"}, []byte("layer"))
	files[1].content = packed.Bytes()
	dst, desc := imported(t, read(t, tarOf(t, files...)))
	m, err := dst.Manifest(t.Context(), "to/here", desc.Digest)
	if err != nil {
		t.Fatal(err)
	}
	var got ocispec.Manifest
	if err := json.Unmarshal(m.Content, &got); err != nil {
		t.Fatal(err)
	}
	if l := got.Layers[0]; l.MediaType != ocispec.MediaTypeImageLayerGzip || l.Digest != digest.FromBytes(packed.Bytes()) {
		t.Errorf("layer %+v", l)
	}
}

func TestAnOCILayoutIsGivenByteForByte(t *testing.T) {
	t.Parallel()
	m, blobs := image(t, "x")
	for name, annotations := range map[string]map[string]string{
		"acme/app:v1": {"io.containerd.image.name": "docker.io/acme/app:v1", "org.opencontainers.image.ref.name": "v1"},
		"team/app:v2": {"org.opencontainers.image.ref.name": "registry.example.com:5000/team/app:v2"},
		"unnamed:v3":  {"org.opencontainers.image.ref.name": "v3"},
		"unnamed:":    nil,
	} {
		a := read(t, tarOf(t, append(layout(t, annotations, m), blobs...)...))
		i := a.Images()[0]
		if got := i.Repository + ":" + i.Tag; got != name {
			t.Errorf("%v: name %s, want %s", annotations, got, name)
		}
		if _, desc := imported(t, a); desc.Digest != digest.FromBytes(m.Content) {
			t.Errorf("digest changed to %s", desc.Digest)
		}
	}
}

func TestWhatBothFormsOfNewerEnginesSayIsPutTogether(t *testing.T) {
	t.Parallel()
	m, blobs := image(t, "x")
	var parsed ocispec.Manifest
	if err := json.Unmarshal(m.Content, &parsed); err != nil {
		t.Fatal(err)
	}
	files := append(layout(t, nil, m), blobs...)
	files = append(files, file{name: "manifest.json", content: asJSON(t, []map[string]any{{
		"Config": "blobs/sha256/" + parsed.Config.Digest.Encoded(), "RepoTags": []string{"acme/app:dev", "acme/app:latest"},
		"Layers": []string{"blobs/sha256/" + parsed.Layers[0].Digest.Encoded()},
	}})})
	images := read(t, tarOf(t, files...)).Images()
	if len(images) != 2 || images[0].Name != "acme/app:dev" || images[1].Name != "acme/app:latest" {
		t.Errorf("images %+v", images)
	}
	if images[0].Descriptor.Digest != digest.FromBytes(m.Content) {
		t.Errorf("the manifest of the layout was not taken")
	}
}

func TestASignatureInALayoutIsAReferrerAndNoImage(t *testing.T) {
	t.Parallel()
	reg := registrytest.NewFake()
	m := registrytest.PushImage(t, reg, "app", "v1")
	sig := registrytest.Artifact(t, reg, "app", "application/sig", registrytest.Descriptor(m), nil)
	a := read(t, tarOf(t, layout(t, map[string]string{"org.opencontainers.image.ref.name": "app:v1"}, m, sig)...))
	if n := len(a.Images()); n != 1 {
		t.Errorf("%d images", n)
	}
	var got []registry.Digest
	for d, err := range a.Referrers(t.Context(), "app", digest.FromBytes(m.Content), "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d.Digest)
	}
	if !slices.Equal(got, []registry.Digest{digest.FromBytes(sig.Content)}) {
		t.Errorf("referrers %v", got)
	}
}

func TestAFolderAndACompressedTarReadAsTheTarDoes(t *testing.T) {
	t.Parallel()
	m, blobs := image(t, "x")
	files := append(layout(t, map[string]string{"org.opencontainers.image.ref.name": "app:v1"}, m), blobs...)
	plain := tarOf(t, files...)
	dir := t.TempDir()
	for _, f := range files {
		p := filepath.Join(dir, "layout", filepath.FromSlash(f.name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o700), os.WriteFile(p, f.content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string, wrap func(io.Writer) io.WriteCloser) {
		var b bytes.Buffer
		w := wrap(&b)
		_, err := w.Write(plain)
		if err := errors.Join(err, w.Close(), os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	write("image.tar.gz", func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	write("image.tar.zst", func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z })
	if err := os.WriteFile(filepath.Join(dir, "image.tar"), plain, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"layout", "image.tar", "image.tar.gz", "image.tar.zst"} {
		a, err := archive.Open(t.Context(), filepath.Join(dir, name), "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, desc := imported(t, a); desc.Digest != digest.FromBytes(m.Content) {
			t.Errorf("%s: digest %s", name, desc.Digest)
		}
		if err := a.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
