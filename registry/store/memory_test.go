package store

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"
)

func TestTheCacheForgetsWhatWasNotAskedForLately(t *testing.T) {
	t.Parallel()
	b := newBounded[int, string](10 * (100 + overhead))
	for i := range 13 {
		b.put(i, fmt.Sprint(i), 100)
		b.get(0)
	}
	b.put(99, "large", b.limit/8)
	for i, want := range map[int]bool{0: true, 1: false, 2: false, 3: false, 4: true, 12: true, 99: false} {
		if v, ok := b.get(i); ok != want || ok && v != fmt.Sprint(i) {
			t.Errorf("%d is kept: %v, as %q", i, ok, v)
		}
	}
	b.put(4, "other", 100)
	if v, _ := b.get(4); v != "other" || len(b.at) != 10 {
		t.Errorf("%q, %d entries", v, len(b.at))
	}
	for i := range 100 {
		b.drop(i)
	}
	if b.size != 0 || len(b.at) != 0 || b.hand != nil {
		t.Errorf("size %d of %d", b.size, len(b.at))
	}
}

func TestNoNumberOfNamesMakesTheCacheGrow(t *testing.T) {
	t.Parallel()
	b := newBounded[int, struct{}](64 << 10)
	for i := range 100_000 {
		b.put(i, struct{}{}, int64(i%500))
		if i%3 == 0 {
			b.get(i - 5)
		}
		if b.size > b.limit || int64(len(b.at))*overhead > b.limit {
			t.Fatalf("%d bytes, %d entries", b.size, len(b.at))
		}
	}
	none := newBounded[int, struct{}](-1)
	none.put(1, struct{}{}, 1)
	if _, ok := none.get(1); ok {
		t.Error("no cache keeps something")
	}
}

func TestTheCacheIsForManyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBounded[int, int](100 * overhead)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				key := (i * (g + 1)) % 300
				if v, ok := b.get(key); ok && v != key {
					t.Errorf("%d is %d", key, v)
				}
				b.put(key, key, 0)
				if i%7 == 0 {
					b.drop(key)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	for e := b.hand; e != nil && (n == 0 || e != b.hand); e = e.next {
		n++
	}
	if n != len(b.at) || b.size != int64(n)*overhead {
		t.Errorf("%d in the ring, %d in the map, %d bytes", n, len(b.at), b.size)
	}
}

func TestLocksExistOnlyWhileTheyAreUsed(t *testing.T) {
	t.Parallel()
	var l locks
	var wg sync.WaitGroup
	n := 0
	for range 50 {
		wg.Go(func() {
			defer l.all([]string{"a", "b"})()
			n++
		})
		wg.Go(func() {
			defer l.shared("a")()
			_ = n
		})
	}
	wg.Wait()
	if n != 50 || len(l.named) != 0 {
		t.Errorf("%d, %d locks left", n, len(l.named))
	}
}

func TestLeasesThatAreOverAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLeases(time.Minute, func(string, time.Duration) bool { return false })
		for i := range pruneLeasesAt - 1 {
			l.take("a", digest.FromString(fmt.Sprint(i)))
		}
		time.Sleep(2 * time.Minute)
		l.take("a", "last")
		if !l.held("last") || l.held(digest.FromString("1")) || len(l.until) != 1 {
			t.Errorf("%d leases are kept", len(l.until))
		}
	})
}
