package fire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"berth/registry/driver"
	"berth/registry/driver/filesystem"
	"berth/registry/event"
	"berth/registry/filter"
	"berth/registry/httpd"
	"berth/registry/index/sqlite"
	"berth/registry/server"
	"berth/registry/store"
	"berth/registry/trash"
)

// stack is a registry as the product composes it, on a folder of its own. It
// can be closed and opened again, at the same address.
type stack struct {
	t    testing.TB
	dir  string
	addr string

	mu    sync.Mutex // guards what follows
	drv   driver.Driver
	ix    *sqlite.Index
	st    *store.Store
	trash *trash.Registry
	bin   *trash.Bin
	http  *httpd.Server
	done  chan error // of Serve
}

func newStack(t testing.TB) *stack {
	t.Helper()
	s := &stack{t: t, dir: t.TempDir(), addr: "127.0.0.1:0"}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.open(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// open opens everything. The caller holds mu.
func (s *stack) open() (err error) {
	if s.drv, err = filesystem.Open(filesystem.Options{RootDirectory: s.dir}); err != nil {
		return err
	}
	ctx := context.WithoutCancel(s.t.Context())
	if s.ix, err = sqlite.Open(ctx, filepath.Join(s.dir, "berth", "index.db"), sqlite.Options{}); err != nil {
		return err
	}
	if s.st, err = store.Open(ctx, s.drv, s.ix, store.Options{}); err != nil {
		return err
	}
	s.bin = trash.New(s.drv, 0)
	s.trash = trash.Wrap(s.st, s.st, s.bin)
	api := server.New(filter.Observe(s.trash, event.NewBus()), server.Options{Secret: []byte("0123456789abcdef")})
	s.http = httpd.New(api, httpd.Options{})
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return err
	}
	if strings.HasSuffix(s.addr, ":0") {
		s.addr = l.Addr().String() // for good
	}
	s.done = make(chan error, 1)
	go func(h *httpd.Server, done chan error) { done <- h.Serve(l) }(s.http, s.done)
	return nil
}

// close stops as the product does: requests that run get a moment.
// The caller holds mu.
func (s *stack) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = s.http.Shutdown(ctx) // its error is that requests were cut
	errs := []error{<-s.done, s.st.Close(), s.ix.Close()}
	if c, ok := s.drv.(io.Closer); ok {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func (s *stack) restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.close(); err != nil {
		return err
	}
	return s.open()
}

// await returns when it is open: a restart may be under way.
func (s *stack) await() {
	s.mu.Lock()
	defer s.mu.Unlock()
}

// newClient keeps connections, as many as it likes.
func newClient(t testing.TB) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
