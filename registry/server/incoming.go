package server

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"berth/registry"
	"berth/registry/internal/route"
)

// incoming are the bodies that are being received, by upload. A client whose
// connection died without a word is still there for the system, for minutes;
// when it comes back, its new request cuts the old one.
type incoming struct {
	mu     sync.Mutex // guards bodies, and that a body that left is not cut
	bodies map[string]*body
}

// body is what one request brings to an upload.
type body struct {
	start    int64        // where it began
	received atomic.Int64 // since then
	conn     *http.ResponseController
}

func (in *incoming) enter(w http.ResponseWriter, q *route.Request, up registry.Upload) (b *body, leave func()) {
	b = &body{start: up.Size(), conn: http.NewResponseController(w)}
	key := q.Repository + ":" + q.UploadID
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.bodies == nil {
		in.bodies = map[string]*body{}
	}
	in.bodies[key] = b
	return b, func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		delete(in.bodies, key)
	}
}

func (in *incoming) find(q *route.Request) *body {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.bodies[q.Repository+":"+q.UploadID]
}

// cut ends a body at what has arrived, if it is still the one of its upload.
func (in *incoming) cut(q *route.Request, b *body) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if b != nil && in.bodies[q.Repository+":"+q.UploadID] == b {
		// Where the connection cannot do that, the client waits as before.
		_ = b.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// comingIn says that another request brings bytes to the upload.
type comingIn struct{ *body }

func (*comingIn) Error() string { return "another request brings bytes to the upload" }

// size is how far the upload is now.
func (b *body) size() int64 { return b.start + b.received.Load() }

// reader counts what comes in.
func (b *body) reader(r io.Reader) io.Reader { return &counting{r, b} }

type counting struct {
	io.Reader
	b *body
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.b.received.Add(int64(n))
	return n, err
}
