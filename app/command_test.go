package app

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"berth/app/config"
	"berth/registry/index"
)

// growing is an index of which nothing but its version is asked.
type growing struct {
	index.Index
	version func() uint64
}

func (g growing) Version(string) uint64 { return g.version() }

func TestACommandWaitsForTheIndexAndSaysSoAfterASecond(t *testing.T) {
	t.Parallel()
	began := func() uint64 { return 0 }
	for name, c := range map[string]struct {
		version  func(began time.Time) uint64
		done     time.Duration // until the index reflects the disk; 0: never
		cancel   time.Duration
		took     time.Duration
		told     int
		err      error
		indexing bool
	}{
		"at once":     {done: time.Millisecond, took: time.Millisecond},
		"later":       {version: func(b time.Time) uint64 { return uint64(time.Since(b)) }, done: time.Minute, took: time.Minute, told: 1},
		"interrupted": {cancel: 3 * time.Second, took: 3 * time.Second, told: 1, err: context.Canceled, indexing: true},
		"never":       {took: 20 * time.Second, told: 1, indexing: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				start, compared, version := time.Now(), make(chan struct{}), began
				if c.version != nil {
					version = func() uint64 { return c.version(start) }
				}
				core, told := newCore(Options{Config: &config.Config{}}), 0
				defer core.end()
				core.compared, core.ix = compared, growing{version: version}
				core.indexing.Store(true)
				if c.done > 0 {
					time.AfterFunc(c.done, func() { close(compared) })
				}
				if c.cancel > 0 {
					time.AfterFunc(c.cancel, cancel)
				}
				err := forCommand{core, func() { told++ }}.whole(ctx)
				if took := time.Since(start); took != c.took || told != c.told || !errors.Is(err, c.err) || core.indexing.Load() != c.indexing {
					t.Errorf("took %v, told %d times, %v", took, told, err)
				}
			})
		})
	}
}
