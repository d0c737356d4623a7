package apptest

import (
	"context"
	"iter"
	"slices"
	"sync"

	"berth/app"
)

type watcher struct {
	window bool
	mu     sync.Mutex // guards queue
	queue  []app.Notice
	wake   chan struct{} // capacity 1
}

func (w *watcher) push(n app.Notice) {
	w.mu.Lock()
	if !slices.Contains(w.queue, n) {
		w.queue = append(w.queue, n)
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watcher) take() []app.Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.queue
	w.queue = nil
	return out
}

// Notify sends a notice to every watcher.
func (f *Fake) Notify(n app.Notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for w := range f.watchers {
		w.push(n)
	}
}

// Watching counts the open streams.
func (f *Fake) Watching() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.watchers)
}

// Watch yields NoticeHello, then what [Fake.Notify] and the changes send. A
// failure set by [Fake.Fail] is what it yields instead.
func (f *Fake) Watch(ctx context.Context, r app.WatchRequest) iter.Seq2[app.Notice, error] {
	return func(yield func(app.Notice, error) bool) {
		if err := f.enter(ctx, "Watch", r); err != nil {
			yield(app.Notice{}, err)
			return
		}
		w := &watcher{window: r.Window, wake: make(chan struct{}, 1)}
		w.push(app.Notice{Kind: app.NoticeHello})
		f.mu.Lock()
		f.watchers[w] = struct{}{}
		f.mu.Unlock()
		defer func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			delete(f.watchers, w)
		}()
		for {
			for _, n := range w.take() {
				if ctx.Err() != nil || !yield(n, nil) {
					return
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-w.wake:
			}
		}
	}
}
