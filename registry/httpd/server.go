package httpd

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a server. The zero value serves plain HTTP without access log.
type Options struct {
	// Log gets what an operator should know; nil means nowhere.
	Log *slog.Logger
	// AccessLog gets one line for each request, in the combined format.
	AccessLog io.Writer
	// Origins whose pages may use the registry, as "https://ui.example.com";
	// "*" is every page. None means that CORS is off.
	Origins []string
	// CORS says what those pages may do.
	CORS CORS
	// Hosts are further names by which a registry on a loopback address may be
	// asked; on other addresses every name is taken.
	Hosts []string
	// TrustProxy believes X-Forwarded-For and X-Real-Ip.
	TrustProxy bool
	// TLS serves HTTPS with this configuration; nil serves HTTP.
	TLS *tls.Config
	// NoHTTP2 speaks HTTP/1.1 only; H2C also speaks HTTP/2 without TLS, to
	// clients that begin with it.
	NoHTTP2, H2C bool
	// Health is asked by /healthz; nil is always well.
	Health func(context.Context) error
	// Unwell is asked at every request; while it is true, each is answered 503
	// UNAVAILABLE. Nil is never.
	Unwell func() bool
}

// Time and size that one client may cost. There is no limit on the time of a
// whole request: a layer of many gigabytes takes what it takes.
const (
	readHeaderTimeout = 30 * time.Second
	idleTimeout       = 3 * time.Minute
	maxHeaderBytes    = 64 << 10
	// closeTimeout is how long Shutdown waits for handlers whose connections
	// it cut, so that what they received is kept.
	closeTimeout = 5 * time.Second
)

// Server serves the registry's handler in its chain.
type Server struct {
	http    *http.Server
	chain   *chain
	traffic *traffic
	hello   *helloLog
	tls     bool          // asked for; net/http fills in http.TLSConfig by itself
	done    chan struct{} // closed when Shutdown has finished
	once    sync.Once     // closes done
	mu      sync.Mutex    // guards addrs
	addrs   []net.Addr
}

// New makes a server for the handler of /v2.
func New(api http.Handler, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := newChain(api, o)
	t := &traffic{api: c.handler(), running: &c.running}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(!o.NoHTTP2)
	protocols.SetUnencryptedHTTP2(o.H2C)
	return &Server{
		chain:   c,
		traffic: t,
		hello:   &helloLog{log: o.Log},
		tls:     o.TLS != nil,
		done:    make(chan struct{}),
		http: &http.Server{
			Handler:           t,
			Protocols:         &protocols,
			TLSConfig:         o.TLS,
			ReadHeaderTimeout: readHeaderTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			ErrorLog:          slog.NewLogLogger(newErrorLog(o.Log), slog.LevelDebug),
		},
	}
}

// Handler gives the whole chain, for tests and for serving it elsewhere.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// Serve answers on the listeners until [Server.Shutdown], and closes them. It
// returns nil after a Shutdown, once that is complete. When all listeners are
// on loopback addresses, the Host of every request is checked.
func (s *Server) Serve(listeners ...net.Listener) error {
	s.mu.Lock()
	for _, l := range listeners {
		s.addrs = append(s.addrs, l.Addr())
	}
	s.mu.Unlock()
	s.chain.loopback.Store(allLoopback(listeners))
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- s.serve(l) }()
	}
	var first error
	for range listeners {
		if err := <-failed; !errors.Is(err, http.ErrServerClosed) && first == nil {
			first = err
			_ = s.http.Close() // one listener failed: the others end too
		}
	}
	if first == nil {
		<-s.done
	}
	return first
}

func (s *Server) serve(l net.Listener) error {
	if s.tls {
		return s.http.ServeTLS(l, "", "")
	}
	return s.http.Serve(helloListener{l, s.hello})
}

// Addrs gives the addresses of Serve.
func (s *Server) Addrs() []net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]net.Addr(nil), s.addrs...)
}

// Running says how many requests are being answered now.
func (s *Server) Running() int { return int(s.chain.running.Load()) }

// Requests counts all requests since the start.
func (s *Server) Requests() uint64 { return s.chain.requests.Load() }

// Awake gives a channel that tells of the next request, once for each call, so
// that whoever follows how much there is to do need not look all the time.
func (s *Server) Awake() <-chan struct{} {
	s.chain.asleep.Store(true)
	return s.chain.awake
}

// Quiet says for how long nothing has happened but waiting: every request that
// is being answered waits for its client, and no client has sent a byte. It
// counts from the first call, so ask it again and again.
func (s *Server) Quiet() time.Duration { return s.traffic.quiet(time.Now()) }

// Shutdown takes no new requests and waits for the running ones, until ctx
// ends; then it cuts them, and waits for a moment until what they had received
// is kept. The error is that of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.once.Do(func() { close(s.done) })
	if s.chain.access != nil {
		defer s.chain.access.close()
	}
	err := s.http.Shutdown(ctx)
	if err == nil {
		return nil
	}
	err = errors.Join(err, s.http.Close())
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(closeTimeout)
	for s.Running() > 0 {
		select {
		case <-tick.C:
		case <-limit:
			return err
		}
	}
	return err
}

// idSource makes the ids of requests: a part for this process, and a number.
type idSource struct {
	prefix string
	n      *atomic.Uint64
}

func newIDSource() idSource {
	return idSource{prefix: rand.Text()[:10] + "-", n: new(atomic.Uint64)}
}

func (s idSource) next() string { return s.prefix + strconv.FormatUint(s.n.Add(1), 10) }
