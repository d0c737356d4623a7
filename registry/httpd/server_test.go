package httpd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestLocalhostIsBothLoopbacksOnOnePort(t *testing.T) {
	t.Parallel()
	ls, err := Listen(t.Context(), "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	first := ls[0].Addr().(*net.TCPAddr)
	if !first.IP.Equal(net.IPv4(127, 0, 0, 1)) || first.Port == 0 {
		t.Errorf("listens on %v", first)
	}
	if six, err := net.Listen("tcp", "[::1]:0"); err == nil {
		_ = six.Close()
		if len(ls) != 2 {
			t.Fatalf("%d listeners where IPv6 is there", len(ls))
		}
		if second := ls[1].Addr().(*net.TCPAddr); !second.IP.Equal(net.IPv6loopback) || second.Port != first.Port {
			t.Errorf("listens on %v and %v", first, second)
		}
	}
	for _, l := range ls {
		_ = l.Close()
	}
}

func TestAnAddressIsOneListener(t *testing.T) {
	t.Parallel()
	ls, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil || len(ls) != 1 {
		t.Fatalf("%v, %v", ls, err)
	}
	_ = ls[0].Close()
	if _, err := Listen(t.Context(), "nobody knows:x"); err == nil {
		t.Error("listens on nonsense")
	}
}

func TestATakenPortIsSaidAsSuch(t *testing.T) {
	t.Parallel()
	ls, err := Listen(t.Context(), "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		for _, l := range ls {
			_ = l.Close()
		}
	}()
	port := ls[0].Addr().(*net.TCPAddr).Port
	_, portText, _ := net.SplitHostPort(ls[0].Addr().String())
	for _, host := range []string{"localhost", "127.0.0.1"} {
		_, err = Listen(t.Context(), host+":"+portText)
		var taken *PortTakenError
		if !errors.As(err, &taken) || taken.Port != port {
			t.Errorf("%s: got %v", host, err)
		}
	}
}

func TestATakenSecondLoopbackFreesTheFirst(t *testing.T) {
	t.Parallel()
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return // no IPv6: nothing that could be taken
	}
	defer func() { _ = six.Close() }()
	_, port, _ := net.SplitHostPort(six.Addr().String())
	var taken *PortTakenError
	if _, err := Listen(t.Context(), "localhost:"+port); !errors.As(err, &taken) {
		t.Fatalf("got %v", err)
	}
	four, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatalf("the first loopback is still held: %v", err)
	}
	_ = four.Close()
}

// serve starts a server on loopback; stop ends it and gives Serve's error.
func serve(t *testing.T, api http.Handler, o Options) (s *Server, base string, served chan error) {
	t.Helper()
	ls, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = New(api, o)
	served = make(chan error, 1)
	go func() { served <- s.Serve(ls...) }()
	return s, "http://" + ls[0].Addr().String(), served
}

func TestShutdownLetsARunningUploadEnd(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	s, base, served := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != "first second" {
			t.Errorf("received %q, %v", body, err)
		}
		w.WriteHeader(http.StatusAccepted)
	}), Options{})
	body, in := io.Pipe()
	answered := make(chan int, 1)
	go func() {
		resp, err := http.Post(base+"/v2/", "", body)
		if err != nil {
			t.Error(err)
			answered <- 0
			return
		}
		_ = resp.Body.Close()
		answered <- resp.StatusCode
	}()
	_, _ = in.Write([]byte("first "))
	<-begun
	if s.Running() != 1 {
		t.Errorf("%d requests are running", s.Running())
	}
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	_, _ = in.Write([]byte("second"))
	_ = in.Close()
	if status := <-answered; status != http.StatusAccepted {
		t.Errorf("the upload was answered %d", status)
	}
	if err := errors.Join(<-down, <-served); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if _, err := http.Get(base); err == nil {
		t.Error("a request after the shutdown was answered")
	}
}

func TestShutdownThatMayNotWaitCutsAndWaitsForTheHandler(t *testing.T) {
	t.Parallel()
	var kept string
	begun := make(chan struct{})
	s, base, served := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		body, _ := io.ReadAll(r.Body)
		kept = string(body)
	}), Options{})
	body, in := io.Pipe()
	go func() {
		if resp, err := http.Post(base+"/v2/", "", body); err == nil {
			_ = resp.Body.Close()
		}
	}()
	_, _ = in.Write([]byte("first"))
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v", err)
	}
	if kept != "first" {
		t.Errorf("the handler had kept %q when Shutdown returned", kept)
	}
	_ = in.Close()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestTLSOnThePlainPortIsLoggedOnce(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	s, base, served := serve(t, echo, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for range 3 {
		resp, err := http.Get(strings.Replace(base, "http:", "https:", 1))
		if err == nil {
			_ = resp.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "server gave HTTP response to HTTPS client") {
			t.Errorf("clients fall back on what net/http says, which is now %v", err)
		}
	}
	resp, err := http.Get(base + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if err := errors.Join(s.Shutdown(t.Context()), <-served); err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "client tried https"); n != 1 || !strings.Contains(log.String(), "remote_addr=127.0.0.1:") {
		t.Errorf("%d lines: %s", n, log.String())
	}
}

func TestAHeaderThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	s, base, served := serve(t, echo, Options{})
	req, _ := http.NewRequestWithContext(t.Context(), "GET", base+"/v2/", nil)
	req.Header.Set("Authorization", strings.Repeat("x", 2*maxHeaderBytes))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", resp.StatusCode)
	}
	if err := errors.Join(s.Shutdown(t.Context()), <-served); err != nil {
		t.Error(err)
	}
}

func TestSeveralListenersAllServePlainHTTP(t *testing.T) {
	t.Parallel()
	for range 20 { // the second listener may come before or after net/http's own set-up
		s := New(http.NotFoundHandler(), Options{})
		var listeners []net.Listener
		for range 4 {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			listeners = append(listeners, l)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(listeners...) }()
		for _, l := range listeners {
			resp, err := http.Get("http://" + l.Addr().String() + "/")
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Fatal(err)
		}
	}
}

// tired takes no connection a few times, for want of files.
type tired struct {
	net.Listener
	left int
}

func (l *tired) Accept() (net.Conn, error) {
	if l.left == 0 {
		return l.Listener.Accept()
	}
	l.left--
	return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
}

func TestAServerWithoutFilesSaysSoOnce(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var said writes
	s := New(echo, Options{Log: slog.New(slog.NewTextHandler(&said, nil))})
	served := make(chan error, 1)
	go func() { served <- s.Serve(&tired{l, 3}) }()
	w, err := http.Get("http://" + l.Addr().String() + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Body.Close()
	if err := errors.Join(s.Shutdown(t.Context()), <-served); err != nil {
		t.Error(err)
	}
	if text := said.text.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "too many open files") {
		t.Errorf("said %s", text)
	}
}
