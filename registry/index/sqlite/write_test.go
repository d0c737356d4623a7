package sqlite_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"berth/registry/index"
)

// BenchmarkWriteAPush measures all that a push costs, with what is written
// behind it: a manifest of its own with a tag of its own, on blobs that are there.
func BenchmarkWriteAPush(b *testing.B) {
	for _, before := range []int{0, 10_000, 100_000} {
		b.Run(fmt.Sprintf("behind %d", before), func(b *testing.B) {
			x := open(b, filepath.Join(b.TempDir(), "index.db"))
			put(b, x, 0, before)
			settled(b, x)
			start, n := cpu(b), 0
			for ; b.Loop(); n++ {
				put(b, x, before+n, before+n+1)
			}
			settled(b, x)
			b.ReportMetric(float64(cpu(b)-start)/float64(time.Microsecond)/float64(n), "cpu-µs/op")
		})
	}
}

// put pushes manifests with tags of their own, config and layer shared.
func put(b *testing.B, x index.Index, from, to int) {
	b.Helper()
	shared := pushed("team/app", "", 0)[3].(index.PutManifest)
	for n := from; n < to; n++ {
		changes := pushed("team/app", fmt.Sprintf("v%d", n), n)
		m := changes[3].(index.PutManifest)
		m.Manifest.Blobs = shared.Manifest.Blobs
		if err := x.Apply(b.Context(), m, changes[4]); err != nil {
			b.Fatal(err)
		}
	}
}

func settled(b *testing.B, x index.Index) {
	b.Helper()
	if _, err := x.Usage(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkFiveThousandPushesASecond measures the same at a pace, when batches
// are what gathers meanwhile.
func BenchmarkFiveThousandPushesASecond(b *testing.B) {
	x := tags(b, 20_000)
	start, n := cpu(b), 20_000
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for b.Loop() {
		<-tick.C
		put(b, x, n, n+50)
		n += 50
	}
	settled(b, x)
	b.ReportMetric(float64(cpu(b)-start)/float64(time.Microsecond)/float64(n-20_000), "cpu-µs/push")
}
