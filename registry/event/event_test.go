package event_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry/event"
)

func repositories(events iter.Seq[event.Event], n int) (out []string) {
	for e := range events {
		if e.Kind == event.Lagged {
			out = append(out, "lagged")
		} else {
			out = append(out, e.Repository)
		}
		if len(out) == n {
			break
		}
	}
	return out
}

func publish(b *event.Bus, from, to int) {
	for i := from; i < to; i++ {
		b.Publish(event.Event{Kind: event.Push, Repository: fmt.Sprint(i)})
	}
}

func TestEverySubscriberGetsEveryEventInOrder(t *testing.T) {
	t.Parallel()
	b := event.NewBus()
	one, two := b.Subscribe(t.Context(), 8), b.Subscribe(t.Context(), 8)
	publish(b, 0, 3)
	for _, events := range []iter.Seq[event.Event]{one, two} {
		if got := repositories(events, 3); fmt.Sprint(got) != "[0 1 2]" {
			t.Errorf("got %v", got)
		}
	}
}

func TestNothingIsMissedBetweenSubscribeAndTheFirstRead(t *testing.T) {
	t.Parallel()
	b := event.NewBus()
	publish(b, 0, 1)
	events := b.Subscribe(t.Context(), 8)
	publish(b, 1, 2)
	if got := repositories(events, 1); fmt.Sprint(got) != "[1]" {
		t.Errorf("got %v", got)
	}
}

func TestASlowReaderIsToldWhetherItMissedPulls(t *testing.T) {
	t.Parallel()
	b := event.NewBus()
	events := b.Subscribe(t.Context(), 1)
	for _, missed := range []bool{false, true, false} {
		publish(b, 0, 3)
		b.Publish(event.Event{Kind: event.Pull}) // of a blob
		if missed {
			b.Publish(event.Event{Kind: event.Pull, Manifest: true})
		}
		for e := range events {
			if e.Kind != event.Lagged {
				continue
			}
			if e.Manifest != missed {
				t.Errorf("pulls were missed: %v, and it says %v", missed, e.Manifest)
			}
			break
		}
		events = b.Subscribe(t.Context(), 1)
	}
}

func TestASlowReaderIsToldOnceAndNobodyWaitsForIt(t *testing.T) {
	t.Parallel()
	b := event.NewBus()
	slow := b.Subscribe(t.Context(), 2)
	publish(b, 0, 100) // returns although nobody reads
	next, stop := iter.Pull(slow)
	defer stop()
	var got []string
	for range 3 {
		e, _ := next()
		got = append(got, string(e.Kind)+e.Repository)
	}
	if fmt.Sprint(got) != "[push0 push1 lagged]" {
		t.Errorf("got %v", got)
	}
	publish(b, 100, 101)
	if e, _ := next(); e.Repository != "100" {
		t.Errorf("afterwards %+v", e)
	}
}

func TestASubscriptionEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := event.NewBus()
		ctx, cancel := context.WithCancel(context.Background())
		events := b.Subscribe(ctx, 8)
		var wg sync.WaitGroup
		n := 0
		wg.Go(func() {
			for range events {
				n++
			}
		})
		publish(b, 0, 2)
		synctest.Wait()
		cancel()
		wg.Wait()
		publish(b, 2, 3)
		if n != 2 {
			t.Errorf("%d events", n)
		}
	})
}

func TestASubscriptionThatIsNeverReadGoesWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := event.NewBus()
		ctx, cancel := context.WithCancel(context.Background())
		events := b.Subscribe(ctx, 8)
		cancel()
		synctest.Wait()
		publish(b, 0, 1)
		for e := range events {
			t.Errorf("got %+v", e)
		}
	})
}

func TestManyPublishersAndReadersAtOnce(t *testing.T) {
	t.Parallel()
	b := event.NewBus()
	var readers, writers sync.WaitGroup
	for range 4 {
		events := b.Subscribe(t.Context(), 1000)
		readers.Go(func() {
			if got := repositories(events, 400); len(got) != 400 {
				t.Errorf("got %d", len(got))
			}
		})
	}
	for i := range 4 {
		writers.Go(func() { publish(b, 100*i, 100*(i+1)) })
	}
	writers.Wait()
	readers.Wait()
}

func TestAReaderThatIsWokenTooOftenGetsManyAtOnceAndMissesNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := event.NewBus()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		events := b.Subscribe(ctx, 64)
		var got []string
		var wg sync.WaitGroup
		wg.Go(func() { got = repositories(events, 500) })
		for i := range 500 {
			publish(b, i, i+1)
			synctest.Wait() // it takes each as soon as it can
			if i%50 == 0 {
				time.Sleep(time.Second)
			}
		}
		wg.Wait()
		for i, name := range got {
			if name != fmt.Sprint(i) {
				t.Fatalf("number %d is %s", i, name)
			}
		}
	})
}

func TestAReaderIsNotLateForAFewEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := event.NewBus()
		events := b.Subscribe(t.Context(), 64)
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { repositories(events, 5) })
		for i := range 5 {
			publish(b, i, i+1)
			synctest.Wait()
		}
		wg.Wait()
		if time.Since(start) != 0 {
			t.Errorf("read after %v", time.Since(start))
		}
	})
}

func BenchmarkPublish(b *testing.B) {
	bus := event.NewBus()
	for range 8 {
		bus.Subscribe(b.Context(), 64)
	}
	b.ReportAllocs()
	for b.Loop() {
		bus.Publish(event.Event{Kind: event.Push, Repository: "a"})
	}
}

// Somebody reads what many publish.
func BenchmarkPublishRead(b *testing.B) {
	bus := event.NewBus()
	events := bus.Subscribe(b.Context(), 4096)
	var n int
	go func() {
		for range events {
			n++
		}
	}()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			bus.Publish(event.Event{Kind: event.Push, Repository: "a"})
		}
	})
}
