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

// BenchmarkPushWhileCleaning tells how long pushes from four sides and pulls
// from two take while a clean-up runs, and while it stands still: it goes on and
// halts by turns, so that both meet the same disk in the same minute. A push is
// an image of two small blobs, a pull is a manifest by its tag with its blobs.
//
// How to read it: push-ratio and pull-ratio are the 99th percentile while the
// clean-up runs, divided by the one while it stands still; at most 1.5 is what
// was promised. On a busy machine look at several runs, as with
//
//	go test -run '^$' -bench PushWhileCleaning -benchtime 1x -count 10 ./registry/gc
//
// garbage/s is how quick the clean-up was beside them: links and blobs.
func BenchmarkPushWhileCleaning(b *testing.B) {
	t := &turns{}
	var removed, cleaned float64
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b, onDisk(b, &vast{images: 600, garbage: 1}), store.Options{Grace: -1})
		kept := t.pullable(w)
		p := w.plan(gc.Options{Grace: time.Nanosecond, Untagged: true})
		b.StartTimer()
		ctx, cancel := context.WithCancel(b.Context())
		var wg sync.WaitGroup
		for id := range 4 {
			wg.Go(func() { t.work(ctx, 0, func(n int) { t.push(w, fmt.Sprintf("%d-%d", id, n)) }) })
		}
		for id := range 2 {
			wg.Go(func() { t.work(ctx, 2, func(n int) { t.pull(w, kept[(n+id)%len(kept)]) }) })
		}
		halted := time.Duration(0)
		halt, began := time.Now().Add(turn), time.Now()
		r, err := p.Execute(b.Context(), func(gc.Progress) {
			if now := time.Now(); now.After(halt) {
				t.phase.Add(1)
				<-time.After(now.Sub(halt) + turn)
				t.phase.Add(1)
				halt = time.Now().Add(turn)
				halted += time.Since(now)
			}
		})
		cleaned += (time.Since(began) - halted).Seconds()
		removed += float64(r.Manifests + r.Links + r.Freed.Blobs)
		cancel()
		wg.Wait()
		if err != nil || r.Freed.Blobs != 6000 {
			b.Fatalf("%+v, %v", r, err)
		}
	}
	t.report(b)
	b.ReportMetric(removed/cleaned, "garbage/s")
}

const turn = 500 * time.Millisecond

// turns notes how long pushes and pulls took, of those that began and ended in
// one phase.
type turns struct {
	phase atomic.Int64 // even: cleaning
	mu    sync.Mutex
	// took by pushes while cleaning, pushes while idle, and the same of pulls;
	// guarded by mu
	took [4][]time.Duration
}

func (t *turns) work(ctx context.Context, kind int64, do func(n int)) {
	for n := 0; ctx.Err() == nil; n++ {
		phase, began := t.phase.Load(), time.Now()
		do(n)
		took := time.Since(began)
		t.mu.Lock()
		if t.phase.Load() == phase {
			t.took[kind+phase%2] = append(t.took[kind+phase%2], took)
		}
		t.mu.Unlock()
		if kind > 0 {
			<-time.After(time.Millisecond) // pulls without end would be all there is
		}
	}
}

func (t *turns) push(w *world, seed string) {
	m := registrytest.Image(w.t, w.reg, repo, seed)
	if _, err := w.reg.PutManifest(context.Background(), repo, m, "v"+seed[:1]); err != nil {
		w.t.Error(err)
	}
}

// pullable pushes what is pulled.
func (t *turns) pullable(w *world) (tags []string) {
	for n := range 20 {
		tag := fmt.Sprint("kept-", n)
		w.put(w.image(tag), tag)
		tags = append(tags, tag)
	}
	return tags
}

func (t *turns) pull(w *world, tag string) {
	ctx := context.Background()
	d, err := w.reg.ResolveTag(ctx, repo, tag)
	if err == nil {
		_, err = w.reg.Manifest(ctx, repo, d.Digest)
	}
	if err == nil {
		err = whole(w.reg, repo, d.Digest)
	}
	if err != nil {
		w.t.Error(err)
	}
}

func (t *turns) report(b *testing.B) {
	for kind, name := range []string{0: "push", 2: "pull"} {
		if name == "" {
			continue
		}
		cleaning, idle := t.took[kind], t.took[kind+1]
		slices.Sort(cleaning)
		slices.Sort(idle)
		for _, p := range []int{50, 99} {
			b.ReportMetric(at(idle, p), fmt.Sprintf("%s-idle-p%d-µs", name, p))
			b.ReportMetric(at(cleaning, p), fmt.Sprintf("%s-cleaning-p%d-µs", name, p))
		}
		b.ReportMetric(at(cleaning, 99)/at(idle, 99), name+"-ratio")
	}
	b.ReportMetric(float64(min(len(t.took[0]), len(t.took[1]))), "pushes")
}

// at gives a percentile in microseconds.
func at(sorted []time.Duration, percent int) float64 {
	return float64(sorted[len(sorted)*percent/100].Nanoseconds()) / 1000
}
