package httpd

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// helloLog writes a line when a client speaks TLS to a plain port, which is
// the cause of «server gave HTTP response to HTTPS client». A client that
// tries again soon is not worth another line.
type helloLog struct {
	log  *slog.Logger
	mu   sync.Mutex // guards last and when
	last string
	when time.Time
}

const helloPause = time.Minute

func (h *helloLog) seen(remote net.Addr) {
	host, _, err := net.SplitHostPort(remote.String())
	if err != nil {
		host = remote.String()
	}
	h.mu.Lock()
	again := h.last == host && time.Since(h.when) < helloPause
	if !again {
		h.last, h.when = host, time.Now()
	}
	h.mu.Unlock()
	if !again {
		h.log.LogAttrs(context.Background(), slog.LevelInfo, "client tried https on the plain http port",
			slog.String("remote_addr", remote.String()), slog.String("hint", "mark this registry as insecure in that client, or switch TLS on here"))
	}
}

type helloListener struct {
	net.Listener
	log *helloLog
}

func (l helloListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		return &helloConn{TCPConn: tcp, log: l.log}, nil
	}
	return c, nil
}

// helloConn looks at the first bytes that it reads. It embeds the connection,
// so that its ReadFrom (sendfile) stays.
type helloConn struct {
	*net.TCPConn
	log   *helloLog
	begun bool // only the goroutine that reads uses it
}

// Read reads, and looks once for the head of a TLS handshake record.
func (c *helloConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if !c.begun && n > 0 {
		c.begun = true
		if p[0] == 0x16 && (n < 2 || p[1] == 0x03) {
			c.log.seen(c.RemoteAddr())
		}
	}
	return n, err
}

// What sends a file by sendfile is this method of the connection.
var _ io.ReaderFrom = (*helloConn)(nil)
