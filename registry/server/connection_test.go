package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"berth/registry/registrytest"
	"berth/registry/server"
)

// line is a connection on which a test says what it likes.
type line struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func call(t *testing.T, s *site) *line {
	t.Helper()
	srv := httptest.NewServer(s.handler)
	t.Cleanup(srv.Close)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &line{t, conn, bufio.NewReader(conn)}
}

func (l *line) say(format string, args ...any) {
	l.t.Helper()
	if _, err := fmt.Fprintf(l.conn, strings.ReplaceAll(format, "\n", "\r\n"), args...); err != nil {
		l.t.Fatal(err)
	}
}

// hear reads one answer, to a request of that method.
func (l *line) hear(method string) (*http.Response, string) {
	l.t.Helper()
	resp, err := http.ReadResponse(l.in, &http.Request{Method: method})
	if err != nil {
		l.t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp, string(body)
}

func (l *line) expect(what, method string, status int) {
	l.t.Helper()
	if resp, body := l.hear(method); resp.StatusCode != status {
		l.t.Errorf("%s: %s %s, want %d", what, resp.Status, body, status)
	}
}

func TestRequestsThatAreSentAheadAreAnsweredInOrder(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	d := s.blob("a", []byte("content"))
	l := call(t, s)
	l.say("GET /v2/ HTTP/1.1\nHost: x\n\nHEAD /v2/a/blobs/%s HTTP/1.1\nHost: x\n\nGET /v2/a/blobs/%s HTTP/1.1\nHost: x\n\n"+
		"GET /v2/a/manifests/no HTTP/1.1\nHost: x\n\nHEAD /v2/a/manifests/no HTTP/1.1\nHost: x\n\nGET /v2/ HTTP/1.1\nHost: x\n\n", d, d)
	l.expect("ping", "GET", 200)
	l.expect("head", "HEAD", 200)
	if _, body := l.hear("GET"); body != "content" {
		t.Errorf("got %q", body)
	}
	l.expect("error", "GET", 404)
	l.expect("error without its body", "HEAD", 404)
	l.expect("the last", "GET", 200)
}

func TestAConnectionIsGoodAfterABodyThatWasRefused(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{ReadOnly: func() bool { return true }})
	l := call(t, s)
	body := strings.Repeat("x", 1<<20)
	l.say("PUT /v2/a/manifests/v1 HTTP/1.1\nHost: x\nContent-Length: %d\n\n%s", len(body), body)
	l.expect("read-only", "PUT", 405)
	l.say("POST /v2/a/blobs/uploads/?digest=sha256:12 HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n5\nhello\n0\n\n")
	l.expect("a bad digest", "POST", 400)
	l.say("GET /v2/ HTTP/1.1\nHost: x\n\n")
	l.expect("the next request", "GET", 200)
}

func TestABodyThatIsNotWantedIsNotAskedFor(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	for what, request := range map[string]string{
		"too large":       "PUT /v2/a/manifests/v1 HTTP/1.1\nHost: x\nContent-Length: 99999999\nExpect: 100-continue\n\n",
		"a bad name":      "PUT /v2/A/manifests/v1 HTTP/1.1\nHost: x\nContent-Length: 100\nExpect: 100-continue\n\n",
		"no such upload":  "PATCH /v2/a/blobs/uploads/no HTTP/1.1\nHost: x\nContent-Length: 99999999\nExpect: 100-continue\n\n",
		"the wrong place": "PATCH " + s.upload("a") + " HTTP/1.1\nHost: x\nContent-Range: 5-99\nContent-Length: 95\nExpect: 100-continue\n\n",
	} {
		l := call(t, s)
		l.say("%s", strings.ReplaceAll(request, "\n", "\r\n"))
		resp, body := l.hear("PUT")
		if resp.StatusCode < 400 || !resp.Close {
			t.Errorf("%s: %s %s, want an error, and the connection closed", what, resp.Status, body)
		}
	}
	l := call(t, s)
	d := digest.FromString("content")
	l.say("PUT %s HTTP/1.1\nHost: localhost:5000\nContent-Length: 7\nExpect: 100-continue\n\n", with(s.upload("a"), "digest="+string(d)))
	if resp, _ := l.hear("PUT"); resp.StatusCode != 100 {
		t.Fatalf("%s, want to be asked for the body", resp.Status)
	}
	l.say("content")
	l.expect("the body", "PUT", 201)
}

func TestOldAndChunkedClientsAreServed(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	m := registrytest.Image(t, s.reg, "a", "x")
	l := call(t, s)
	l.say("PUT /v2/a/manifests/v1 HTTP/1.1\nHost: x\nContent-Type: %s\nTransfer-Encoding: chunked\n\n%x\n%s\n0\n\n", m.MediaType, len(m.Content), m.Content)
	l.expect("a manifest of no length", "PUT", 201)
	d := digest.FromString("hello world")
	l.say("POST /v2/a/blobs/uploads/?digest=%s HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n6\nhello \n5\nworld\n0\n\n", d)
	l.expect("a blob of no length", "POST", 201)
	l.say("GET /v2/a/manifests/v1 HTTP/1.0\n\n")
	resp, body := l.hear("GET")
	if resp.StatusCode != 200 || body != string(m.Content) || !resp.Close {
		t.Errorf("HTTP/1.0 got %s, %d bytes", resp.Status, len(body))
	}
}
