package app

import (
	"runtime"
	"sync"
	"testing"

	"berth/app/config"
)

// TestNothingBeginsInTheBackgroundOnceTheEndHas has many ask for work while the
// Core closes: what was taken has ended when Close returns.
func TestNothingBeginsInTheBackgroundOnceTheEndHas(t *testing.T) {
	t.Parallel()
	cfg, err := config.Load("", nil, config.Flags{Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	c := newCore(Options{Config: cfg})
	var asking sync.WaitGroup
	var mu sync.Mutex
	taken, ended := 0, 0
	for range 4 {
		asking.Go(func() {
			for c.inBackground(func() {
				runtime.Gosched()
				mu.Lock()
				ended++
				mu.Unlock()
			}) {
				mu.Lock()
				taken++
				mu.Unlock()
			}
		})
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	done := ended
	mu.Unlock()
	asking.Wait()
	if taken != done || ended != done {
		t.Errorf("%d were taken, %d had ended with Close, %d have now", taken, done, ended)
	}
	if c.inBackground(func() {}) {
		t.Error("something was taken after the end")
	}
}
