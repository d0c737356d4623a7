package archive_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/archive"
)

func TestHarmfulArchivesAreRefused(t *testing.T) {
	t.Parallel()
	good, _ := save(t, []string{"a:1"}, []byte("one"))
	with := func(f ...file) []byte { return tarOf(t, append(f, good...)...) }
	sparse := tarOf(t, good...)
	sparse[156] = 'S' // the first member becomes an old GNU sparse file
	for name, content := range map[string][]byte{
		"a name that leads out":        with(file{name: "../escape", content: []byte("x")}),
		"an absolute name":             with(file{name: "/etc/passwd", content: []byte("x")}),
		"a name of Windows":            with(file{name: `..\escape`, content: []byte("x")}),
		"a link that leads out":        with(file{name: "x/y", kind: tar.TypeSymlink, link: "../../escape"}),
		"an absolute link":             with(file{name: "x", kind: tar.TypeSymlink, link: "/etc/passwd"}),
		"a hard link that leads out":   with(file{name: "x", kind: tar.TypeLink, link: "../escape"}),
		"a name without end":           with(file{name: strings.Repeat("n", 5000), content: []byte("x")}),
		"a device":                     with(file{name: "x", kind: tar.TypeChar}),
		"a pipe":                       with(file{name: "x", kind: tar.TypeFifo}),
		"an index of more than 4 MiB":  tarOf(t, file{name: "index.json", content: make([]byte, 5<<20)}),
		"a manifest that is a circle":  tarOf(t, file{name: "manifest.json", kind: tar.TypeSymlink, link: "manifest.json"}),
		"a config outside the archive": tarOf(t, file{name: "manifest.json", content: []byte(`[{"Config":"../../etc/passwd","Layers":[]}]`)}),
	} {
		_, err := archive.Read(t.Context(), bytes.NewReader(content), t.TempDir())
		if !errors.Is(err, archive.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := archive.Read(t.Context(), bytes.NewReader(sparse), t.TempDir()); err == nil {
		t.Error("a sparse member was taken")
	}
}

func TestALinkInAFolderDoesNotLeadOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	inside := filepath.Join(dir, "layout")
	err := errors.Join(
		os.WriteFile(secret, []byte(`{"schemaVersion":2,"manifests":[]}`), 0o600),
		os.Mkdir(inside, 0o700),
		os.Symlink(secret, filepath.Join(inside, "index.json")),
	)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := archive.Open(t.Context(), inside, ""); err == nil {
		_ = a.Close()
		t.Error("a link out of the folder was followed")
	}
}

func TestABombDoesNotFillTheDisk(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(z, zeros{}, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	var out counting
	err = archive.Fill(t.Context(), &out, bytes.NewReader(packed.Bytes()), 1<<20)
	if !errors.Is(err, archive.ErrRefused) {
		t.Errorf("64 MiB of zeros from %d bytes: %v", packed.Len(), err)
	}
	if out > 4<<20 {
		t.Errorf("%d bytes were written before it was refused", out)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type counting int64

func (c *counting) Write(p []byte) (int, error) { *c += counting(len(p)); return len(p), nil }

func TestWhatIsNoArchiveIsSaid(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"nothing":      "",
		"a text":       strings.Repeat("hello ", 200),
		"another tar":  string(tarOf(t, file{name: "README", content: []byte("x")})),
		"another JSON": string(tarOf(t, file{name: "index.json", content: []byte(`{"x":1}`)})),
	} {
		_, err := archive.Read(t.Context(), strings.NewReader(content), t.TempDir())
		if !errors.Is(err, archive.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := archive.Open(t.Context(), filepath.Join(t.TempDir(), "none"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestACutArchiveLeavesNoTemporaryFile(t *testing.T) {
	t.Parallel()
	files, _ := save(t, []string{"a:1"}, bytes.Repeat([]byte("x"), 5000))
	whole := tarOf(t, files...)
	dir := t.TempDir()
	broke := errors.New("the engine went away")
	for _, r := range []io.Reader{
		bytes.NewReader(whole[:3000]),
		io.MultiReader(bytes.NewReader(whole[:3000]), iotest.ErrReader(broke)),
	} {
		if _, err := archive.Read(t.Context(), r, dir); err == nil {
			t.Error("half an archive was taken")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := archive.Read(ctx, bytes.NewReader(whole), dir); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAnArchiveAnswersAsARegistryDoes(t *testing.T) {
	t.Parallel()
	files, id := save(t, []string{"acme/app:v1", "acme/app:v0", "b:1"}, []byte("one"))
	a := read(t, tarOf(t, files...))
	ctx := t.Context()
	var repos, tags []string
	for r, err := range a.Repositories(ctx, "") {
		repos = append(repos, r)
		if err != nil {
			t.Fatal(err)
		}
	}
	for tag, err := range a.Tags(ctx, "acme/app", "v0") {
		tags = append(tags, tag)
		if err != nil {
			t.Fatal(err)
		}
	}
	if strings.Join(repos, " ") != "acme/app b" || strings.Join(tags, " ") != "v1" {
		t.Errorf("repositories %v, tags after v0 %v", repos, tags)
	}
	other := digest.FromString("other")
	_, unknownTag := a.ResolveTag(ctx, "acme/app", "v9")
	_, unknownRepo := a.ResolveTag(ctx, "nobody", "v1")
	_, badName := a.OpenBlob(ctx, "A", id)
	_, badDigest := a.OpenBlob(ctx, "acme/app", "sha256:1")
	_, unknownBlob := a.StatBlob(ctx, "acme/app", other)
	_, unknownManifest := a.StatManifest(ctx, "acme/app", other)
	_, written := a.StartUpload(ctx, "acme/app")
	for i, c := range []struct{ got, want error }{
		{unknownTag, registry.ErrManifestUnknown},
		{unknownRepo, registry.ErrNameUnknown},
		{badName, registry.ErrNameInvalid},
		{badDigest, registry.ErrDigestInvalid},
		{unknownBlob, registry.ErrBlobUnknown},
		{unknownManifest, registry.ErrManifestUnknown},
		{written, registry.ErrUnsupported},
	} {
		if !errors.Is(c.got, c.want) {
			t.Errorf("%d: %v, want %v", i, c.got, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, _ := save(f, []string{"a:1", "b"}, []byte("one"), []byte("two"), []byte("one"))
	f.Add(tarOf(f, files...))
	m, blobs := image(f, "x")
	f.Add(tarOf(f, append(layout(f, map[string]string{"org.opencontainers.image.ref.name": "v1"}, m), blobs...)...))
	f.Add([]byte("\x1f\x8b"))
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		a, err := archive.Read(t.Context(), bytes.NewReader(content), dir)
		if err != nil {
			return
		}
		for _, i := range a.Images() {
			if err := registry.ParseName(i.Repository); err != nil {
				t.Errorf("image %+v: %v", i, err)
			}
			m, err := a.Manifest(t.Context(), i.Repository, i.Descriptor.Digest)
			if err != nil || digest.FromBytes(m.Content) != i.Descriptor.Digest {
				t.Errorf("image %+v: manifest %v", i, err)
			}
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestACompressedFileIsUnpackedWhereItWasAskedFor(t *testing.T) {
	t.Parallel()
	files, _ := save(t, []string{"a:1"}, []byte("one"))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(tarOf(t, files...)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.tgz")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	// A folder that is not there tells where it would have gone.
	if _, err := archive.Open(t.Context(), path, filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
