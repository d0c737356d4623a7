package httpd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"berth/registry"
)

var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte("api " + r.URL.Path))
})

// onLoopback gives a chain that checks hosts.
func onLoopback(o Options, api http.Handler) http.Handler {
	s := New(api, o)
	s.chain.loopback.Store(true)
	return s.Handler()
}

func ask(h http.Handler, method, url string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func code(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var es registry.Errors
	if err := json.Unmarshal(w.Body.Bytes(), &es); err != nil || len(es) == 0 {
		t.Fatalf("no errors in %q: %v", w.Body, err)
	}
	return es[0].Code
}

func TestANameThatAPageMadeUpIsRefused(t *testing.T) {
	t.Parallel()
	h := onLoopback(Options{Hosts: []string{"berth.test", "https://reg.example.com:5000/x"}}, echo)
	for host, want := range map[string]int{
		"localhost:5000": 200, "LOCALHOST": 200, "127.0.0.1:5000": 200, "[::1]:5000": 200, "172.18.0.1:5000": 200,
		"host.docker.internal:5000": 200, "k3d-reg.localhost:5000": 200, "berth.test": 200, "reg.example.com": 200,
		"evil.example": 403, "localhost.evil.example:5000": 403, "127.0.0.1.nip.io": 403, "": 403,
	} {
		r := httptest.NewRequest("GET", "/v2/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d, want %d", host, w.Code, want)
		}
		if want == 403 && code(t, w) != "DENIED" {
			t.Errorf("%q: %s", host, w.Body)
		}
	}
	check := httptest.NewRequest("GET", "/healthz", nil)
	check.Host, check.Proto, check.ProtoMinor = "", "HTTP/1.0", 0
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, check); w.Code != 200 {
		t.Errorf("a health check in HTTP/1.0, which has no Host: %d", w.Code)
	}
	if w := ask(New(echo, Options{}).Handler(), "GET", "http://any.example/v2/"); w.Code != 200 {
		t.Errorf("a registry on the network has any name: %d", w.Code)
	}
}

func TestAPageOfAnotherOriginChangesNothing(t *testing.T) {
	t.Parallel()
	h := onLoopback(Options{Origins: []string{"https://ui.example"}}, echo)
	for _, c := range []struct {
		method, origin string
		want           int
	}{
		{"POST", "https://evil.example", 403},
		{"DELETE", "https://evil.example", 403},
		{"POST", "https://ui.example", 200},
		{"GET", "https://evil.example", 200},
	} {
		w := ask(h, c.method, "http://localhost/v2/a/blobs/uploads/", "Origin", c.origin, "Sec-Fetch-Site", "cross-site")
		if w.Code != c.want {
			t.Errorf("%s from %s: %d, want %d", c.method, c.origin, w.Code, c.want)
		}
		if allowed := w.Header().Get("Access-Control-Allow-Origin"); (allowed != "") != (c.origin == "https://ui.example") {
			t.Errorf("%s from %s: allowed origin %q", c.method, c.origin, allowed)
		}
	}
}

func TestAPreflightIsAnsweredForAllowedOriginsOnly(t *testing.T) {
	t.Parallel()
	h := onLoopback(Options{Origins: []string{"https://ui.example"}}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
	preflight := func(origin string) *httptest.ResponseRecorder {
		return ask(h, "OPTIONS", "http://localhost/v2/a/manifests/v1", "Origin", origin,
			"Access-Control-Request-Method", "DELETE", "Access-Control-Request-Headers", "authorization")
	}
	w := preflight("https://ui.example")
	if w.Code != 200 || w.Header().Get("Access-Control-Allow-Methods") != "DELETE" || w.Header().Get("Access-Control-Allow-Origin") != "https://ui.example" {
		t.Errorf("allowed: %d %v", w.Code, w.Header())
	}
	if w := preflight("https://evil.example"); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("not allowed: %v", w.Header())
	}
	if w := ask(h, "OPTIONS", "http://localhost/v2/a/manifests/v1"); w.Code != http.StatusUnauthorized {
		t.Errorf("no page at all: %d", w.Code)
	}
	if w := ask(onLoopback(Options{}, echo), "GET", "http://localhost/v2/", "Origin", "https://ui.example"); w.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("off by default: %v", w.Header())
	}
}

func TestAPanicIsAnErrorOfTheProtocol(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := New(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("oh no") }),
		Options{Log: slog.New(slog.NewTextHandler(&log, nil))}).Handler()
	if w := ask(h, "GET", "/v2/"); w.Code != 500 || code(t, w) != "UNKNOWN" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "oh no") || !strings.Contains(log.String(), "chain_test.go") {
		t.Errorf("the log has no stack: %s", log.String())
	}
}

