package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/index/sqlite"
)

// sizes are how many repositories, or tags in one, a benchmark has: what it
// measures must not grow with them.
var sizes = []int{100, 10_000, 100_000}

func BenchmarkApply(b *testing.B) {
	x := open(b, filepath.Join(b.TempDir(), "index.db"))
	for n := 0; b.Loop(); n++ {
		put(b, x, n, n+1)
	}
}

// repositories makes an index of many repositories with a tag each.
func repositories(b *testing.B, count int) *sqlite.Index {
	b.Helper()
	x := open(b, filepath.Join(b.TempDir(), "index.db"))
	for n := range count {
		if err := x.Apply(b.Context(), pushed(fmt.Sprintf("team/app%06d", n), "v1", n)...); err != nil {
			b.Fatal(err)
		}
	}
	settled(b, x)
	return x
}

func BenchmarkByRepositories(b *testing.B) {
	for _, count := range sizes {
		x := repositories(b, count)
		last := fmt.Sprintf("team/app%06d", count-101)
		b.Run(fmt.Sprintf("first page of names/%d", count), func(b *testing.B) {
			for b.Loop() {
				if page, err := x.RepositoryNames(b.Context(), "", 100); err != nil || len(page) != 100 {
					b.Fatal(len(page), err)
				}
			}
		})
		b.Run(fmt.Sprintf("last page of names/%d", count), func(b *testing.B) {
			for b.Loop() {
				if page, err := x.RepositoryNames(b.Context(), last, 100); err != nil || len(page) != 100 && count > 100 {
					b.Fatal(len(page), err)
				}
			}
		})
		b.Run(fmt.Sprintf("newest rows/%d", count), func(b *testing.B) {
			for b.Loop() {
				if rows, err := x.Repositories(b.Context(), index.Query{Limit: 100}); err != nil || len(rows) != 100 {
					b.Fatal(len(rows), err)
				}
			}
		})
		b.Run(fmt.Sprintf("a push written/%d", count), func(b *testing.B) { oneMore(b, x, count) })
	}
}

// tags makes an index of one repository with many tags.
func tags(b *testing.B, count int) *sqlite.Index {
	b.Helper()
	x := open(b, filepath.Join(b.TempDir(), "index.db"))
	for n := 0; n < count; n += 10_000 { // as fast as it can keep up
		put(b, x, n, min(n+10_000, count))
		settled(b, x)
	}
	return x
}

func BenchmarkByTags(b *testing.B) {
	for _, count := range sizes {
		x := tags(b, count)
		d := pushed("team/app", "", count/2)[3].(index.PutManifest).Manifest.Descriptor.Digest
		b.Run(fmt.Sprintf("page of names/%d", count), func(b *testing.B) {
			for b.Loop() {
				if page, err := x.TagNames(b.Context(), "team/app", "v4", 50); err != nil || len(page) != 50 {
					b.Fatal(len(page), err)
				}
			}
		})
		b.Run(fmt.Sprintf("tags of a manifest/%d", count), func(b *testing.B) {
			for b.Loop() {
				if page, err := x.TagsOf(b.Context(), "team/app", d); err != nil || len(page) != 1 {
					b.Fatal(len(page), err)
				}
			}
		})
		b.Run(fmt.Sprintf("page of manifests/%d", count), func(b *testing.B) {
			for b.Loop() {
				if page, err := x.Manifests(b.Context(), "team/app", d, 20); err != nil || len(page) == 0 {
					b.Fatal(len(page), err)
				}
			}
		})
		b.Run(fmt.Sprintf("a push written/%d", count), func(b *testing.B) { oneMore(b, x, count) })
		b.Run(fmt.Sprintf("a tag dropped and put, written/%d", count), func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				tag := index.PutTag{Repository: "team/app", Tag: fmt.Sprintf("v%d", n%count), Digest: d, At: time.Unix(2e9, int64(n))}
				if err := x.Apply(b.Context(), index.DropTag{Repository: "team/app", Tag: tag.Tag}, tag); err != nil {
					b.Fatal(err)
				}
				if n%1000 == 999 {
					settled(b, x)
				}
			}
		})
	}
}

// oneMore pushes on and on; all is written when the time is taken.
func oneMore(b *testing.B, x index.Index, from int) {
	b.Helper()
	n := 0
	for ; b.Loop(); n++ {
		put(b, x, from+n, from+n+1)
		if n%1000 == 999 {
			settled(b, x)
		}
	}
}

func BenchmarkAThousandReferrers(b *testing.B) {
	x := open(b, filepath.Join(b.TempDir(), "index.db"))
	subject := digest.FromString("subject")
	for n := range 1000 {
		m := pushed("team/app", "", n)[3].(index.PutManifest)
		m.Manifest.Subject, m.Manifest.Descriptor.ArtifactType = subject, "application/vnd.example.signature"
		if err := x.Apply(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
	settled(b, x)
	for b.Loop() {
		if list, err := x.Referrers(b.Context(), "team/app", subject, "", "", 0); err != nil || len(list) != 1000 {
			b.Fatal(len(list), err)
		}
	}
}

// BenchmarkReadWhilePushing reads a list while 5,000 pushes a second come in.
func BenchmarkReadWhilePushing(b *testing.B) {
	x := tags(b, 10_000)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := 10_000; ; n += 50 {
			select {
			case <-stop:
				return
			case <-tick.C:
				put(b, x, n, n+50)
			}
		}
	})
	var slowest time.Duration
	for b.Loop() {
		start := time.Now()
		if page, err := x.TagNames(b.Context(), "team/app", "v4", 50); err != nil || len(page) != 50 {
			b.Fatal(len(page), err)
		}
		slowest = max(slowest, time.Since(start))
	}
	b.ReportMetric(float64(slowest)/float64(time.Millisecond), "slowest-ms")
	close(stop)
	wg.Wait()
}

// BenchmarkOpen opens an index of many tags, reads a page and closes it.
func BenchmarkOpen(b *testing.B) {
	for _, count := range []int{0, 100_000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "index.db")
			x := open(b, path)
			put(b, x, 0, count)
			if err := x.Close(); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				x, err := sqlite.Open(b.Context(), path, sqlite.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := x.RepositoryNames(b.Context(), "", 100); err != nil {
					b.Fatal(err)
				}
				if err := x.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPulled counts pulls of 1,000 tags.
func BenchmarkPulled(b *testing.B) {
	x := tags(b, 1000)
	var digests [1000]registry.Digest
	for n := range digests {
		digests[n] = pushed("team/app", "", n)[3].(index.PutManifest).Manifest.Descriptor.Digest
	}
	start, n := cpu(b), 0
	for ; b.Loop(); n++ {
		pull := index.Pulled{Repository: "team/app", Tag: "v1", Digest: digests[n%1000], At: time.Unix(2e9, 0)}
		if err := x.Apply(b.Context(), pull); err != nil {
			b.Fatal(err)
		}
	}
	settled(b, x)
	b.ReportMetric(float64(cpu(b)-start)/float64(time.Microsecond)/float64(n), "cpu-µs/op")
}
