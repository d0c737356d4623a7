package httpd_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"berth/registry/httpd"
)

func request(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

func TestAnOperatorTakesTheRegistryOutOfService(t *testing.T) {
	t.Parallel()
	checks := &httpd.Checks{}
	changes := 0
	checks.Changed = func() { changes++ }
	debug := httpd.NewDebug(httpd.DebugOptions{Checks: checks, MetricsPath: "/m", Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "numbers")
	})}).Handler()
	api := httpd.New(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }), httpd.Options{Unwell: checks.Unwell}).Handler()
	state := func(want int, body string) {
		t.Helper()
		if w := request(debug, http.MethodGet, "/debug/health"); w.Code != want || w.Body.String() != body {
			t.Errorf("/debug/health is %d %s", w.Code, w.Body)
		}
	}
	state(http.StatusOK, "{}")
	if w := request(api, http.MethodGet, "/v2/"); w.Code != http.StatusTeapot {
		t.Errorf("well, it answers %d", w.Code)
	}
	if w := request(debug, http.MethodGet, "/debug/health/down"); w.Code != http.StatusNotFound || checks.Unwell() {
		t.Errorf("a GET turned it: %d", w.Code)
	}
	if w := request(debug, http.MethodPost, "/debug/health/down"); w.Code != http.StatusOK {
		t.Errorf("down is %d", w.Code)
	}
	state(http.StatusServiceUnavailable, `{"manual_http_status":"manual Check"}`)
	for _, path := range []string{"/", "/healthz", "/v2/", "/v2/a/blobs/x"} {
		w := request(api, http.MethodGet, path)
		var body struct {
			Errors []struct{ Code, Detail string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusServiceUnavailable || body.Errors[0].Code != "UNAVAILABLE" ||
			body.Errors[0].Detail != "health check failed: please see /debug/health" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	request(debug, http.MethodPost, "/debug/health/down")
	request(debug, http.MethodPost, "/debug/health/up")
	state(http.StatusOK, "{}")
	if changes != 2 {
		t.Errorf("told of %d changes", changes)
	}
	for path, want := range map[string]string{"/m": "numbers", "/debug/vars": "memstats", "/debug/pprof/": "goroutine", "/debug/pprof/cmdline": "test"} {
		if w := request(debug, http.MethodGet, path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestAPageCannotTakeTheRegistryOutOfService(t *testing.T) {
	t.Parallel()
	checks := &httpd.Checks{}
	debug := httpd.NewDebug(httpd.DebugOptions{Checks: checks}).Handler()
	r := httptest.NewRequest(http.MethodPost, "/debug/health/down", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	debug.ServeHTTP(httptest.NewRecorder(), r)
	if checks.Unwell() {
		t.Error("a page did it")
	}
}

func TestACheckFailsAfterItsThresholdAndComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var wrong atomic.Pointer[error]
		wrong.Store(new(error))
		checks := &httpd.Checks{}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			checks.Run(ctx,
				httpd.Check{Name: "patient", Interval: time.Second, Threshold: 3, Look: func(context.Context) error { return *wrong.Load() }},
				httpd.Check{Name: "well", Look: func(context.Context) error { return nil }})
		}()
		at := func(after time.Duration, unwell bool) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if checks.Unwell() != unwell {
				t.Errorf("failing: %v", checks.Failing())
			}
		}
		at(10*time.Second+500*time.Millisecond, false)
		no := errors.New("no")
		wrong.Store(&no)
		at(2*time.Second, false)
		at(time.Second, true)
		if f := checks.Failing(); len(f) != 1 || f["patient"] != "no" {
			t.Errorf("failing: %v", f)
		}
		wrong.Store(new(error))
		at(time.Second, false)
		cancel()
		<-ended
	})
}

func TestWhatChecksLookAt(t *testing.T) {
	t.Parallel()
	ctx, path := t.Context(), filepath.Join(t.TempDir(), "down")
	if err := httpd.FileAbsent(path)(ctx); err != nil {
		t.Errorf("no file: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := httpd.FileAbsent(path)(ctx); err == nil || err.Error() != "file exists" {
		t.Errorf("a file: %v", err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead || r.Header.Get("X-A") != "b" {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer s.Close()
	headers := http.Header{"X-A": {"b"}}
	if err := httpd.HTTPAnswers(s.URL, http.StatusOK, headers, 0)(ctx); err != nil {
		t.Error(err)
	}
	if err := httpd.HTTPAnswers(s.URL, http.StatusOK, nil, time.Second)(ctx); err == nil || !strings.Contains(err.Error(), "unexpected status: 400") {
		t.Errorf("another status: %v", err)
	}
	addr := s.Listener.Addr().String()
	if err := httpd.TCPConnects(addr, 0)(ctx); err != nil {
		t.Error(err)
	}
	s.Close()
	if err := httpd.TCPConnects(addr, time.Second)(ctx); err == nil {
		t.Error("nobody is there, and it is well")
	}
	if err := httpd.HTTPAnswers(s.URL, http.StatusOK, nil, time.Second)(ctx); err == nil {
		t.Error("nobody is there, and it is well")
	}
}

func TestASocketThatWasLeftIsTakenButNotOneThatAnswers(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "s") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	ls, err := httpd.ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = httpd.ListenUnix(t.Context(), path)
	if taken, ok := errors.AsType[*httpd.SocketTakenError](err); !ok || taken.Path != path {
		t.Errorf("two at one socket: %v", err)
	}
	ls[0].(*net.UnixListener).SetUnlinkOnClose(false) // as if it had been killed
	_ = ls[0].Close()
	ls, err = httpd.ListenUnix(t.Context(), path)
	if err != nil {
		t.Fatalf("what was left is in the way: %v", err)
	}
	_ = ls[0].Close()
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := httpd.ListenUnix(t.Context(), path); err == nil {
		t.Error("a file was taken for a socket")
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
		t.Errorf("the file is %q: %v", b, err)
	}
}

func TestAServerIsQuietWhileItsOnlyClientSendsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := httpd.New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }), httpd.Options{})
		if s.Quiet() != 0 {
			t.Error("without requests it is quiet")
		}
		in, out := io.Pipe()
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			s.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPatch, "/v2/a/blobs/uploads/x", in))
		}()
		synctest.Wait()
		_ = s.Quiet()
		time.Sleep(4 * time.Second)
		if q := s.Quiet(); q != 4*time.Second {
			t.Errorf("quiet for %v", q)
		}
		_, _ = out.Write([]byte("a byte"))
		synctest.Wait()
		if q := s.Quiet(); q != 0 {
			t.Errorf("just after a byte it was quiet for %v", q)
		}
		_ = out.Close()
		<-answered
	})
}

func TestTheDebugServerOfThisMachineAnswersToItsOwnNamesOnly(t *testing.T) {
	t.Parallel()
	debug := httpd.NewDebug(httpd.DebugOptions{Hosts: []string{"https://metrics.example"}})
	listeners, err := httpd.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- debug.Serve(listeners...) }()
	for host, want := range map[string]int{
		"localhost:5001": http.StatusOK, "127.0.0.1": http.StatusOK, "metrics.example": http.StatusOK, "rebound.example": http.StatusForbidden,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listeners[0].Addr().String()+"/debug/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _ = w.Body.Close(); w.StatusCode != want {
			t.Errorf("%s is answered %d, want %d", host, w.StatusCode, want)
		}
	}
	if err := errors.Join(debug.Close(), <-served); err != nil {
		t.Error(err)
	}
}
