package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/server"
)

func TestABlobComesInChunks(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	a := s.ask("POST", "/v2/a/blobs/uploads/", nil).has("start", 202, "Range", "0-0", "Content-Length", "0")
	id := a.header.Get("Docker-Upload-UUID")
	if id == "" || !strings.Contains(a.header.Get("Location"), "/blobs/uploads/"+id+"?_state=") {
		t.Fatalf("upload %q at %q", id, a.header.Get("Location"))
	}
	a = s.ask("PATCH", a.location(), []byte("one "), "Content-Type", "application/octet-stream").has("patch", 202, "Range", "0-3", "Docker-Upload-UUID", id)
	a = s.ask("PATCH", a.location(), []byte("two "), "Content-Range", "4-7").has("patch with range", 202, "Range", "0-7")
	s.ask("GET", "/v2/a/blobs/uploads/"+id, nil).has("status without state", 204, "Range", "0-7", "Docker-Upload-UUID", id, "Content-Length", "-")
	d := digest.FromString("one two three")
	a = s.ask("PUT", with(a.location(), "digest="+string(d)), []byte("three"), "Content-Range", "8-12").has("put", 201,
		"Location", "http://localhost:5000/v2/a/blobs/"+string(d), "Docker-Content-Digest", string(d), "Content-Length", "0")
	if got := s.ask("GET", a.location(), nil).has("get", 200); string(got.body) != "one two three" {
		t.Errorf("got %q", got.body)
	}
	s.ask("GET", "/v2/a/blobs/uploads/"+id, nil).fails("status after commit", 404, "BLOB_UPLOAD_UNKNOWN")
}

func TestAChunkOutOfOrderSaysWhereTheUploadIs(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	start := s.upload("a")
	now := s.ask("PATCH", start, []byte("12345")).has("patch", 202).location()
	d := "digest=" + string(digest.FromString("12345"))
	bare, _, _ := strings.Cut(now, "?")
	for what, a := range map[string]answer{
		"an old state":               s.ask("PATCH", start, []byte("12345")),
		"an old state in PUT":        s.ask("PUT", with(start, d), nil),
		"a gap":                      s.ask("PATCH", now, []byte("78"), "Content-Range", "6-7"),
		"a gap without state":        s.ask("PATCH", bare, []byte("78"), "Content-Range", "6-7"),
		"a gap in PUT":               s.ask("PUT", with(now, d), []byte("78"), "Content-Range", "6-7"),
		"a repeat":                   s.ask("PATCH", now, []byte("12345"), "Content-Range", "0-4"),
		"a range that is not one":    s.ask("PATCH", now, []byte("6"), "Content-Range", "five-five"),
		"a range that ends too soon": s.ask("PATCH", now, []byte("6"), "Content-Range", "5-4"),
	} {
		a.fails(what, 416, "RANGE_INVALID").has(what, 416, "Range", "0-4")
		if a.location() == "" || a.header.Get("Docker-Upload-UUID") == "" {
			t.Errorf("%s: cannot go on: %v", what, a.header)
		}
	}
	a := s.ask("PATCH", now, []byte("6"), "Content-Range", "5-6").fails("too short", 400, "SIZE_INVALID")
	s.ask("PUT", with(a.location(), d), nil).has("go on", 201)
}

func TestAnUploadGoesOnWithoutItsState(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	bare, _, _ := strings.Cut(s.upload("a"), "?")
	s.ask("PATCH", bare, []byte("12")).has("patch", 202, "Range", "0-1")
	s.ask("PUT", with(bare, "digest="+string(digest.FromString("123"))), []byte("3")).has("put", 201)
}

func TestAStateThatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	one, two := s.upload("a"), s.upload("a")
	path, _, _ := strings.Cut(one, "?")
	_, state, _ := strings.Cut(two, "?")
	for what, query := range map[string]string{"another upload's": state, "no base64": "_state=%25", "too short": "_state=aGFsbG8=", "forged": strings.Replace(state, "=", "=AAAA", 1)} {
		s.ask("PATCH", path+"?"+query, []byte("x")).fails(what, 404, "BLOB_UPLOAD_INVALID")
	}
	s.ask("PATCH", one, []byte("x")).has("its own", 202)
}

func TestAWrongDigestLosesTheUpload(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	path := s.ask("PATCH", s.upload("a"), []byte("content")).location()
	s.ask("PUT", path, nil).fails("no digest", 400, "DIGEST_INVALID")
	s.ask("PUT", with(path, "digest=x"), nil).fails("no digest at all", 400, "DIGEST_INVALID")
	s.ask("PUT", with(path, "digest="+absent), nil).fails("another digest", 400, "DIGEST_INVALID")
	s.ask("PUT", with(path, "digest="+string(digest.FromString("content"))), nil).fails("too late", 404, "BLOB_UPLOAD_UNKNOWN")
	s.ask("POST", "/v2/a/blobs/uploads/?digest="+absent, []byte("x")).fails("in one request", 400, "DIGEST_INVALID")
}

