package server_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/registrytest"
	"berth/registry/server"
)

func TestABlobHasItsHeaders(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	for _, size := range []int{0, 10, 200_000} { // none, in one write, by sendfile
		content := registrytest.Bytes(1, size)
		d := s.blob("team/app", content)
		for _, method := range []string{"GET", "HEAD"} {
			a := s.ask(method, "/v2/team/app/blobs/"+string(d), nil).has(method, 200,
				"Docker-Content-Digest", string(d), "Etag", `"`+string(d)+`"`, "Cache-Control", "max-age=31536000",
				"Content-Type", "application/octet-stream", "Content-Length", strconv.Itoa(size), "Accept-Ranges", "bytes", "Last-Modified", "-")
			if method == "GET" && !bytes.Equal(a.body, content) {
				t.Errorf("%d bytes came of %d", len(a.body), size)
			}
		}
	}
}

func TestABlobThatTheClientHasIsNotSent(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	d := s.blob("a", []byte("content"))
	uri := "/v2/a/blobs/" + string(d)
	for _, method := range []string{"GET", "HEAD"} {
		for tag, want := range map[string]int{
			`"` + string(d) + `"`: 304, string(d): 304, `W/"` + string(d) + `"`: 304, `"x", "` + string(d) + `"`: 304, "*": 304, `"` + absent + `"`: 200,
		} {
			a := s.ask(method, uri, nil, "If-None-Match", tag).has(method+" "+tag, want, "Etag", `"`+string(d)+`"`)
			if want == 304 && len(a.body) > 0 {
				t.Errorf("%s %s: a 304 of %d bytes", method, tag, len(a.body))
			}
		}
	}
}

func TestPartsOfABlobAreServed(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	for _, size := range []int{1000, 100_000} {
		content := registrytest.Bytes(2, size)
		d := s.blob("a", content)
		last := size - 1
		for header, want := range map[string][2]int{
			"bytes=0-0": {0, 0}, "bytes=10-19": {10, 19}, "bytes=990-": {990, last}, "bytes=-1": {last, last},
			"bytes=0-999999999": {0, last}, "bytes=-999999999": {0, last},
		} {
			a := s.ask("GET", "/v2/a/blobs/"+string(d), nil, "Range", header).has(header, 206,
				"Content-Range", "bytes "+strconv.Itoa(want[0])+"-"+strconv.Itoa(want[1])+"/"+strconv.Itoa(size), "Docker-Content-Digest", string(d))
			if !bytes.Equal(a.body, content[want[0]:want[1]+1]) {
				t.Errorf("%s: %d bytes came", header, len(a.body))
			}
		}
		for _, header := range []string{"bytes=" + strconv.Itoa(size) + "-", "bytes=-0", "bytes=5-4", "bytes=x-1", "bytes=-", "bytes=1", "lines=1-2", "bytes=--1"} {
			s.ask("GET", "/v2/a/blobs/"+string(d), nil, "Range", header).fails(header, 416, "RANGE_INVALID").
				has(header, 416, "Content-Range", "bytes */"+strconv.Itoa(size))
		}
		s.ask("GET", "/v2/a/blobs/"+string(d), nil, "Range", "bytes=0-1", "If-Range", `"`+string(d)+`"`).has("if-range, the same", 206)
		s.ask("GET", "/v2/a/blobs/"+string(d), nil, "Range", "bytes=0-1", "If-Range", `"other"`).has("if-range, another", 200)
	}
}

func TestSeveralPartsComeAsMultipart(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	content := registrytest.Bytes(3, 5000)
	d := s.blob("a", content)
	a := s.ask("GET", "/v2/a/blobs/"+string(d), nil, "Range", "bytes=0-9,100-199").has("two ranges", 206)
	_, params, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(bytes.NewReader(a.body), params["boundary"])
	for _, want := range [][]byte{content[0:10], content[100:200]} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(part); err != nil || !bytes.Equal(got, want) {
			t.Errorf("a part of %d bytes, %v", len(got), err)
		}
	}
}

// socket is a ResponseWriter as a connection has it: it notes whether it is
// given a plain file, which is what makes the kernel send it.
type socket struct {
	*httptest.ResponseRecorder
	file bool
}

func (s *socket) ReadFrom(r io.Reader) (int64, error) {
	if l, ok := r.(*io.LimitedReader); ok {
		_, s.file = l.R.(*os.File)
	}
	return io.Copy(s.ResponseRecorder, r)
}

func TestTheConnectionIsGivenThePlainFile(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	content := registrytest.Bytes(4, 300_000)
	d := s.blob("a", content)
	for header, want := range map[string][]byte{"": content, "bytes=1000-250000": content[1000:250_001]} {
		r := httptest.NewRequest("GET", "/v2/a/blobs/"+string(d), nil)
		if header != "" {
			r.Header.Set("Range", header)
		}
		w := &socket{ResponseRecorder: httptest.NewRecorder()}
		s.handler.ServeHTTP(w, r)
		if !w.file || !bytes.Equal(w.Body.Bytes(), want) {
			t.Errorf("range %q: a file: %v, %d bytes", header, w.file, w.Body.Len())
		}
	}
}

// broken is a registry with a blob that cannot be read.
type broken struct{ registry.Unsupported }

type brokenBlob struct{ *bytes.Reader }

func (brokenBlob) Read([]byte) (int, error) { return 0, errors.New("input/output error") }
func (brokenBlob) Close() error             { return nil }
func (brokenBlob) Descriptor() registry.Descriptor {
	return registry.Descriptor{Digest: absent, Size: 7}
}

func (broken) OpenBlob(_ context.Context, _ string, _ registry.Digest) (registry.Blob, error) {
	return brokenBlob{bytes.NewReader([]byte("content"))}, nil
}

func TestABlobThatCannotBeReadIsAnErrorAndNotHalfAnAnswer(t *testing.T) {
	t.Parallel()
	s := &site{t: t, handler: server.New(broken{}, server.Options{})}
	s.ask("GET", "/v2/a/blobs/"+absent, nil).fails("get", 500, "UNKNOWN").has("get", 500, "Cache-Control", "-", "Etag", "-")
	s.ask("GET", "/v2/a/tags/list", nil).fails("what is unsupported", 405, "UNSUPPORTED")
}

func TestABlobIsDeletedFromOneRepository(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	d := s.blob("a", []byte("shared"))
	s.blob("b", []byte("shared"))
	s.ask("DELETE", "/v2/a/blobs/"+string(d), nil).has("delete", 202, "Content-Length", "0")
	s.ask("GET", "/v2/a/blobs/"+string(d), nil).fails("get", 404, "BLOB_UNKNOWN")
	s.ask("GET", "/v2/b/blobs/"+string(d), nil).has("the other", 200)
}

func TestABlobOfSha512IsServedUnderItsName(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	content := []byte("content")
	d := digest.SHA512.FromBytes(content)
	s.ask("POST", "/v2/a/blobs/uploads/?digest="+string(d), content).has("push", 201, "Docker-Content-Digest", string(d))
	s.ask("GET", "/v2/a/blobs/"+string(d), nil).has("get", 200, "Docker-Content-Digest", string(d))
}
