package httpd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Check is something that is looked at from time to time.
type Check struct {
	// Name is how it is called in /debug/health.
	Name string
	// Interval between looks; 0 means 10 seconds.
	Interval time.Duration
	// Threshold is how many failures in a row count; 0 means 1.
	Threshold int
	// Look says what is wrong; nil is well.
	Look func(ctx context.Context) error
}

const (
	defaultInterval = 10 * time.Second
	defaultTimeout  = defaultInterval
)

// DownCheck is the name, among what fails, of an operator's /debug/health/down.
const DownCheck = "manual_http_status"

// Checks runs checks and remembers what fails. The zero value has none.
type Checks struct {
	// Log gets a line when a check begins or ceases to fail; nil means nobody.
	Log *slog.Logger
	// Changed is called then too; nil means nobody.
	Changed func()

	unwell  atomic.Bool // something fails; asked at every request
	mu      sync.Mutex  // guards what follows
	failing map[string]string
}

// Run looks, each check at its pace and first after its interval, until ctx
// ends.
func (c *Checks) Run(ctx context.Context, checks ...Check) {
	var looking sync.WaitGroup
	for _, check := range checks {
		looking.Go(func() { c.follow(ctx, check) })
	}
	looking.Wait()
}

func (c *Checks) follow(ctx context.Context, check Check) {
	if check.Interval <= 0 {
		check.Interval = defaultInterval
	}
	ticker := time.NewTicker(check.Interval)
	defer ticker.Stop()
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := check.Look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failures = 0
			c.set(check.Name, "")
		default:
			if failures++; failures >= check.Threshold {
				c.set(check.Name, err.Error())
			}
		}
	}
}

// set notes what is wrong with a name; empty is well.
func (c *Checks) set(name, wrong string) {
	c.mu.Lock()
	before := c.failing[name]
	if c.failing == nil {
		c.failing = map[string]string{}
	}
	if c.failing[name] = wrong; wrong == "" {
		delete(c.failing, name)
	}
	c.unwell.Store(len(c.failing) > 0)
	c.mu.Unlock()
	if (before == "") == (wrong == "") {
		return
	}
	if c.Log != nil && wrong != "" {
		c.Log.Error("health check fails: requests are answered 503", slog.String("check", name), slog.String("error", wrong))
	} else if c.Log != nil {
		c.Log.Info("health check is well again", slog.String("check", name))
	}
	if c.Changed != nil {
		c.Changed()
	}
}

// SetDown is what an operator says: while down, the registry answers 503.
func (c *Checks) SetDown(down bool) {
	wrong := ""
	if down {
		wrong = "manual Check"
	}
	c.set(DownCheck, wrong)
}

// Failing gives what is wrong now, by name of the check.
func (c *Checks) Failing() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.failing)
}

// Unwell reports whether anything is wrong.
func (c *Checks) Unwell() bool { return c.unwell.Load() }

// FileAbsent fails while there is a file, which is how an operator takes a
// registry out of service.
func FileAbsent(path string) func(context.Context) error {
	return func(context.Context) error {
		abs, err := filepath.Abs(path)
		if err != nil {
			return fmt.Errorf("failed to get absolute path for %q: %w", path, err)
		}
		switch _, err := os.Stat(abs); {
		case err == nil:
			return errors.New("file exists")
		case os.IsNotExist(err):
			return nil
		default:
			return err
		}
	}
}

// HTTPAnswers fails while a HEAD request of uri is not answered with status. A
// timeout of 0 means ten seconds.
func HTTPAnswers(uri string, status int, headers http.Header, timeout time.Duration) func(context.Context) error {
	client := &http.Client{Timeout: cmp.Or(timeout, defaultTimeout)}
	return func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodHead, uri, nil)
		if err != nil {
			return fmt.Errorf("error creating request: %s: %w", uri, err)
		}
		for name, values := range headers {
			for _, v := range values {
				r.Header.Add(name, v)
			}
		}
		response, err := client.Do(r)
		if err != nil {
			return fmt.Errorf("error while checking: %s: %w", uri, err)
		}
		_ = response.Body.Close()
		if response.StatusCode != status {
			return fmt.Errorf("downstream service returned unexpected status: %d", response.StatusCode)
		}
		return nil
	}
}

// TCPConnects fails while nobody takes a connection at addr. A timeout of 0
// means ten seconds.
func TCPConnects(addr string, timeout time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		d := net.Dialer{Timeout: cmp.Or(timeout, defaultTimeout)}
		conn, err := d.DialContext(ctx, "tcp", addr)
		if err != nil {
			return fmt.Errorf("connection to %s failed: %w", addr, err)
		}
		_ = conn.Close()
		return nil
	}
}
