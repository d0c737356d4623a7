package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver/filesystem"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// shared is a store on a folder that another program uses too.
type shared struct {
	*testing.T
	*store.Store
	dir string
}

func share(t *testing.T) *shared {
	t.Helper()
	dir := t.TempDir()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: dir})
	if err != nil {
		t.Fatal(err)
	}
	st := open(t, drv, openIndex(t), store.Options{})
	<-st.Reconciled()
	return &shared{t, st, filepath.Join(dir, "docker", "registry", "v2")}
}

// age makes everything old, so that what is read now is believed.
func (s *shared) age() {
	s.Helper()
	then := time.Now().Add(-time.Hour).Add(12345)
	err := filepath.WalkDir(s.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, then, then)
	})
	if err != nil {
		s.Fatal(err)
	}
}

func (s *shared) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir, "repositories"}, parts...)...)
}

func (s *shared) link(tag string) string { return s.path("app/_manifests/tags", tag, "current/link") }

func (s *shared) blob(d registry.Digest) string {
	return filepath.Join(s.dir, "blobs", d.Algorithm().String(), d.Encoded()[:2], d.Encoded(), "data")
}

// replace puts a file in the place of another, as a program does that does not
// want others to see half of it.
func (s *shared) replace(path, content string, at time.Time) {
	s.Helper()
	s.must(os.MkdirAll(filepath.Dir(path), 0o777))
	s.must(os.WriteFile(path+"~", []byte(content), 0o666))
	if !at.IsZero() {
		s.must(os.Chtimes(path+"~", at, at))
	}
	s.must(os.Rename(path+"~", path))
}

func (s *shared) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *shared) modified(path string) time.Time {
	s.Helper()
	info, err := os.Stat(path)
	s.must(err)
	return info.ModTime()
}

// names is what a tag names; empty when it is unknown.
func (s *shared) names(tag string) registry.Digest {
	s.Helper()
	ctx := registry.WithTag(s.Context(), tag)
	desc, err := s.ResolveTag(ctx, "app", tag)
	if errors.Is(err, registry.ErrManifestUnknown) {
		return ""
	}
	s.must(err)
	m, err := s.Manifest(ctx, "app", desc.Digest)
	s.must(err)
	if m.Digest.Algorithm().FromBytes(m.Content) != desc.Digest {
		s.Errorf("%s is not its content", m.Digest)
	}
	return desc.Digest
}

// open gives the content of a blob; empty when it is unknown.
func (s *shared) content(d registry.Digest) string {
	s.Helper()
	b, err := s.OpenBlob(s.Context(), "app", d)
	if errors.Is(err, registry.ErrBlobUnknown) {
		return ""
	}
	s.must(err)
	defer b.Close()
	content, err := io.ReadAll(b)
	s.must(err)
	if b.Descriptor().Digest != d || b.Descriptor().Size != int64(len(content)) {
		s.Errorf("%d bytes are described as %+v", len(content), b.Descriptor())
	}
	return string(content)
}

func TestATagThatAnotherProgramMovesIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(s *shared, to string){
		"replaced": func(s *shared, to string) { s.replace(s.link("v1"), to, time.Time{}) },
		"replaced, with the time of the file before": func(s *shared, to string) {
			s.replace(s.link("v1"), to, s.modified(s.link("v1")))
		},
		"written in place": func(s *shared, to string) { s.must(os.WriteFile(s.link("v1"), []byte(to), 0o666)) },
		"with a newline, and the time before": func(s *shared, to string) {
			was := s.modified(s.link("v1"))
			s.must(os.WriteFile(s.link("v1"), []byte(to+"\n"), 0o666))
			s.must(os.Chtimes(s.link("v1"), was, was))
		},
		"removed and written again": func(s *shared, to string) {
			s.must(os.RemoveAll(s.path("app/_manifests/tags/v1")))
			if got := s.names("v1"); got != "" {
				s.Errorf("removed, v1 names %s", got)
			}
			s.replace(s.link("v1"), to, time.Time{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := share(t)
			one, two := registrytest.PushImage(t, s, "app", "v1"), registrytest.PushImage(t, s, "app", "v2")
			s.age()
			for range 2 {
				if got := s.names("v1"); got != one.Digest {
					t.Fatalf("before: %s", got)
				}
			}
			move(s, two.Digest.String())
			if got := s.names("v1"); got != two.Digest {
				t.Errorf("afterwards it names %q", got)
			}
		})
	}
}

