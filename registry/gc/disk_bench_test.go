package gc_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"berth/registry/driver/filesystem"
	"berth/registry/gc"
	"berth/registry/store"
)

// onDisk fills a folder past the driver, with files of yesterday.
func onDisk(b *testing.B, v *vast) *filesystem.Driver {
	b.Helper()
	dir, yesterday := b.TempDir(), time.Now().Add(-24*time.Hour)
	fill(b, v, func(key string, content []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		return errors.Join(os.WriteFile(path, content, 0o666), os.Chtimes(path, yesterday, yesterday))
	})
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = drv.Close() })
	return drv
}

// BenchmarkPlanOnDisk marks folders, of which a fifth is garbage.
func BenchmarkPlanOnDisk(b *testing.B) {
	for _, blobs := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint("blobs=", blobs), func(b *testing.B) {
			w := newWorld(b, onDisk(b, &vast{images: blobs / (layers + 1), garbage: 5}), store.Options{Grace: -1})
			var most float64
			for b.Loop() {
				var p *gc.Plan
				most = max(most, peak(func() { p = w.plan(all) }))
				if p.Garbage.Blobs != blobs/5 {
					b.Fatalf("%+v", p.Garbage)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(blobs), "ns/blob")
			b.ReportMetric(most, "peak-MB")
		})
	}
}

// BenchmarkExecuteOnDisk frees the fifth of a folder that is garbage, while
// nobody pushes: two folders and two files for each blob.
func BenchmarkExecuteOnDisk(b *testing.B) {
	for _, blobs := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint("blobs=", blobs), func(b *testing.B) {
			var most float64
			for b.Loop() {
				b.StopTimer()
				w := newWorld(b, onDisk(b, &vast{images: blobs / (layers + 1), garbage: 5}), store.Options{Grace: -1})
				p := w.plan(all)
				b.StartTimer()
				var r gc.Receipt
				most = max(most, peak(func() { r = w.execute(p) }))
				if r.Freed != p.Garbage || r.Freed.Blobs != blobs/5 {
					b.Fatalf("freed %+v, planned %+v", r.Freed, p.Garbage)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(blobs/5), "µs/garbage-blob")
			b.ReportMetric(most, "peak-MB")
		})
	}
}
