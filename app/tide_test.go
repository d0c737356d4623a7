package app

import (
	"context"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type counted struct {
	n     atomic.Uint64
	awake chan struct{}
}

func (c *counted) Awake() <-chan struct{} { return c.awake }
func (c *counted) Requests() uint64       { return c.n.Load() }

func TestMemoryIsCollectedRarelyWhileThereIsMuchToDo(t *testing.T) {
	// Not parallel: it watches a setting of the whole process.
	now := func() int {
		percent := debug.SetGCPercent(usual)
		debug.SetGCPercent(percent)
		return percent
	}
	was := now()
	synctest.Test(t, func(t *testing.T) {
		server := &counted{awake: make(chan struct{}, 1)}
		var given atomic.Int64
		ctx, stop := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { tide(ctx, server, func() int { return 400 }, func() { given.Add(1) }) })
		ask := func(n uint64, d time.Duration) {
			const steps = 5
			for range d / tidePace * steps {
				server.n.Add(n / steps)
				select {
				case server.awake <- struct{}{}:
				default:
				}
				time.Sleep(tidePace / steps)
				synctest.Wait()
			}
		}
		ask(10, time.Minute)
		if now() != usual || given.Load() != 0 {
			t.Errorf("few requests: %d percent, given back %d times", now(), given.Load())
		}
		ask(5000, time.Minute)
		if now() != 400 || given.Load() != 0 {
			t.Errorf("many requests: %d percent, given back %d times", now(), given.Load())
		}
		time.Sleep(ebb + time.Second)
		synctest.Wait()
		if now() != usual || given.Load() != 1 {
			t.Errorf("afterwards: %d percent, given back %d times", now(), given.Load())
		}
		ask(5000, time.Second)
		stop()
		wg.Wait()
	})
	if now() != was {
		t.Errorf("it leaves %d percent, found %d", now(), was)
	}
}

func TestTheMoreIsInUseTheLessGarbageMayGather(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{0: mostPercent, 1 << 20: mostPercent, 4 << 20: 500, 8 << 20: 300, 16 << 20: 200, 64 << 20: 100, 1 << 40: 100} {
		if got := percentFor(live); got != want {
			t.Errorf("%d bytes: %d, want %d", live, got, want)
		}
		if garbage := live * uint64(percentFor(live)) / 100; garbage > live+slack && live > 4<<20 {
			t.Errorf("%d bytes may gather beside %d", garbage, live)
		}
	}
}
