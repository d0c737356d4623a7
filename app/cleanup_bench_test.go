package app

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"iter"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"berth/app/job"
	"berth/registry"
	"berth/registry/verify"
)

// heap is a store of any size that takes no room: blobs that no manifest uses,
// a hundred in each repository. What it lists it makes up.
type heap struct {
	verify.Store
	blobs int
	swept atomic.Int64
}

const (
	heapRepo = 100
	heapSize = 1000
)

func (h *heap) digest(i int) registry.Digest {
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i))) //nolint:gosec // a number
	return registry.Digest("sha256:" + hex.EncodeToString(sum[:]))
}

func (h *heap) AllRepositories(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i := range h.blobs / heapRepo {
			if !yield(fmt.Sprintf("team/app-%06d", i), nil) {
				return
			}
		}
	}
}

func (h *heap) Contents(_ context.Context, repo string) iter.Seq2[registry.Link, error] {
	long := time.Now().Add(-24 * time.Hour)
	return func(yield func(registry.Link, error) bool) {
		var n int
		if _, err := fmt.Sscanf(repo, "team/app-%06d", &n); err != nil {
			yield(registry.Link{}, err)
			return
		}
		for i := range heapRepo {
			d := h.digest(n*heapRepo + i)
			if !yield(registry.Link{Kind: registry.BlobLink, Digest: d, Target: d, Linked: long}, nil) {
				return
			}
		}
	}
}

func (h *heap) Stored(context.Context) iter.Seq2[registry.Stored, error] {
	long := time.Now().Add(-24 * time.Hour)
	return func(yield func(registry.Stored, error) bool) {
		for i := range h.blobs {
			if !yield(registry.Stored{Digest: h.digest(i), Size: heapSize, Modified: long}, nil) {
				return
			}
		}
	}
}

func (h *heap) Census(context.Context) (registry.Census, error) { return &heapCensus{h: h}, nil }

func (h *heap) Strays(context.Context) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

func (h *heap) Trim(context.Context, string) error { return nil }

// heapCensus keeps every tenth blob: it was promised.
type heapCensus struct {
	registry.Census
	h *heap
}

func (c *heapCensus) Lost() bool                    { return false }
func (c *heapCensus) Close() error                  { return nil }
func (c *heapCensus) Promised(registry.Digest) bool { return false }

func (c *heapCensus) Pushed() iter.Seq2[string, registry.Digest] {
	return func(func(string, registry.Digest) bool) {}
}

func (c *heapCensus) Unlink(_ context.Context, _ string, _ time.Time, groups ...[]registry.Link) ([]registry.Why, error) {
	return make([]registry.Why, len(groups)), nil
}

func (c *heapCensus) Sweep(_ context.Context, _ time.Time, blobs ...registry.Digest) ([]registry.Swept, error) {
	out := make([]registry.Swept, len(blobs))
	for i := range out {
		if c.h.swept.Add(1)%10 == 0 {
			out[i].Kept = registry.Promised
		} else {
			out[i].Freed = heapSize
		}
	}
	return out, nil
}

// peak samples the memory that the process has from the system and uses.
func peak(do func()) (megabytes float64) {
	debug.FreeOSMemory()
	used := func() uint64 {
		samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(samples)
		return samples[0].Value.Uint64() - samples[1].Value.Uint64()
	}
	most, stop := used(), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				most = max(most, used())
			}
		}
	})
	do()
	close(stop)
	wg.Wait()
	return float64(most) / (1 << 20)
}

// BenchmarkCleanUpAllGarbage shows a plan and carries it out, where all that is
// stored is garbage: the most memory that a clean-up can take, with everything
// that the process has beside.
func BenchmarkCleanUpAllGarbage(b *testing.B) {
	for _, blobs := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("blobs=", blobs), func(b *testing.B) {
			c := openLoose(b, 0)
			c.disk = &heap{Store: c.disk, blobs: blobs}
			var most float64
			for b.Loop() {
				most = max(most, peak(func() {
					plan, err := c.PlanCleanup(b.Context(), PlanCleanupRequest{})
					if err != nil || plan.Blobs != blobs || len(plan.Items) != min(blobs, maxItems) {
						b.Fatal(plan.Blobs, err)
					}
					p, err := c.cleaner.take(plan.ID)
					if err != nil {
						b.Fatal(err)
					}
					w := &cleanup{c: c, plan: p}
					if err := w.clean(b.Context(), func(job.Progress) {}); err != nil || w.receipt.Blobs != blobs-blobs/10 {
						b.Fatalf("receipt %+v, %v", w.receipt, err)
					}
				}))
			}
			b.ReportMetric(most, "peak-MB")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(blobs), "ns/blob")
		})
	}
}
