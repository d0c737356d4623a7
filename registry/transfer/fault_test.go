package transfer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/registrytest"
	"berth/registry/transfer"
)

// watched counts the uploads of a registry, and breaks them as told.
type watched struct {
	registry.Registry
	uploads atomic.Int32
	mounts  atomic.Int32
	resumed atomic.Int32
	// breakAt makes the first upload that gets so far fail there, with err.
	breakAt int
	err     error
	once    sync.Once
}

func (w *watched) StartUpload(ctx context.Context, repo string) (registry.Upload, error) {
	w.uploads.Add(1)
	up, err := w.Registry.StartUpload(ctx, repo)
	if err == nil && w.breakAt > 0 {
		up = &brittle{Upload: up, left: w.breakAt, of: w}
	}
	return up, err
}

func (w *watched) ResumeUpload(ctx context.Context, repo, id string) (registry.Upload, error) {
	w.resumed.Add(1)
	return w.Registry.ResumeUpload(ctx, repo, id)
}

func (w *watched) MountBlob(ctx context.Context, from, to string, d registry.Digest) (registry.Descriptor, error) {
	desc, err := w.Registry.MountBlob(ctx, from, to, d)
	if err == nil {
		w.mounts.Add(1)
	}
	return desc, err
}

type brittle struct {
	registry.Upload
	left int
	of   *watched
}

func (b *brittle) Write(p []byte) (n int, err error) {
	if len(p) > b.left {
		b.of.once.Do(func() {
			n, err = b.Upload.Write(p[:b.left])
			err = errors.Join(err, b.of.err)
		})
		if err != nil {
			return n, err
		}
	}
	b.left -= len(p)
	return b.Upload.Write(p)
}

// big pushes an image with one layer of n bytes.
func big(t *testing.T, reg registry.Registry, repo, tag string, n int) registry.Manifest {
	t.Helper()
	config := registrytest.PushBlob(t, reg, repo, []byte(`{"os":"linux","architecture":"amd64"}`))
	config.MediaType = ocispec.MediaTypeImageConfig
	layer := registrytest.PushBlob(t, reg, repo, registrytest.Bytes(uint64(n), n))
	layer.MediaType = ocispec.MediaTypeImageLayer
	image := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: []registry.Descriptor{layer}}
	image.SchemaVersion = 2
	content, err := json.Marshal(image)
	if err != nil {
		t.Fatal(err)
	}
	m := registry.Manifest{MediaType: image.MediaType, Content: content}
	put(t, reg, repo, m, tag)
	return m
}

func TestWhatIsThereIsNotSentAgain(t *testing.T) {
	t.Parallel()
	src, dst := registrytest.NewFake(), &watched{Registry: registrytest.NewFake()}
	platforms(t, src, "app", "v1", "amd64", "arm64")
	req := transfer.Request{From: "app", Reference: "v1", Tags: []string{"v1"}}
	if _, err := transfer.Copy(t.Context(), dst, src, req, transfer.Options{}); err != nil {
		t.Fatal(err)
	}
	first := dst.uploads.Load()
	var last transfer.Progress
	if _, err := transfer.Copy(t.Context(), dst, src, req, transfer.Options{Progress: func(p transfer.Progress) { last = p }}); err != nil {
		t.Fatal(err)
	}
	if again := dst.uploads.Load() - first; again != 0 || first == 0 {
		t.Errorf("%d uploads at first, %d again", first, again)
	}
	if last.Total != 0 || last.Blobs[0].State != transfer.Exists {
		t.Errorf("progress %+v", last)
	}
}

func TestWithinOneRegistryBlobsAreMounted(t *testing.T) {
	t.Parallel()
	reg := &watched{Registry: registrytest.NewFake()}
	m := registrytest.PushImage(t, reg.Registry, "from/here", "v1")
	got, err := transfer.Copy(t.Context(), reg, reg, transfer.Request{From: "from/here", Reference: "v1", To: "to/there", Tags: []string{"v1"}}, transfer.Options{})
	if err != nil || got.Digest != digest.FromBytes(m.Content) {
		t.Fatalf("got %s, %v", got.Digest, err)
	}
	if reg.uploads.Load() != 0 || reg.mounts.Load() != 2 {
		t.Errorf("%d uploads, %d mounts; want 0 and 2", reg.uploads.Load(), reg.mounts.Load())
	}
}

func TestABrokenUploadGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	src := registrytest.NewFake()
	m := big(t, src, "app", "v1", 1<<20)
	dst := &watched{Registry: registrytest.NewFake(), breakAt: 300_000, err: errors.New("the line broke")}
	got, err := transfer.Copy(t.Context(), dst, src, transfer.Request{From: "app", Reference: "v1"}, transfer.Options{Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	whole(t, dst, "app", digest.FromBytes(m.Content))
	if got.Digest != digest.FromBytes(m.Content) || dst.resumed.Load() != 1 {
		t.Errorf("got %s after %d times of going on", got.Digest, dst.resumed.Load())
	}
}

func TestAFullDiskIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	src := registrytest.NewFake()
	big(t, src, "app", "v1", 1<<20)
	dst := &watched{Registry: registrytest.NewFake(), breakAt: 100, err: driver.ErrNoSpace}
	_, err := transfer.Copy(t.Context(), dst, src, transfer.Request{From: "app", Reference: "v1", Tags: []string{"v1"}}, transfer.Options{})
	if !errors.Is(err, driver.ErrNoSpace) {
		t.Errorf("error %v", err)
	}
	if dst.resumed.Load() != 0 {
		t.Error("it was tried again")
	}
	if have := tags(t, dst, "app"); have != nil {
		t.Errorf("tags %v", have)
	}
}

