package trash_test

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// BenchmarkDrop10000 deletes 10,000 tags, 64 beside each other.
func BenchmarkDrop10000(b *testing.B) {
	reg, _ := many(b)
	began := time.Now()
	for b.Loop() {
		work := make(chan string)
		var group sync.WaitGroup
		for range 64 {
			group.Go(func() {
				for tag := range work {
					if err := reg.DeleteTag(b.Context(), repo, tag); err != nil {
						b.Error(err)
					}
				}
			})
		}
		began = time.Now()
		for n := range 10_000 {
			work <- fmt.Sprint("v", n)
		}
		close(work)
		group.Wait()
	}
	b.ReportMetric(time.Since(began).Seconds(), "s/10000")
}