func TestABlobComesInOneRequest(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	d := string(digest.FromString("content"))
	s.ask("POST", "/v2/a/blobs/uploads/?digest="+d, []byte("content")).has("post", 201, "Docker-Content-Digest", d, "Location", "http://localhost:5000/v2/a/blobs/"+d)
	s.ask("POST", "/v2/b/blobs/uploads/?digest="+absent, nil).has("nothing", 201)
	early := s.ask("POST", "/v2/b/blobs/uploads/?digest="+d, nil).has("a digest and no body", 202).location()
	s.ask("PUT", with(early, "digest="+d), []byte("content")).has("the body later", 201)
	s.ask("PUT", with(s.upload("c"), "digest="+d), []byte("content")).has("put without patch", 201)
	s.ask("POST", "/v2/a/blobs/uploads/?digest-algorithm=sha512", nil).has("an algorithm", 202)
}

func TestABlobIsMountedOrBegun(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	d := string(s.blob("from/here", []byte("layer")))
	s.ask("POST", "/v2/to/a/blobs/uploads/?from=from%2Fhere&mount="+d, nil).has("mount", 201, "Location", "http://localhost:5000/v2/to/a/blobs/"+d, "Docker-Content-Digest", d)
	s.ask("GET", "/v2/to/a/blobs/"+d, nil).has("get", 200)
	s.ask("POST", "/v2/to/b/blobs/uploads/?mount="+d, nil).has("anonymous", 201)
	for what, query := range map[string]string{
		"nowhere": "mount=" + absent, "not there": "from=to%2Fother&mount=" + d, "a from without a mount": "from=from%2Fhere",
	} {
		a := s.ask("POST", "/v2/to/c/blobs/uploads/?"+query, nil).has(what, 202, "Range", "0-0")
		s.ask("PUT", with(a.location(), "digest="+d), []byte("layer")).has(what+", uploaded", 201)
		s.ask("DELETE", "/v2/to/c/blobs/"+d, nil).has(what+", deleted", 202)
	}
}

func TestACancelledUploadIsGone(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	path := s.upload("a")
	s.ask("DELETE", path, nil).has("delete", 204)
	s.ask("PATCH", path, []byte("x")).fails("patch", 404, "BLOB_UPLOAD_UNKNOWN")
	s.ask("DELETE", path, nil).fails("again", 404, "BLOB_UPLOAD_UNKNOWN")
}

func TestABodyThatIsNotBytesIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	s.ask("PATCH", s.upload("a"), []byte("x=1"), "Content-Type", "application/x-www-form-urlencoded").fails("patch", 415, "UNSUPPORTED")
}

func TestWhatArrivedBeforeTheClientWentIsKept(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	ended := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		s.handler.ServeHTTP(w, r)
	}))
	defer srv.Close()
	path := s.upload("a")
	content := strings.Repeat("0123456789", 10_000)
	// The length is a promise that is broken half way.
	body := io.MultiReader(strings.NewReader(content[:60_000]), errorReader{})
	req, err := http.NewRequestWithContext(t.Context(), "PATCH", srv.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = int64(len(content))
	if resp, err := srv.Client().Do(req); err == nil {
		t.Fatalf("the broken request was answered %s", resp.Status)
	}
	<-ended
	bare, _, _ := strings.Cut(path, "?")
	a := s.ask("GET", bare, nil).has("status", 204)
	var last int
	if _, err := fmt.Sscanf(a.header.Get("Range"), "0-%d", &last); err != nil || last < 1 {
		t.Fatalf("kept %q", a.header.Get("Range"))
	}
	a = s.ask("PATCH", a.location(), []byte(content[last+1:]), "Content-Range", fmt.Sprintf("%d-%d", last+1, len(content)-1)).has("go on", 202)
	s.ask("PUT", with(a.location(), "digest="+string(digest.FromString(content))), nil).has("put", 201)
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, errors.New("the cable is out") }

// full is a registry whose disk takes four bytes.
type full struct {
	registry.Unsupported
	up *fullUpload
}

type fullUpload struct {
	registry.Upload
	size   int64
	closed bool
	gone   bool
	err    error
}

func (f full) ResumeUpload(context.Context, string, string) (registry.Upload, error) {
	return f.up, nil
}
func (u *fullUpload) ID() string   { return "u" }
func (u *fullUpload) Size() int64  { return u.size }
func (u *fullUpload) Close() error { u.closed = true; return nil }

func (u *fullUpload) Cancel(context.Context) error { u.gone = true; return nil }

func (u *fullUpload) Write([]byte) (int, error) {
	u.size = 4
	return 4, fmt.Errorf("write upload: %w", u.err)
}

func TestAnUploadThatCannotBeWrittenIsKeptButNotOnAFullDisk(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]struct {
		status int
		code   string
	}{
		driver.ErrNoSpace: {507, "DENIED"}, driver.ErrReadOnly: {405, "UNSUPPORTED"}, errors.New("bad sector"): {500, "UNKNOWN"},
	} {
		for _, method := range []string{"PATCH", "PUT"} {
			up := &fullUpload{err: err}
			s := &site{t: t, handler: server.New(full{up: up}, server.Options{})}
			a := s.ask(method, "/v2/a/blobs/uploads/u?digest="+digest.FromString("12345678").String(), []byte("12345678")).fails(err.Error(), want.status, want.code)
			if want.status == 507 {
				// What has come would take the room that is missing.
				if !up.gone || !strings.Contains(string(a.body), "no space left") {
					t.Errorf("%s: %v: the upload is kept: %s", method, err, a.body)
				}
				continue
			}
			a.has(err.Error(), want.status, "Range", "0-3")
			if !up.closed || up.gone || a.location() == "" {
				t.Errorf("%s: %v: the upload cannot go on", method, err)
			}
		}
	}
}
