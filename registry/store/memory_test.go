package store

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

func TestTheCacheForgetsTheLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	c := newCache(1600)
	at := func(i int) registry.Digest { return digest.FromString(fmt.Sprint(i)) }
	for i := range 17 {
		c.put(registry.Manifest{Digest: at(i), Content: make([]byte, 100)})
		c.get(at(0))
	}
	c.put(registry.Manifest{Digest: at(99), Content: make([]byte, 101)})
	for i, want := range map[int]bool{0: true, 1: false, 2: true, 16: true, 99: false} {
		if _, ok := c.get(at(i)); ok != want {
			t.Errorf("%d is kept: %v", i, ok)
		}
	}
	c.drop(at(0))
	if c.size != 1500 || c.order.Len() != 15 || len(c.at) != 15 {
		t.Errorf("size %d of %d in %d", c.size, c.order.Len(), len(c.at))
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
		l := newLeases(time.Minute)
		for i := range pruneLeasesAt - 1 {
			l.take(digest.FromString(fmt.Sprint(i)))
		}
		time.Sleep(2 * time.Minute)
		l.take("last")
		if !l.held("last") || l.held(digest.FromString("1")) || len(l.until) != 1 {
			t.Errorf("%d leases are kept", len(l.until))
		}
	})
}
