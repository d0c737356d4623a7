//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const (
	mediaConfig   = "application/vnd.oci.image.config.v1+json"
	mediaLayer    = "application/vnd.oci.image.layer.v1.tar"
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaIndex    = "application/vnd.oci.image.index.v1+json"
)

// layer gives an uncompressed layer with one file of random bytes, the same
// for the same seed.
func layer(t testing.TB, seed uint64, size int) []byte {
	t.Helper()
	content := make([]byte, size)
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	_, _ = random.Read(content)
	return tarOf(t, map[string][]byte{"data/file-" + hex.EncodeToString([]byte{byte(seed >> 8), byte(seed)}): content})
}

// program gives a layer with a static program at /berth.
func program(t testing.TB) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "bin", "berth-headless"))
	if err != nil {
		t.Fatal(err)
	}
	return tarOf(t, map[string][]byte{"berth": content})
}

func tarOf(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	b, err := makeTar(files)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func makeTar(files map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := files[name]
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
			return nil, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return b.Bytes(), err
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func toJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// config describes an image of these uncompressed layers.
func config(t testing.TB, architecture string, layers ...[]byte) []byte {
	t.Helper()
	var ids []string
	var history []map[string]string
	steps := []string{"COPY rootfs / # buildkit", "COPY app /usr/local/bin/app # buildkit", "COPY assets /srv # buildkit"}
	for i, l := range layers {
		ids = append(ids, digestOf(l))
		history = append(history, map[string]string{"created": "2026-11-02T09:30:00Z", "created_by": steps[i%len(steps)]})
	}
	return toJSON(t, map[string]any{
		"architecture": architecture, "os": "linux", "created": "2026-11-02T09:30:00Z", "history": history,
		"config": map[string]any{"Cmd": []string{"/berth", "version"}, "Env": []string{"PATH=/"}},
		"rootfs": map[string]any{"type": "layers", "diff_ids": ids},
	})
}

// dockerArchive writes what docker save writes, and gives its path.
func dockerArchive(t testing.TB, name string, layers ...[]byte) string {
	t.Helper()
	cfg := config(t, "amd64", layers...)
	files := map[string][]byte{digestOf(cfg)[7:] + ".json": cfg}
	var paths []string
	for _, l := range layers {
		path := digestOf(l)[7:] + "/layer.tar"
		files[path] = l
		paths = append(paths, path)
	}
	files["manifest.json"] = toJSON(t, []any{map[string]any{
		"Config": digestOf(cfg)[7:] + ".json", "RepoTags": []string{name}, "Layers": paths,
	}})
	path := filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, tarOf(t, files), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// descriptor is what points at content.
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int               `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Platform     map[string]string `json:"platform,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// layout is an OCI image layout on disk.
type layout struct {
	dir string
	t   testing.TB
}

func newLayout(t testing.TB) layout {
	t.Helper()
	l := layout{dir: t.TempDir(), t: t}
	if err := os.MkdirAll(filepath.Join(l.dir, "blobs", "sha256"), 0o700); err != nil {
		t.Fatal(err)
	}
	l.write("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	return l
}

func (l layout) write(path string, content []byte) {
	if err := os.WriteFile(filepath.Join(l.dir, path), content, 0o600); err != nil {
		l.t.Fatal(err)
	}
}

func (l layout) blob(mediaType string, content []byte) descriptor {
	d := descriptor{MediaType: mediaType, Digest: digestOf(content), Size: len(content)}
	l.write("blobs/sha256/"+d.Digest[7:], content)
	return d
}

func (l layout) image(architecture string, layers ...[]byte) descriptor {
	var blobs []descriptor
	for _, content := range layers {
		blobs = append(blobs, l.blob(mediaLayer, content))
	}
	d := l.blob(mediaManifest, toJSON(l.t, map[string]any{
		"schemaVersion": 2, "mediaType": mediaManifest,
		"config": l.blob(mediaConfig, config(l.t, architecture, layers...)), "layers": blobs,
	}))
	d.Platform = map[string]string{"os": "linux", "architecture": architecture}
	return d
}

func (l layout) index(children ...descriptor) descriptor {
	return l.blob(mediaIndex, toJSON(l.t, map[string]any{"schemaVersion": 2, "mediaType": mediaIndex, "manifests": children}))
}

// tag names what the layout is about, and gives the layout's folder.
func (l layout) tag(d descriptor, name string) string {
	d.Annotations = map[string]string{"org.opencontainers.image.ref.name": name}
	l.write("index.json", toJSON(l.t, map[string]any{"schemaVersion": 2, "mediaType": mediaIndex, "manifests": []descriptor{d}}))
	return l.dir
}
