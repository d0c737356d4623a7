package filesystem

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"berth/registry/driver"
)

// manifestPush is what the store writes for one manifest and its tag.
func manifestPush(n int64) []driver.Change {
	const repo = "docker/registry/v2/repositories/team/app/_manifests/"
	hex := fmt.Sprintf("%064x", uint64(n)*0x9e3779b97f4a7c15)
	link := []byte("sha256:" + hex)
	return []driver.Change{
		driver.Put{Key: "docker/registry/v2/blobs/sha256/" + hex[62:] + "/" + hex + "/data", Content: []byte(strings.Repeat("m", 1024))},
		driver.Put{Key: repo + "revisions/sha256/" + hex + "/link", Content: link},
		driver.Put{Key: fmt.Sprintf("%stags/v%d/index/sha256/%s/link", repo, n%100, hex), Content: link},
		driver.Put{Key: fmt.Sprintf("%stags/v%d/current/link", repo, n%100), Content: link},
	}
}

// side runs do in 16 goroutines whatever the number of cores.
func side(b *testing.B, do func(n int64) error) {
	b.Helper()
	var count atomic.Int64
	b.SetParallelism(8)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := do(count.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkApplyManifest(b *testing.B) {
	d := open(b)
	b.ResetTimer()
	side(b, func(n int64) error { return d.Apply(b.Context(), manifestPush(n)...) })
}

func BenchmarkPutLink(b *testing.B) {
	d := open(b)
	link := []byte("sha256:" + strings.Repeat("a", 64))
	b.ResetTimer()
	side(b, func(n int64) error {
		return d.Put(b.Context(), fmt.Sprintf("tags/v%d/current/link", n%200), link)
	})
}

func BenchmarkPutLinkOfANewKey(b *testing.B) {
	d := open(b)
	link := []byte("sha256:" + strings.Repeat("a", 64))
	b.ResetTimer()
	side(b, func(n int64) error { return d.Put(b.Context(), fmt.Sprintf("layers/%064x/link", n), link) })
}

func BenchmarkDeleteTag(b *testing.B) {
	d := open(b)
	link := []byte("sha256:" + strings.Repeat("a", 64))
	for n := range b.N {
		if err := d.Put(b.Context(), fmt.Sprintf("tags/v%d/current/link", n+1), link); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	side(b, func(n int64) error { return d.Delete(b.Context(), fmt.Sprintf("tags/v%d", n)) })
}
