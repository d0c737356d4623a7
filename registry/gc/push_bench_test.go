package gc_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"berth/registry/gc"
	"berth/registry/registrytest"
	"berth/registry/store"
)

// BenchmarkPushWhileCleaning tells how long pushes from four sides take while
// 2,000 blobs are freed, and while the clean-up stands still: it goes on and
// halts by turns, so that both meet the same disk.
func BenchmarkPushWhileCleaning(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b, onDisk(b, &vast{images: 200, garbage: 1}), store.Options{Grace: -1})
		p := w.plan(gc.Options{Grace: time.Nanosecond, Untagged: true})
		b.StartTimer()
		t := &turns{}
		ctx, cancel := context.WithCancel(b.Context())
		var wg sync.WaitGroup
		for id := range 4 {
			wg.Go(func() { t.push(ctx, w, id) })
		}
		halt := time.Now().Add(turn)
		r, err := p.Execute(b.Context(), func(gc.Progress) {
			if time.Now().After(halt) {
				t.phase.Add(1)
				<-time.After(turn)
				t.phase.Add(1)
				halt = time.Now().Add(turn)
			}
		})
		cancel()
		wg.Wait()
		if err != nil || r.Freed.Blobs != 2000 {
			b.Fatalf("%+v, %v", r, err)
		}
		b.ReportMetric(float64(p99(t.took[1]).Microseconds()), "idle-p99-µs")
		b.ReportMetric(float64(p99(t.took[0]).Microseconds()), "cleaning-p99-µs")
		b.ReportMetric(float64(middle(t.took[1]).Microseconds()), "idle-p50-µs")
		b.ReportMetric(float64(middle(t.took[0]).Microseconds()), "cleaning-p50-µs")
		b.ReportMetric(float64(len(t.took[1])), "idle-pushes")
		b.ReportMetric(float64(len(t.took[0])), "cleaning-pushes")
	}
}

const turn = 500 * time.Millisecond

// turns notes how long pushes took, of those that began and ended in one phase.
type turns struct {
	phase atomic.Int64 // even: cleaning
	mu    sync.Mutex
	took  [2][]time.Duration // guarded by mu
}

func (t *turns) push(ctx context.Context, w *world, id int) {
	for n := 0; ctx.Err() == nil; n++ {
		phase, began := t.phase.Load(), time.Now()
		m := registrytest.Image(w.t, w.reg, repo, fmt.Sprintf("%d-%d", id, n))
		if _, err := w.reg.PutManifest(context.Background(), repo, m, fmt.Sprint("v", id)); err != nil {
			w.t.Error(err)
		}
		took := time.Since(began)
		t.mu.Lock()
		if t.phase.Load() == phase {
			t.took[phase%2] = append(t.took[phase%2], took)
		}
		t.mu.Unlock()
	}
}

func p99(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)*99/100]
}

func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
