package verify_test

import (
	"fmt"
	"testing"

	"berth/registry/driver/memory"
	"berth/registry/registrytest"
	"berth/registry/verify"
)

// BenchmarkHashing is how fast bytes are read again without a limit.
func BenchmarkHashing(b *testing.B) {
	g := onFiles(b)
	const size = 64 << 20
	registrytest.PushBlob(b, g, "app", registrytest.Bytes(1, size))
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		if _, s := run(b, g, quick); s.Bytes != size {
			b.Fatal(s)
		}
	}
}

// BenchmarkLinks is what a run costs by images, whose layers are small.
func BenchmarkLinks(b *testing.B) {
	for _, images := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d images", images), func(b *testing.B) {
			st := openOn(b, memory.New())
			for i := range images {
				registrytest.PushImage(b, st, fmt.Sprintf("app%d", i%10), fmt.Sprint("v", i))
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, s := run(b, st, verify.Options{Rate: -1}); s.Repositories != 10 {
					b.Fatal(s)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*images), "µs/image")
		})
	}
}
