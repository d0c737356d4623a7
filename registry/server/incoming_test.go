package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry/server"
)

// silent begins a PATCH, of which half comes and then nothing more. The result
// is the answer that it gets in the end; end lets it end.
func silent(t *testing.T, s *site, path, half string) (answer <-chan string, end func()) {
	t.Helper()
	srv := httptest.NewServer(s.handler)
	t.Cleanup(srv.Close)
	body, in := io.Pipe()
	t.Cleanup(func() { _ = in.Close() })
	req, err := http.NewRequestWithContext(t.Context(), "PATCH", srv.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = int64(2 * len(half))
	done := make(chan string, 1)
	go func() {
		resp, err := srv.Client().Do(req)
		if err != nil {
			done <- err.Error()
			return
		}
		_ = resp.Body.Close()
		done <- resp.Status
	}()
	if _, err := in.Write([]byte(half)); err != nil {
		t.Fatal(err)
	}
	bare, _, _ := strings.Cut(path, "?")
	want := fmt.Sprintf("0-%d", len(half)-1)
	for s.ask("GET", bare, nil).has("status while it comes", 204, "Content-Length", "-").header.Get("Range") != want {
	}
	return done, func() { _, _ = in.Write([]byte(half)) }
}

func TestAClientThatComesBackTakesItsUploadFromADeadConnection(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	path, half := s.upload("a"), strings.Repeat("0123456789", 10_000)
	done, _ := silent(t, s, path, half)
	bare, _, _ := strings.Cut(path, "?")
	a := s.ask("GET", bare, nil).has("status", 204)
	a = s.ask("PATCH", a.location(), []byte("the rest")).has("go on", 202)
	d := string(digest.FromString(half + "the rest"))
	s.ask("PUT", with(a.location(), "digest="+d), nil).has("put", 201)
	if got := <-done; strings.HasPrefix(got, "2") {
		t.Errorf("the dead request was answered %s", got)
	}
}

func TestAnUploadIsCancelledWhileItComesIn(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	path := s.upload("a")
	done, _ := silent(t, s, path, strings.Repeat("0123456789", 10_000))
	s.ask("DELETE", path, nil).has("cancel", 204)
	bare, _, _ := strings.Cut(path, "?")
	s.ask("GET", bare, nil).fails("status", 404, "BLOB_UPLOAD_UNKNOWN")
	if got := <-done; strings.HasPrefix(got, "2") {
		t.Errorf("the cancelled request was answered %s", got)
	}
}

func TestAskingHowFarAnUploadIsDoesNotDisturbIt(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	path, half := s.upload("a"), strings.Repeat("0123456789", 10_000)
	done, end := silent(t, s, path, half)
	bare, _, _ := strings.Cut(path, "?")
	s.ask("GET", bare, nil).has("status", 204)
	end()
	if got := <-done; got != "202 Accepted" {
		t.Errorf("answered %s", got)
	}
	s.ask("PUT", with(bare, "digest="+string(digest.FromString(half+half))), nil).has("put", 201)
}