func TestWhatWasWrittenJustNowIsNotBelievedYet(t *testing.T) {
	t.Parallel()
	s := share(t)
	one, two := registrytest.PushImage(t, s, "app", "v1"), registrytest.PushImage(t, s, "app", "v2")
	// A file in which neither number, time nor size tells one link from the
	// next: what a file system with a coarse clock and no numbers shows.
	now := time.Now()
	for i := range 50 {
		want := []registry.Digest{one.Digest, two.Digest}[i%2]
		s.must(os.WriteFile(s.link("v1"), []byte(want), 0o666))
		s.must(os.Chtimes(s.link("v1"), now, now))
		if got := s.names("v1"); got != want && time.Since(now) < 40*time.Millisecond {
			t.Fatalf("turn %d: %s", i, got)
		}
	}
}

func TestAManifestThatAnotherProgramDeletesIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	s := share(t)
	m := registrytest.PushImage(t, s, "app", "v1")
	s.age()
	if s.names("v1") != m.Digest {
		t.Fatal("not there")
	}
	ctx := registry.WithTag(t.Context(), "v1")
	_, err := s.ResolveTag(ctx, "app", "v1")
	s.must(err)
	s.must(os.Remove(s.path("app/_manifests/revisions", m.Digest.Algorithm().String(), m.Digest.Encoded(), "link")))
	if got := s.names("v1"); got != "" {
		t.Errorf("the tag names %s", got)
	}
	if _, err := s.Manifest(t.Context(), "app", m.Digest); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("by digest: %v", err)
	}
	if _, err := s.StatManifest(t.Context(), "app", m.Digest); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("described: %v", err)
	}
	// One request that has seen it may still have it, once.
	if _, err := s.Manifest(ctx, "app", m.Digest); err != nil {
		t.Errorf("in the middle of a request: %v", err)
	}
	if _, err := s.Manifest(ctx, "app", m.Digest); !errors.Is(err, registry.ErrManifestUnknown) {
		t.Errorf("the same context again: %v", err)
	}
}

func TestABlobThatAnotherProgramRemovesIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	for _, size := range []int{100, 1 << 20} {
		s := share(t)
		content := registrytest.Bytes(uint64(size), size)
		d := registrytest.PushBlob(t, s, "app", content).Digest
		s.age()
		for range 3 {
			if s.content(d) != string(content) {
				t.Fatal("not there")
			}
		}
		s.must(os.Remove(s.blob(d)))
		if got := s.content(d); got != "" {
			t.Errorf("%d bytes of a blob that is gone", len(got))
		}
		if _, err := s.StatBlob(t.Context(), "app", d); !errors.Is(err, registry.ErrBlobUnknown) {
			t.Errorf("asked for: %v", err)
		}
		registrytest.PushBlob(t, s, "app", content)
		if s.content(d) != string(content) {
			t.Error("not there again")
		}
	}
}

func TestASmallBlobIsWhatTheDiskHas(t *testing.T) {
	t.Parallel()
	s := share(t)
	d := registrytest.PushBlob(t, s, "app", []byte("hello")).Digest
	s.age()
	if s.content(d) != "hello" {
		t.Fatal("not there")
	}
	for _, other := range []string{"jello", "hello, world", "h"} {
		s.must(os.WriteFile(s.blob(d), []byte(other), 0o666))
		s.age()
		for range 2 {
			if got := s.content(d); got != other {
				t.Errorf("the disk has %q, read %q", other, got)
			}
		}
	}
	s.must(os.Truncate(s.blob(d), 0))
	if got := s.content(d); got != "" {
		t.Errorf("read %q of a file that lost its content", got)
	}
	registrytest.PushBlob(t, s, "app", []byte("hello"))
	if got := s.content(d); got != "hello" {
		t.Errorf("pushed again, read %q", got)
	}
}

// TestReadersNeverSeeATagGoBack has one writer that moves a tag forth, and
// readers for whom it must never be what it was before.
func TestReadersNeverSeeATagGoBack(t *testing.T) {
	t.Parallel()
	s := share(t)
	order := map[registry.Digest]int{}
	var images []registry.Manifest
	for i := range 20 {
		m := registrytest.Image(t, s, "app", fmt.Sprint(i))
		images = append(images, m)
		order[m.Digest] = i
	}
	put := func(i int) {
		if _, err := s.PutManifest(t.Context(), "app", images[i], "latest"); err != nil {
			t.Error(err)
		}
	}
	put(0)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for last := 0; ctx.Err() == nil; {
				desc, err := s.ResolveTag(t.Context(), "app", "latest")
				if err != nil || order[desc.Digest] < last {
					t.Errorf("%d after %d, %v", order[desc.Digest], last, err)
					return
				}
				last = order[desc.Digest]
			}
		})
	}
	for i := 1; i < 20; i++ {
		put(i)
		if rand.N(4) == 0 {
			s.must(os.Chtimes(s.link("latest"), time.Now(), time.Now().Add(-time.Hour)))
		}
		if desc, err := s.ResolveTag(t.Context(), "app", "latest"); err != nil || order[desc.Digest] != i {
			t.Errorf("after %d was put: %d, %v", i, order[desc.Digest], err)
		}
	}
	stop()
	wg.Wait()
}
