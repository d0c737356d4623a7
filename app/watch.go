package app

import (
	"context"
	"iter"
	"slices"
	"sync"
	"time"
)

// watchPace is the least time between two batches of notices to one watcher.
const watchPace = 100 * time.Millisecond

// hub spreads notices. A watcher that is slow finds fewer, merged notices: what
// they point at is the same.
type hub struct {
	mu       sync.Mutex // guards what follows, and every watcher's queue
	watchers map[*watcher]struct{}
	closed   bool
	over     bool          // left is closed
	left     chan struct{} // closed when the last watcher has left after close
}

type watcher struct {
	window bool
	queue  []Notice
	wake   chan struct{} // capacity 1
}

// many is when single notices of one kind become one that says «look at all».
const many = 64

func newHub() *hub {
	return &hub{watchers: map[*watcher]struct{}{}, left: make(chan struct{})}
}

// notify sends n to every watcher, or to windows only.
func (h *hub) notify(n Notice, windowsOnly bool) (reached int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers {
		if !windowsOnly || w.window {
			w.push(n)
			reached++
		}
	}
	return reached
}

// push needs hub.mu.
func (w *watcher) push(n Notice) {
	ofKind := 0
	for _, q := range w.queue {
		if q == n || q == (Notice{Kind: n.Kind}) {
			return
		}
		if q.Kind == n.Kind {
			ofKind++
		}
	}
	if ofKind >= many {
		w.queue = slices.DeleteFunc(w.queue, func(q Notice) bool { return q.Kind == n.Kind })
		n = Notice{Kind: n.Kind}
	}
	w.queue = append(w.queue, n)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (h *hub) take(w *watcher) (queue []Notice, closed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	queue, w.queue = w.queue, nil
	return queue, h.closed
}

// windows counts the watchers that are windows.
func (h *hub) windows() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for w := range h.watchers {
		if w.window {
			n++
		}
	}
	return n
}

// close ends every stream, after what is queued: left says when all have ended.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	if len(h.watchers) == 0 {
		h.over = true
		close(h.left)
	}
	for w := range h.watchers {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (h *hub) join(window bool) *watcher {
	w := &watcher{window: window, wake: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	w.push(Notice{Kind: NoticeHello})
	h.watchers[w] = struct{}{}
	return w
}

func (h *hub) leave(w *watcher) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, here := h.watchers[w]; !here {
		return
	}
	delete(h.watchers, w)
	if h.closed && len(h.watchers) == 0 && !h.over {
		h.over = true
		close(h.left)
	}
}

// watch yields the notices of one new watcher: the first at once, then in
// batches that keep the pace.
func (h *hub) watch(ctx context.Context, r WatchRequest) iter.Seq2[Notice, error] {
	return func(yield func(Notice, error) bool) {
		w := h.join(r.Window)
		defer h.leave(w)
		if r.Window {
			h.notify(Notice{Kind: NoticeStatus}, false)
			defer func() { h.leave(w); h.notify(Notice{Kind: NoticeStatus}, false) }()
		}
		pace := time.NewTimer(0)
		defer pace.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.wake:
			}
			// Of several changes at once only the first waits for nothing.
			select {
			case <-ctx.Done():
				return
			case <-pace.C:
			}
			queue, closed := h.take(w)
			for _, n := range queue {
				if ctx.Err() != nil || !yield(n, nil) {
					return
				}
			}
			if closed {
				return
			}
			pace.Reset(watchPace)
		}
	}
}

// Watch yields notices; see [Service].
//
// While a window watches, so is the container engine.
func (c *Core) Watch(ctx context.Context, r WatchRequest) iter.Seq2[Notice, error] {
	if !r.Window {
		return c.hub.watch(ctx, r)
	}
	return func(yield func(Notice, error) bool) {
		watching, stop := context.WithCancel(ctx)
		var engine sync.WaitGroup
		engine.Go(func() { c.watchEngine(watching) })
		defer engine.Wait()
		defer stop()
		c.hub.watch(ctx, r)(yield)
	}
}

// notify tells every watcher.
func (c *Core) notify(n Notice) { c.hub.notify(n, false) }
