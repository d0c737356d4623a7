package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"sync/atomic"
)

// DebugOptions of [NewDebug].
type DebugOptions struct {
	Log    *slog.Logger
	Checks *Checks
	// Metrics is served at MetricsPath; nil is not.
	Metrics     http.Handler
	MetricsPath string
	// Hosts are further names by which it may be asked while it listens on
	// loopback addresses only; on others every name is taken.
	Hosts []string
}

// Debug is the server for operators, which distribution has as well: health
// with its switch, expvar, profiles and metrics. It asks nobody who they are.
type Debug struct {
	http     *http.Server
	loopback atomic.Bool
}

// NewDebug makes one.
func NewDebug(o DebugOptions) *Debug {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Checks == nil {
		o.Checks = &Checks{}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/health", o.health)
	mux.HandleFunc("/debug/health/down", o.turn(true))
	mux.HandleFunc("/debug/health/up", o.turn(false))
	mux.Handle("/debug/vars", expvar.Handler())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	if o.Metrics != nil {
		mux.Handle(o.MetricsPath, o.Metrics)
	}
	d, hosts := &Debug{}, newHostNames(o.Hosts)
	guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.loopback.Load() && !hosts.allow(r) {
			denyHost(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	d.http = &http.Server{
		Handler: guarded, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout,
		ErrorLog: slog.NewLogLogger(newErrorLog(o.Log), slog.LevelDebug),
	}
	return d
}

// Handler gives what it answers with, for tests.
func (d *Debug) Handler() http.Handler { return d.http.Handler }

// Serve answers until [Debug.Close]; it closes the listeners. When all of them
// are on loopback addresses, the Host of every request is checked.
func (d *Debug) Serve(listeners ...net.Listener) error {
	d.loopback.Store(allLoopback(listeners))
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- d.http.Serve(l) }()
	}
	var first error
	for range listeners {
		if err := <-failed; !errors.Is(err, http.ErrServerClosed) && first == nil {
			first = err
			_ = d.http.Close() // one listener failed: the others end too
		}
	}
	return first
}

// Close ends Serve, and cuts what is under way: a profile may take minutes.
func (d *Debug) Close() error { return d.http.Close() }

// health tells what fails, as a map from the name of a check to its error.
func (o DebugOptions) health(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	failing, status := o.Checks.Failing(), http.StatusOK
	if len(failing) > 0 {
		status = http.StatusServiceUnavailable
	}
	if failing == nil {
		failing = map[string]string{}
	}
	body, _ := json.Marshal(failing) // texts always marshal
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client is gone: there is nobody to tell
}

// turn takes the registry out of service, or back in.
func (o DebugOptions) turn(down bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// A page in a browser can post a form here, but it has to say so.
		if r.Method != http.MethodPost || http.NewCrossOriginProtection().Check(r) != nil {
			http.NotFound(w, r)
			return
		}
		o.Log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelWarn, "an operator turned the registry",
			slog.Bool("down", down), slog.String("remote_addr", r.RemoteAddr))
		o.Checks.SetDown(down)
	}
}
