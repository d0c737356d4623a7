package registrytest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
)

const workers = 8

// together runs f at the same time for 0…workers-1. f reports with t.Error.
func together(f func(i int)) {
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func concurrentPushes(t *testing.T, reg registry.Registry) {
	// Blobs first, by one goroutine: Image fails the test, which only the
	// test's own goroutine may do.
	var images [workers]registry.Manifest
	for i := range images {
		images[i] = Image(t, reg, "shared", fmt.Sprint("image ", i))
	}
	together(func(i int) {
		content := Bytes(uint64(i), 50_000)
		if _, err := push(t, reg, "shared", content, digest.FromBytes(content)); err != nil {
			t.Errorf("push blob %d: %v", i, err)
		}
		if _, err := reg.PutManifest(t.Context(), "shared", images[i], fmt.Sprint("v", i)); err != nil {
			t.Errorf("push manifest %d: %v", i, err)
		}
	})
	for i, m := range images {
		checkTag(t, reg, "shared", fmt.Sprint("v", i), m)
		content := Bytes(uint64(i), 50_000)
		if !bytes.Equal(readBlob(t, reg, "shared", digest.FromBytes(content)), content) {
			t.Errorf("blob %d is another", i)
		}
	}
}

func concurrentSameBlob(t *testing.T, reg registry.Registry) {
	content := Bytes(9, 100_000)
	d := digest.FromBytes(content)
	together(func(i int) {
		if _, err := push(t, reg, fmt.Sprint("repo", i%2), content, d); err != nil {
			t.Errorf("push %d: %v", i, err)
		}
	})
	for _, repo := range []string{"repo0", "repo1"} {
		if !bytes.Equal(readBlob(t, reg, repo, d), content) {
			t.Errorf("%s has other content", repo)
		}
	}
}

func concurrentSameTag(t *testing.T, reg registry.Registry) {
	var images [workers]registry.Manifest
	for i := range images {
		images[i] = Image(t, reg, "a", fmt.Sprint("image ", i))
	}
	together(func(i int) {
		if _, err := reg.PutManifest(t.Context(), "a", images[i], "latest"); err != nil {
			t.Errorf("push %d: %v", i, err)
		}
		if _, err := reg.ResolveTag(t.Context(), "a", "latest"); err != nil {
			t.Errorf("resolve %d: %v", i, err)
		}
	})
	desc, err := reg.ResolveTag(t.Context(), "a", "latest")
	must(t, "resolve", err)
	for _, m := range images {
		if m.Digest == desc.Digest {
			checkManifest(t, reg, "a", m)
			return
		}
	}
	t.Errorf("the tag names %s, which nobody pushed", desc.Digest)
}
