package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"

	"berth/app/config"
	"berth/registry/driver"
	"berth/registry/httpd"
)

// healthChecks are those of the section health, under the names that
// distribution gives them. The storage is looked at through drv.
func (c *Core) healthChecks(drv driver.Driver) []httpd.Check {
	var out []httpd.Check
	h := c.cfg.Health
	if h.StorageDriver.Enabled {
		out = append(out, httpd.Check{
			Name: "storagedriver_" + c.storageName(), Interval: h.StorageDriver.Interval, Threshold: h.StorageDriver.Threshold,
			Look: func(ctx context.Context) error { return c.storageAnswers(ctx, drv) },
		})
	}
	for _, f := range h.FileCheckers {
		out = append(out, httpd.Check{Name: f.File, Interval: f.Interval, Look: httpd.FileAbsent(f.File)})
	}
	for _, k := range h.HTTPCheckers {
		out = append(out, httpd.Check{
			Name: k.URI, Interval: k.Interval, Threshold: k.Threshold,
			Look: httpd.HTTPAnswers(k.URI, k.StatusCode, http.Header(k.Headers), k.Timeout),
		})
	}
	for _, t := range h.TCPCheckers {
		out = append(out, httpd.Check{Name: t.Addr, Interval: t.Interval, Threshold: t.Threshold, Look: httpd.TCPConnects(t.Addr, t.Timeout)})
	}
	return out
}

func (c *Core) storageName() string {
	if c.cfg.Storage.InMemory != nil {
		return "inmemory"
	}
	return "filesystem"
}

func (c *Core) storageAnswers(ctx context.Context, drv driver.Driver) error {
	if _, err := drv.Stat(ctx, "docker"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if c.space != nil { // it also misses a folder that was taken away
		_, _, err := c.space.Space(ctx)
		return err
	}
	return nil
}

// checkProblems tells what takes the registry out of service.
func (c *Core) checkProblems() []Problem {
	failing := c.checks.Failing()
	var out []Problem
	for _, name := range slices.Sorted(maps.Keys(failing)) {
		p := Problem{
			Code: "check_failed", Severity: severityError, Title: "Berth is out of service",
			Text: fmt.Sprintf("The health check “%s” fails: %s. Until it is well, every request is answered with 503.", name, strings.TrimSuffix(failing[name], ".")),
			Fix:  "Make what it looks at work again, or take the check out of “health” in the configuration.", Exit: exitError,
		}
		switch {
		case name == httpd.DownCheck:
			p.Text = "An operator took it out of service at /debug/health/down. Every request is answered with 503."
			p.Fix, p.Command = "To put it back:", "curl -X POST http://"+c.debugAddress()+"/debug/health/up"
		case strings.HasPrefix(name, "storagedriver_"):
			p.Fix = "Make the folder " + c.cfg.Data() + " readable again: is its disk there, and mounted?"
		case failing[name] == "file exists":
			p.Fix = "Remove the file " + name + ", which takes the registry out of service while it is there."
		}
		out = append(out, p)
	}
	return out
}

func (c *Core) debugAddress() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.debugAt
}

// openDebug listens for operators; it gives nil if nobody asked for it.
func (c *Core) openDebug(ctx context.Context) (*httpd.Debug, []net.Listener, error) {
	addr := c.cfg.HTTP.Debug.Addr
	if addr == "" {
		return nil, nil, nil
	}
	listeners, err := httpd.Listen(ctx, addr)
	if err != nil {
		p := cannotListen(addr+" for http.debug", err)
		p.Fix, p.Command = fmt.Sprintf("Choose another address for http.debug.addr (%s).", c.cfg.Origin("http.debug.addr")), ""
		if _, taken := errors.AsType[*httpd.PortTakenError](err); taken {
			p.Text, p.Exit = "Another program has this port.", exitConflict
		}
		return nil, nil, p
	}
	o := httpd.DebugOptions{Log: c.log, Checks: &c.checks, Hosts: append(c.hostNames(), hostOf(addr))}
	if c.metrics != nil {
		o.Metrics, o.MetricsPath = c.metrics.Handler(), c.cfg.HTTP.Debug.Prometheus.Path
	}
	at := listeners[0].Addr().String()
	if tcp, ok := listeners[0].Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		c.log.Warn("the debug server can be reached from other machines and asks nobody who they are: it shows profiles and takes the registry out of service; "+
			"say localhost in http.debug.addr unless something else guards it", "address", at)
	}
	c.mu.Lock()
	c.debugAt = at
	c.mu.Unlock()
	c.log.Info("debug server is ready", "address", at, "metrics", c.metrics != nil)
	return httpd.NewDebug(o), listeners, nil
}

// tlsOptions are those of http.tls.
func (c *Core) tlsOptions() httpd.TLSOptions {
	t := c.cfg.HTTP.TLS
	o := httpd.TLSOptions{
		Certificate: t.Certificate, Key: t.Key, ClientCAs: t.ClientCAs, ClientAuth: t.ClientAuth,
		MinimumTLS: t.MinimumTLS, CipherSuites: t.CipherSuites, NoHTTP2: c.cfg.HTTP.HTTP2.Disabled, Log: c.log,
	}
	if l := t.LetsEncrypt; l.CacheFile != "" {
		o.ACME = &httpd.ACME{Folder: l.CacheFile, Email: l.Email, Hosts: l.Hosts, DirectoryURL: l.DirectoryURL}
	}
	return o
}

// tlsError says which key of the configuration does not do.
func (c *Core) tlsError(err error) error {
	t, ok := errors.AsType[*httpd.TLSError](err)
	if !ok {
		return err
	}
	key := "http.tls." + t.Part
	return &config.Error{Kind: config.Invalid, Key: key, Origin: c.cfg.Origin(key), Err: t.Err}
}