func TestACancelledCopyShowsNothing(t *testing.T) {
	t.Parallel()
	src, dst := registrytest.NewFake(), registrytest.NewFake()
	big(t, src, "app", "v1", 4<<20)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := transfer.Copy(ctx, dst, src, transfer.Request{From: "app", Reference: "v1", Tags: []string{"v1"}}, transfer.Options{
		Progress: func(p transfer.Progress) {
			if p.Done > 0 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if have := tags(t, dst, "app"); have != nil {
		t.Errorf("tags %v", have)
	}
}

// lying gives other bytes than the digest promises.
type lying struct{ registry.Registry }

type lie struct {
	*bytes.Reader
	desc registry.Descriptor
}

func (lie) Close() error                      { return nil }
func (l lie) Descriptor() registry.Descriptor { return l.desc }
func (l lying) wrap(b registry.Blob) (lie, error) {
	content, err := io.ReadAll(b)
	for i := range content {
		content[i] ^= 1
	}
	return lie{bytes.NewReader(content), b.Descriptor()}, errors.Join(err, b.Close())
}

func (l lying) OpenBlob(ctx context.Context, repo string, d registry.Digest) (registry.Blob, error) {
	b, err := l.Registry.OpenBlob(ctx, repo, d)
	if err != nil {
		return nil, err
	}
	return l.wrap(b)
}

func TestALyingSourceIsFoundOut(t *testing.T) {
	t.Parallel()
	src, dst := registrytest.NewFake(), registrytest.NewFake()
	registrytest.PushImage(t, src, "app", "v1")
	_, err := transfer.Copy(t.Context(), dst, lying{src}, transfer.Request{From: "app", Reference: "v1", Tags: []string{"v1"}}, transfer.Options{})
	if !errors.Is(err, registry.ErrDigestInvalid) {
		t.Errorf("error %v, want digest invalid", err)
	}
	if have := tags(t, dst, "app"); have != nil {
		t.Errorf("tags %v", have)
	}
}

func TestProgressAddsUpToTheWhole(t *testing.T) {
	t.Parallel()
	src, dst := registrytest.NewFake(), registrytest.NewFake()
	big(t, src, "app", "v1", 2<<20)
	var last transfer.Progress
	_, err := transfer.Copy(t.Context(), dst, src, transfer.Request{From: "app", Reference: "v1"}, transfer.Options{Progress: func(p transfer.Progress) {
		if p.Done < last.Done {
			t.Errorf("progress went back from %d to %d", last.Done, p.Done)
		}
		last = p
	}})
	if err != nil {
		t.Fatal(err)
	}
	if last.Done != last.Total || last.Total < 2<<20 {
		t.Errorf("ended at %d of %d", last.Done, last.Total)
	}
	for _, b := range last.Blobs {
		if b.State != transfer.Done || b.Done != b.Descriptor.Size {
			t.Errorf("blob %+v", b)
		}
	}
}

func TestNamesAreCheckedFirst(t *testing.T) {
	t.Parallel()
	reg := registrytest.NewFake()
	registrytest.PushImage(t, reg, "app", "v1")
	for _, c := range []struct {
		r    transfer.Request
		want error
	}{
		{transfer.Request{From: "App", Reference: "v1"}, registry.ErrNameInvalid},
		{transfer.Request{From: "app", Reference: "v1", To: "-x"}, registry.ErrNameInvalid},
		{transfer.Request{From: "app", Reference: "v1", Tags: []string{"-"}}, registry.ErrTagInvalid},
		{transfer.Request{From: "app", Reference: "sha256:12"}, registry.ErrDigestInvalid},
		{transfer.Request{From: "app", Reference: "v2"}, registry.ErrManifestUnknown},
		{transfer.Request{From: "other", Reference: "v1"}, registry.ErrNameUnknown},
	} {
		if _, err := transfer.Copy(t.Context(), registrytest.NewFake(), reg, c.r, transfer.Options{}); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.r, err, c.want)
		}
	}
}

// asked counts the manifests that are read.
type asked struct {
	registry.Registry
	reads int
}

func (a *asked) Manifest(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, error) {
	a.reads++
	return a.Registry.Manifest(ctx, repo, d)
}

func TestIndexesThatNameOneAnotherOftenAreReadOnce(t *testing.T) {
	t.Parallel()
	reg := registrytest.NewFake()
	m := registrytest.Image(t, reg, "app", "leaf")
	put(t, reg, "app", m)
	for range 12 {
		twice := registrytest.Descriptor(m)
		m = registrytest.Index(t, twice, twice, twice)
		put(t, reg, "app", m)
	}
	put(t, reg, "app", m, "v1")
	src := &asked{Registry: reg}
	_, err := transfer.Copy(t.Context(), registrytest.NewFake(), src, transfer.Request{From: "app", Reference: "v1", Partial: true}, transfer.Options{})
	if err != nil || src.reads > 60 {
		t.Errorf("%v, %d manifests were read for 13", err, src.reads)
	}
}
