package metrics

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"berth/registry/driver"
)

// Driver times the actions of drv, which is called name in the configuration.
// What drv can do beside is found through driver.As as before.
func (m *Metrics) Driver(drv driver.Driver, name string) driver.Driver {
	action := func(action string) prometheus.Observer { return m.actions.WithLabelValues(name, action) }
	t := &timed{
		Driver: drv, stat: action("Stat"), open: action("Reader"), put: action("PutContent"), append: action("Writer"),
		move: action("Move"), delete: action("Delete"), list: action("List"),
	}
	if b, ok := driver.As[driver.Batcher](drv); ok {
		return &timedBatcher{timed: t, batcher: b, apply: action("Apply")}
	}
	return t
}

// timed has the actions under the names that distribution gives them.
type timed struct {
	driver.Driver
	stat, open, put, append, move, delete, list prometheus.Observer
}

func since(o prometheus.Observer, start time.Time) { o.Observe(time.Since(start).Seconds()) }

// Unwrap is for driver.As.
func (t *timed) Unwrap() driver.Driver { return t.Driver }

// Stat times driver.Driver.Stat.
func (t *timed) Stat(ctx context.Context, key string) (driver.Info, error) {
	defer since(t.stat, time.Now())
	return t.Driver.Stat(ctx, key)
}

// Open times driver.Driver.Open, not the reading.
func (t *timed) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	defer since(t.open, time.Now())
	return t.Driver.Open(ctx, key)
}

// Put times driver.Driver.Put.
func (t *timed) Put(ctx context.Context, key string, content []byte) error {
	defer since(t.put, time.Now())
	return t.Driver.Put(ctx, key, content)
}

// Append times driver.Driver.Append, not the writing.
func (t *timed) Append(ctx context.Context, key string, offset int64) (driver.Writer, error) {
	defer since(t.append, time.Now())
	return t.Driver.Append(ctx, key, offset)
}

// Move times driver.Driver.Move.
func (t *timed) Move(ctx context.Context, from, to string) error {
	defer since(t.move, time.Now())
	return t.Driver.Move(ctx, from, to)
}

// Delete times driver.Driver.Delete.
func (t *timed) Delete(ctx context.Context, key string) error {
	defer since(t.delete, time.Now())
	return t.Driver.Delete(ctx, key)
}

// List times driver.Driver.List without what its reader does in between.
func (t *timed) List(ctx context.Context, prefix string) iter.Seq2[driver.Info, error] {
	return func(yield func(driver.Info, error) bool) {
		var took time.Duration
		resumed := time.Now()
		for info, err := range t.Driver.List(ctx, prefix) {
			took += time.Since(resumed)
			more := yield(info, err)
			resumed = time.Now()
			if !more {
				break
			}
		}
		took += time.Since(resumed)
		t.list.Observe(took.Seconds())
	}
}

// timedBatcher also times batches, which distribution does not have.
type timedBatcher struct {
	*timed
	batcher driver.Batcher
	apply   prometheus.Observer
}

// Apply times driver.Batcher.Apply.
func (t *timedBatcher) Apply(ctx context.Context, changes ...driver.Change) error {
	defer since(t.apply, time.Now())
	return t.batcher.Apply(ctx, changes...)
}
