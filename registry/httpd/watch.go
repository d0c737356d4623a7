package httpd

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// traffic knows which requests wait for what their client sends.
type traffic struct {
	api      http.Handler
	running  *atomic.Int64 // requests that are being answered
	awaiting atomic.Int64  // those of them that wait for their body now
	received atomic.Int64  // bytes of bodies

	mu    sync.Mutex // guards what follows
	seen  int64
	since time.Time
}

// ServeHTTP counts, and watches the body if there is one.
func (t *traffic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = &watchedBody{r.Body, t}
	}
	t.api.ServeHTTP(w, r)
}

type watchedBody struct {
	io.ReadCloser
	t *traffic
}

// Read reads, and says so meanwhile.
func (b *watchedBody) Read(p []byte) (int, error) {
	b.t.awaiting.Add(1)
	n, err := b.ReadCloser.Read(p)
	b.t.awaiting.Add(-1)
	b.t.received.Add(int64(n))
	return n, err
}

// quiet is for how long, as seen at calls of it, every request that is being
// answered waited for a client that sent nothing.
func (t *traffic) quiet(now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	received, running := t.received.Load(), t.running.Load()
	if running == 0 || t.awaiting.Load() < running || received != t.seen || t.since.IsZero() {
		t.seen, t.since = received, now
	}
	return now.Sub(t.since)
}