func TestTheAccessLogIsCombinedAndCountsWhatWasSent(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := New(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("12345"))
		_, _ = w.Write([]byte("678"))
	}), Options{AccessLog: &log})
	ask(s.Handler(), "GET", "/v2/a?x=1", "User-Agent", "a\"b\nc", "Referer", "r")
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^192\.0\.2\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /v2/a\?x=1 HTTP/1\.1" 202 8 "r" "a\\"b\\x0ac"\n$`)
	if !want.MatchString(log.String()) {
		t.Errorf("got %q", log.String())
	}
}

func TestWhoCallsIsInTheContext(t *testing.T) {
	t.Parallel()
	var got []registry.Caller
	api := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, registry.CallerFrom(r.Context())) })
	for _, trust := range []bool{false, true} {
		h := New(api, Options{TrustProxy: trust}).Handler()
		ask(h, "PUT", "http://reg.example/v2/", "User-Agent", "docker/28", "X-Forwarded-For", "10.1.2.3, 10.0.0.1")
	}
	a, b := got[0], got[1]
	if a.RemoteAddr != "192.0.2.1:1234" || b.RemoteAddr != "10.1.2.3" {
		t.Errorf("remote addresses %q and %q", a.RemoteAddr, b.RemoteAddr)
	}
	if a.Method != "PUT" || a.UserAgent != "docker/28" || a.Host != "reg.example" || a.RequestID == "" || a.RequestID == b.RequestID {
		t.Errorf("got %+v and %+v", a, b)
	}
}

func TestHealthIsAsked(t *testing.T) {
	t.Parallel()
	var ill error
	h := New(echo, Options{Health: func(context.Context) error { return ill }}).Handler()
	if w := ask(h, "GET", "/healthz"); w.Code != 200 || !strings.Contains(w.Body.String(), "ok") {
		t.Errorf("well: %d %s", w.Code, w.Body)
	}
	ill = errors.New("the disk is gone")
	if w := ask(h, "GET", "/healthz"); w.Code != 503 || !strings.Contains(w.Body.String(), "the disk is gone") {
		t.Errorf("ill: %d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/"); w.Code != 200 || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("root: %d %v", w.Code, w.Header())
	}
}

// sendfileSpy is a connection's ResponseWriter that notes what it may send by
// itself.
type sendfileSpy struct {
	*httptest.ResponseRecorder
	file bool
}

func (s *sendfileSpy) ReadFrom(r io.Reader) (int64, error) {
	if l, ok := r.(*io.LimitedReader); ok {
		_, s.file = l.R.(*os.File)
	}
	return io.Copy(s.ResponseRecorder, r)
}

func TestTheChainLetsTheConnectionSendAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	h := onLoopback(Options{AccessLog: io.Discard}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, err := os.Open(path)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = f.Close() }()
		http.ServeContent(w, r, "", time.Time{}, f)
	}))
	spy := &sendfileSpy{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(spy, httptest.NewRequest("GET", "http://localhost/v2/x", nil))
	if !spy.file || spy.Body.Len() != 1000 {
		t.Errorf("the connection saw the file: %v; %d bytes came", spy.file, spy.Body.Len())
	}
}

func TestTheNextRequestIsToldOnce(t *testing.T) {
	t.Parallel()
	s := New(echo, Options{})
	told := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	ask(s.Handler(), "GET", "/v2/")
	awake := s.Awake()
	if told(awake) || s.Requests() != 1 {
		t.Errorf("told of what was before, %d requests", s.Requests())
	}
	ask(s.Handler(), "GET", "/v2/")
	ask(s.Handler(), "GET", "/v2/")
	if !told(awake) || told(awake) || s.Requests() != 3 {
		t.Errorf("not told once of %d requests", s.Requests())
	}
}

func TestAProxyAtASocketSaysWhoCalls(t *testing.T) {
	t.Parallel()
	var got string
	h := New(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = registry.CallerFrom(r.Context()).RemoteAddr }), Options{}).Handler()
	for _, peer := range []string{"@", ""} { // how a client at a socket is called on Linux, and elsewhere
		r := httptest.NewRequest("GET", "/v2/", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", "10.1.2.3")
		if h.ServeHTTP(httptest.NewRecorder(), r); got != "10.1.2.3" {
			t.Errorf("at %q, %q calls", peer, got)
		}
	}
}

func TestWhoIsNotLetInHearsWhichSettingHelps(t *testing.T) {
	t.Parallel()
	h := onLoopback(Options{}, echo)
	if body := ask(h, "GET", "http://registry.example/v2/").Body.String(); !strings.Contains(body, "http.host") {
		t.Errorf("a foreign host hears %s", body)
	}
	if body := ask(h, "PUT", "http://localhost/v2/", "Origin", "https://page.example").Body.String(); !strings.Contains(body, "http.headers") {
		t.Errorf("a foreign origin hears %s", body)
	}
}

func TestPagesMaySendEveryHeaderIfTheOperatorSaysSo(t *testing.T) {
	t.Parallel()
	for _, headers := range [][]string{{"*"}, nil} {
		h := New(echo, Options{Origins: []string{"https://ui.example"}, CORS: CORS{Headers: headers}}).Handler()
		w := ask(h, "OPTIONS", "http://localhost/v2/", "Origin", "https://ui.example",
			"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "x-one,x-two")
		if allowed := w.Header().Get("Access-Control-Allow-Headers"); (allowed == "X-One,X-Two") != (headers != nil) || (w.Code == 200) != (headers != nil) {
			t.Errorf("with %q: %d, allowed %q", headers, w.Code, allowed)
		}
	}
}
