package httpd

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"berth/registry"
	"berth/registry/internal/record"
)

// chain is the handler around the registry's.
type chain struct {
	api      http.Handler
	o        Options
	access   *accessLog // nil: off
	loopback atomic.Bool
	hosts    hostNames
	origin   *http.CrossOriginProtection
	ids      idSource
	running  atomic.Int64
	requests atomic.Uint64
	asleep   atomic.Bool   // the next request signals awake
	awake    chan struct{} // capacity 1
}

func newChain(api http.Handler, o Options) *chain {
	c := &chain{api: api, o: o, hosts: newHostNames(o.Hosts), origin: http.NewCrossOriginProtection(), ids: newIDSource(), awake: make(chan struct{}, 1)}
	if o.AccessLog != nil {
		c.access = &accessLog{w: o.AccessLog, log: o.Log}
	}
	for _, origin := range o.Origins {
		if origin == "*" {
			c.origin = nil // asked for by name: any page may come in
			break
		}
		if err := c.origin.AddTrustedOrigin(origin); err != nil {
			o.Log.Warn("allowed origin is not an origin", slog.String("origin", origin), slog.Any("err", err))
		}
	}
	return c
}

// ServeHTTP records, recovers, says who calls, checks the way in, and
// dispatches.
func (c *chain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.running.Add(1)
	defer c.running.Add(-1)
	c.requests.Add(1)
	if c.asleep.Load() && c.asleep.CompareAndSwap(true, false) {
		select {
		case c.awake <- struct{}{}:
		default:
		}
	}
	start := time.Now()
	remote := c.remote(r)
	rec := record.Get(w)
	defer func() {
		p := recover()
		if p != nil && p != http.ErrAbortHandler {
			c.panicked(rec, r, p)
		}
		rec.Begin()
		if c.access != nil {
			c.access.write(r, r.RequestURI, remote, rec, start)
		}
		if p == http.ErrAbortHandler {
			panic(p)
		}
		record.Put(rec)
	}()
	caller := registry.Caller{
		RequestID: c.ids.next(), RemoteAddr: remote, UserAgent: r.UserAgent(), Host: r.Host, Method: r.Method,
	}
	c.dispatch(rec, r.WithContext(registry.WithCaller(r.Context(), caller)))
}

func (c *chain) dispatch(w http.ResponseWriter, r *http.Request) {
	if c.loopback.Load() && !c.hosts.allow(r) {
		denyHost(w, r)
		return
	}
	if c.origin != nil && c.origin.Check(r) != nil {
		deny(w, registry.ErrDenied.WithMessage("a page of another origin may not change this registry; allow its origin with Access-Control-Allow-Origin in http.headers of Berth's configuration"))
		return
	}
	if c.o.Unwell != nil && c.o.Unwell() {
		write(w, http.StatusServiceUnavailable, registry.Errors{registry.ErrUnavailable.WithDetail("health check failed: please see /debug/health")})
		return
	}
	switch r.URL.Path {
	case "/":
		w.Header().Set("Cache-Control", "no-cache")
		w.WriteHeader(http.StatusOK)
	case "/healthz":
		c.health(w, r)
	default:
		c.api.ServeHTTP(w, r)
	}
}

func (c *chain) health(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	header.Set("Content-Type", "application/json")
	if c.o.Health != nil {
		if err := c.o.Health(r.Context()); err != nil {
			write(w, http.StatusServiceUnavailable, registry.Errors{registry.ErrUnavailable.WithMessage("%s", err.Error())})
			return
		}
	}
	_, _ = w.Write([]byte("{\"status\":\"ok\"}\n"))
}

func (c *chain) panicked(rec *record.Response, r *http.Request, p any) {
	c.o.Log.ErrorContext(r.Context(), "handler panicked", slog.String("method", r.Method), slog.String("path", r.URL.Path),
		slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
	if rec.Status == 0 {
		write(rec, http.StatusInternalServerError, registry.Errors{registry.ErrUnknown})
	}
}

// remote is the address of the client; what a proxy says counts only where a
// proxy is known to be in front. A client at a Unix socket, which has no
// address, is one.
func (c *chain) remote(r *http.Request) string {
	if c.o.TrustProxy || r.RemoteAddr == "" || r.RemoteAddr == "@" {
		if first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ","); strings.TrimSpace(first) != "" {
			return strings.TrimSpace(first)
		}
		if ip := r.Header.Get("X-Real-Ip"); ip != "" {
			return ip
		}
	}
	return r.RemoteAddr
}

func deny(w http.ResponseWriter, err *registry.Error) {
	write(w, http.StatusForbidden, registry.Errors{err})
}

func write(w http.ResponseWriter, status int, es registry.Errors) {
	body, _ := json.Marshal(es) // codes and texts always marshal
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: there is nobody to tell
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}
