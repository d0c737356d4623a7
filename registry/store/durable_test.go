package store_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/store"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// slow lets everybody see what is put under one folder before it is durable.
type slow struct {
	*memory.Driver
	folder  string
	seen    chan struct{} // closed when it can be seen
	release chan struct{}
	durable atomic.Bool
}

func (s *slow) wait(key string) {
	if !strings.Contains(key, s.folder) || s.durable.Load() {
		return
	}
	close(s.seen)
	<-s.release
	s.durable.Store(true)
}

func (s *slow) Put(ctx context.Context, key string, content []byte) error {
	err := s.Driver.Put(ctx, key, content)
	s.wait(key)
	return err
}

func (s *slow) Move(ctx context.Context, from, to string) error {
	err := s.Driver.Move(ctx, from, to)
	s.wait(to)
	return err
}

var _ driver.Driver = (*slow)(nil)

func newSlow(folder string) *slow {
	return &slow{Driver: memory.New(), folder: folder, seen: make(chan struct{}), release: make(chan struct{})}
}

// race does first until it can be seen and is not durable, then second. It
// reports whether second succeeded before first was durable.
func (s *slow) race(t *testing.T, first, second func() error) (early bool) {
	t.Helper()
	done := make(chan error, 2)
	go func() { done <- first() }()
	<-s.seen
	go func() {
		err := second()
		early = err == nil && !s.durable.Load()
		done <- err
	}()
	for range 10_000 {
		runtime.Gosched()
	}
	close(s.release)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	return early
}

func TestASecondPushOfTheSameIsNotDoneBeforeTheFirstIsDurable(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"/_manifests/revisions/", "/blobs/"} {
		drv := newSlow(folder)
		st := open(t, drv, nil, store.Options{})
		m := registry.Manifest{Content: []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)}
		push := func() error {
			_, err := st.PutManifest(context.Background(), "app", m)
			return err
		}
		if drv.race(t, push, push) {
			t.Errorf("%s: told that it is stored while it is not", folder)
		}
	}
}

func TestABlobIsMountedFromAnywhereOnlyWhenItIsDurable(t *testing.T) {
	t.Parallel()
	drv := newSlow("/blobs/")
	st := open(t, drv, nil, store.Options{})
	content := []byte("layer")
	d := digest.FromBytes(content)
	up := start(t, st, context.Background())
	write(t, up, content)
	commit := func() error { _, err := up.Commit(context.Background(), d); return err }
	mount := func() error { _, err := st.MountBlob(context.Background(), "", "other", d); return err }
	if drv.race(t, commit, mount) {
		t.Error("mounted what is not durable")
	}
}

func TestAManifestIsNotDoneBeforeWhatItRefersToIsDurable(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"/_layers/", "/_manifests/revisions/"} {
		drv := newSlow(folder)
		drv.durable.Store(true)
		st := open(t, drv, nil, store.Options{})
		child := registry.Manifest{Content: []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)}
		first := func() error {
			_, err := st.PutManifest(context.Background(), "app", child)
			return err
		}
		parent := registrytest.Index(t, registry.Descriptor{MediaType: ocispec.MediaTypeImageIndex, Digest: digest.FromBytes(child.Content), Size: int64(len(child.Content))})
		if folder == "/_layers/" {
			up := start(t, st, context.Background())
			write(t, up, []byte("config"))
			first = func() error {
				_, err := up.Commit(context.Background(), digest.FromString("config"))
				return err
			}
			parent = image("config", 0)
		}
		drv.durable.Store(false)
		second := func() error {
			_, err := st.PutManifest(context.Background(), "app", parent)
			return err
		}
		if drv.race(t, first, second) {
			t.Errorf("%s: told that it is stored while what it needs is not", folder)
		}
	}
}
