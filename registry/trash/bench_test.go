package trash_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/driver/filesystem"
	"berth/registry/index/sqlite"
	"berth/registry/registrytest"
	"berth/registry/store"
	"berth/registry/trash"

	"github.com/opencontainers/go-digest"
)

// many gives a registry on files with an index and a trash, and 10,000 tags in
// repo, all of one manifest; next makes an image that differs each time.
func many(b *testing.B) (reg *trash.Registry, next func() registry.Manifest) {
	b.Helper()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	ix, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "index.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	st, err := store.Open(context.Background(), drv, ix, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _, _, _ = st.Close(), ix.Close(), drv.Close() })
	bin := trash.New(drv, time.Hour)
	bin.Pushed = func(ctx context.Context, repo, tag string, d registry.Digest) (time.Time, string) {
		at, by, _ := ix.Pushed(ctx, repo, tag, d)
		return at, by
	}
	reg = trash.Wrap(st, st, bin)
	m := registrytest.Image(b, reg, repo, "many")
	tags := make([]string, 10_000)
	for i := range tags {
		tags[i] = fmt.Sprint("v", i)
	}
	if _, err := reg.PutManifest(b.Context(), repo, m, tags...); err != nil {
		b.Fatal(err)
	}
	<-st.Reconciled()
	n := 0
	return reg, func() registry.Manifest {
		n++
		m := m
		m.Content = fmt.Appendf(nil, `{"annotations":{"n":"%d"},%s`, n, m.Content[1:])
		m.Digest = ""
		return m
	}
}

func BenchmarkDeleteTagOf10000(b *testing.B) {
	reg, _ := many(b)
	for n := 0; b.Loop(); n++ {
		if err := reg.DeleteTag(b.Context(), repo, fmt.Sprint("v", n)); err != nil && n < 10_000 {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeleteManifestOf10000(b *testing.B) {
	reg, next := many(b)
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		d, err := reg.PutManifest(b.Context(), repo, next(), fmt.Sprint("more", n))
		b.StartTimer()
		if err == nil {
			err = reg.DeleteManifest(b.Context(), repo, d.Digest)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPutTagInto10000(b *testing.B) {
	reg, next := many(b)
	for n := 0; b.Loop(); n++ {
		if _, err := reg.PutManifest(b.Context(), repo, next(), fmt.Sprint("more", n)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMoveTagOf10000(b *testing.B) {
	reg, next := many(b)
	for b.Loop() {
		if _, err := reg.PutManifest(b.Context(), repo, next(), "v5000"); err != nil {
			b.Fatal(err)
		}
	}
}

// whole gives a registry with a repository of 10,000 tags, each of a manifest of
// its own.
func whole(b *testing.B) *trash.Registry {
	b.Helper()
	reg, next := many(b)
	var group sync.WaitGroup
	manifests := make(chan registry.Manifest)
	for n := range 16 {
		group.Go(func() {
			i := 0
			for m := range manifests {
				i++
				if _, err := reg.PutManifest(b.Context(), repo, m, fmt.Sprintf("own%d-%d", n, i)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range 10_000 {
		manifests <- next()
	}
	close(manifests)
	group.Wait()
	return reg
}

// BenchmarkDeleteRepositoryOf20000 deletes a repository with 20,000 tags of
// 10,001 manifests, and brings it back.
func BenchmarkDeleteRepositoryOf20000(b *testing.B) {
	reg := whole(b)
	var deleting, restoring time.Duration
	for b.Loop() {
		began := time.Now()
		e, err := reg.DeleteRepository(b.Context(), repo, trash.Deletion{})
		deleting += time.Since(began)
		if err != nil {
			b.Fatal(err)
		}
		began = time.Now()
		back, err := reg.RestoreRepository(b.Context(), e.ID)
		restoring += time.Since(began)
		if err != nil || len(back.Conflicts) > 0 {
			b.Fatal(err, len(back.Conflicts))
		}
	}
	b.ReportMetric(deleting.Seconds()/float64(b.N), "s/delete")
	b.ReportMetric(restoring.Seconds()/float64(b.N), "s/restore")
}

// full gives a driver with 100,000 records in the trash.
func full(b *testing.B) driver.Driver {
	b.Helper()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = drv.Close() })
	now := time.Now().UTC()
	for i := 0; i < 100_000; {
		var puts []driver.Change
		for range 500 {
			id := fmt.Sprintf("0198f2b2-0000-7000-8000-%012d", i)
			e := trash.Entry{
				ID: id, Repository: repo, Tag: "latest", Digest: digest.FromString(id), MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 1200,
				Why: trash.Overwritten, By: "ci", At: now, Until: now.Add(time.Hour), Pushed: now, PushedBy: "ci",
			}
			content, err := json.Marshal(e)
			if err != nil {
				b.Fatal(err)
			}
			puts = append(puts, driver.Put{Key: "berth/trash/" + id + ".json", Content: content})
			i++
		}
		if err := driver.Apply(b.Context(), drv, puts...); err != nil {
			b.Fatal(err)
		}
	}
	return drv
}

// BenchmarkFirstLookAt100000 reads the records once; bytes/entry is what they
// take in memory.
func BenchmarkFirstLookAt100000(b *testing.B) {
	drv := full(b)
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		bin := trash.New(drv, time.Hour)
		if n, err := bin.Len(b.Context()); n != 100_000 || err != nil {
			b.Fatal(n, err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(bin)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/100_000, "bytes/entry")
}

// BenchmarkEntriesOf100000 lists them again.
func BenchmarkEntriesOf100000(b *testing.B) {
	bin := trash.New(full(b), time.Hour)
	if _, err := bin.Len(b.Context()); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if all, err := bin.Entries(b.Context()); len(all) != 100_000 || err != nil {
			b.Fatal(len(all), err)
		}
	}
}
