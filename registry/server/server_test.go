package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/driver/filesystem"
	"berth/registry/index"
	"berth/registry/registrytest"
	"berth/registry/server"
	"berth/registry/store"
)

// site is a server over a store on files, asked with plain HTTP.
type site struct {
	t       testing.TB
	handler http.Handler
	reg     registry.Registry
}

func open(t testing.TB, o server.Options) *site {
	t.Helper()
	return openWith(t, nil, o)
}

func openWith(t testing.TB, ix index.Index, o server.Options) *site {
	t.Helper()
	drv, err := filesystem.Open(filesystem.Options{RootDirectory: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), drv, ix, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	<-st.Reconciled()
	return &site{t, server.New(st, o), st}
}

// answer is a response whose body was read.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// ask sends a request; header is pairs.
func (s *site) ask(method, uri string, body []byte, header ...string) answer {
	s.t.Helper()
	var r *http.Request
	if body == nil {
		r = httptest.NewRequest(method, uri, nil)
	} else {
		r = httptest.NewRequest(method, uri, bytes.NewReader(body))
	}
	r.Host = "localhost:5000"
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return answer{s.t, w.Code, w.Header(), w.Body.Bytes()}
}

// has fails unless the status and the headers, given as pairs, are there; "-"
// means absent.
func (a answer) has(what string, status int, header ...string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: status %d, want %d; %s", what, a.status, status, a.body)
	}
	if got := a.header.Get("Docker-Distribution-API-Version"); got != "registry/2.0" {
		a.t.Errorf("%s: API version %q", what, got)
	}
	for i := 0; i < len(header); i += 2 {
		got, there := a.header.Get(header[i]), len(a.header.Values(header[i])) > 0
		if header[i+1] == "-" && there || header[i+1] != "-" && got != header[i+1] {
			a.t.Errorf("%s: %s is %q, want %q", what, header[i], got, header[i+1])
		}
	}
	return a
}

// fails fails unless the answer is the error of the protocol.
func (a answer) fails(what string, status int, code string) answer {
	a.t.Helper()
	a.has(what, status, "Content-Type", "application/json", "Content-Length", strconv.Itoa(len(a.body)))
	var es registry.Errors
	if err := json.Unmarshal(a.body, &es); err != nil || len(es) == 0 || es[0].Code != code || es[0].Message == "" {
		a.t.Errorf("%s: want %s, the body is %s", what, code, a.body)
	}
	return a
}

// upload begins an upload, and gives the path of its Location.
func (s *site) upload(repo string) string {
	s.t.Helper()
	a := s.ask("POST", "/v2/"+repo+"/blobs/uploads/", nil)
	return a.has("start", 202).location()
}

func (a answer) location() string {
	a.t.Helper()
	path, ok := strings.CutPrefix(a.header.Get("Location"), "http://localhost:5000")
	if !ok {
		a.t.Fatalf("location %q", a.header.Get("Location"))
	}
	return path
}

// blob pushes a blob, and gives its digest.
func (s *site) blob(repo string, content []byte) registry.Digest {
	s.t.Helper()
	return registrytest.PushBlob(s.t, s.reg, repo, content).Digest
}

func with(uri, query string) string {
	if strings.Contains(uri, "?") {
		return uri + "&" + query
	}
	return uri + "?" + query
}

const absent = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func TestPingSaysItIsARegistry(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{Headers: http.Header{"x-content-type-options": {"nosniff"}}})
	a := s.ask("GET", "/v2/", nil).has("ping", 200, "Content-Type", "application/json", "Content-Length", "2", "X-Content-Type-Options", "nosniff")
	if string(a.body) != "{}" {
		t.Errorf("the body is %q", a.body)
	}
	s.ask("GET", "/v2", nil).has("without slash", 301, "Location", "/v2/")
	s.ask("OPTIONS", "/v2/a/manifests/v1", nil).has("options", 200, "Allow", "DELETE, GET, HEAD, OPTIONS, PUT")
	s.ask("POST", "/v2/", nil).fails("post", 405, "UNSUPPORTED").has("post", 405, "Allow", "GET, HEAD, OPTIONS")
	s.ask("GET", "/v2/a/b/c", nil).fails("no endpoint", 404, "UNSUPPORTED")
	a = s.ask("GET", "/v2/_oci/ext/discover", nil).has("discover", 200, "Content-Type", "application/json")
	var found struct{ Extensions []struct{ Name string } }
	if err := json.Unmarshal(a.body, &found); err != nil || len(found.Extensions) != 2 {
		t.Errorf("extensions %s: %v", a.body, err)
	}
}

func TestEveryCodeHasAStatus(t *testing.T) {
	t.Parallel()
	for _, e := range []*registry.Error{
		registry.ErrUnknown, registry.ErrUnsupported, registry.ErrUnauthorized, registry.ErrDenied, registry.ErrUnavailable, registry.ErrTooManyRequests,
		registry.ErrDigestInvalid, registry.ErrSizeInvalid, registry.ErrRangeInvalid, registry.ErrNameInvalid, registry.ErrNameUnknown, registry.ErrTagInvalid,
		registry.ErrManifestUnknown, registry.ErrManifestInvalid, registry.ErrManifestUnverified, registry.ErrManifestBlobUnknown, registry.ErrBlobUnknown,
		registry.ErrBlobUploadUnknown, registry.ErrBlobUploadInvalid, registry.ErrPaginationNumber,
	} {
		if status, ok := server.StatusOf(e.Code); !ok || status < 400 {
			t.Errorf("%s has status %d", e.Code, status)
		}
	}
}

func TestBadInputIsAnErrorOfTheProtocol(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	m := registrytest.PushImage(t, s.reg, "a", "v1")
	long := strings.Repeat("x", 129)
	for _, c := range []struct {
		method, uri string
		status      int
		code        string
	}{
		{"GET", "/v2/BAD/manifests/v1", 400, "NAME_INVALID"},
		{"GET", "/v2/a..b/tags/list", 400, "NAME_INVALID"},
		{"POST", "/v2/" + strings.Repeat("a/", 127) + "bb/blobs/uploads/", 400, "NAME_INVALID"},
		{"PUT", "/v2/a/manifests/" + long, 400, "TAG_INVALID"},
		{"DELETE", "/v2/a/manifests/" + long, 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/a/manifests/.no", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/a/manifests/v2", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/a/manifests/" + absent, 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/a/manifests/sha256:xyz", 400, "DIGEST_INVALID"},
		{"GET", "/v2/a/manifests/md5:d41d8cd98f00b204e9800998ecf8427e", 400, "DIGEST_INVALID"},
		{"GET", "/v2/a/blobs/" + absent, 404, "BLOB_UNKNOWN"},
		{"GET", "/v2/a/blobs/sha256:12", 400, "DIGEST_INVALID"},
		{"DELETE", "/v2/a/blobs/" + absent, 404, "BLOB_UNKNOWN"},
		{"GET", "/v2/a/referrers/sha256:12", 400, "DIGEST_INVALID"},
		{"GET", "/v2/nobody/tags/list", 404, "NAME_UNKNOWN"},
		{"GET", "/v2/nobody/manifests/v1", 404, "MANIFEST_UNKNOWN"},
		{"GET", "/v2/nobody/blobs/" + absent, 404, "BLOB_UNKNOWN"},
		{"GET", "/v2/a/tags/list?n=-1", 400, "PAGINATION_NUMBER_INVALID"},
		{"GET", "/v2/a/tags/list?n=x", 400, "PAGINATION_NUMBER_INVALID"},
		{"GET", "/v2/_catalog?n=x", 400, "PAGINATION_NUMBER_INVALID"},
		{"GET", "/v2/_catalog?n=1001", 400, "PAGINATION_NUMBER_INVALID"},
		{"GET", "/v2/a/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"PATCH", "/v2/a/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"PUT", "/v2/a/blobs/uploads/none?digest=" + absent, 404, "BLOB_UPLOAD_UNKNOWN"},
		{"DELETE", "/v2/a/blobs/uploads/none", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"POST", "/v2/a/blobs/uploads/?digest-algorithm=md5", 400, "DIGEST_INVALID"},
		{"POST", "/v2/a/blobs/uploads/?digest=sha256:12", 400, "DIGEST_INVALID"},
		{"POST", "/v2/a/blobs/uploads/?mount=x", 400, "DIGEST_INVALID"},
		{"DELETE", "/v2/a/manifests/none", 404, "MANIFEST_UNKNOWN"},
		{"DELETE", "/v2/a/manifests/" + absent, 404, "MANIFEST_UNKNOWN"},
		{"PUT", "/v2/a/manifests/" + string(m.Digest) + "?tag=" + strings.Repeat("t&tag=", 100) + "t", 414, "TAG_INVALID"},
	} {
		var body []byte
		if c.method == "PUT" {
			body = []byte("{}")
		}
		s.ask(c.method, c.uri, body).fails(c.method+" "+c.uri[:min(len(c.uri), 70)], c.status, c.code)
	}
}

func TestSwitchesActAtOnce(t *testing.T) {
	t.Parallel()
	deletes, readOnly := false, false
	s := open(t, server.Options{DeleteEnabled: func() bool { return deletes }, ReadOnly: func() bool { return readOnly }})
	m := registrytest.PushImage(t, s.reg, "a", "v1", "v2")
	s.ask("DELETE", "/v2/a/manifests/v1", nil).fails("tag, switched off", 405, "UNSUPPORTED")
	s.ask("DELETE", "/v2/a/manifests/"+string(m.Digest), nil).fails("manifest, switched off", 405, "UNSUPPORTED")
	s.ask("DELETE", "/v2/a/blobs/"+absent, nil).fails("blob, switched off", 405, "UNSUPPORTED")
	path := s.upload("a")
	s.ask("DELETE", path, nil).has("an upload is not deleted but cancelled", 204)
	deletes = true
	s.ask("DELETE", "/v2/a/manifests/v1", nil).has("tag", 202)
	readOnly = true
	s.ask("DELETE", "/v2/a/manifests/v2", nil).fails("read-only delete", 405, "UNSUPPORTED")
	s.ask("POST", "/v2/a/blobs/uploads/", nil).fails("read-only upload", 405, "UNSUPPORTED")
	s.ask("PUT", "/v2/a/manifests/v3", m.Content).fails("read-only push", 405, "UNSUPPORTED").
		has("read-only push", 405, "Allow", "GET, HEAD, OPTIONS")
	s.ask("GET", "/v2/a/manifests/v2", nil).has("reading", 200)
	s.ask("OPTIONS", "/v2/a/manifests/v2", nil).has("what one may", 200, "Allow", "GET, HEAD, OPTIONS")
	readOnly = false
	s.ask("PUT", "/v2/a/manifests/v3", m.Content).has("push", 201)
}

func TestLocationsBeginWhereTheClientCanCome(t *testing.T) {
	t.Parallel()
	proxy := []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "reg.example, inner"}
	standard := append([]string{"Forwarded", `for=10.0.0.1;proto=https;host="std.example:8443", for=x`}, proxy...)
	for _, c := range []struct {
		name   string
		o      server.Options
		header []string
		want   string
	}{
		{"the request's host", server.Options{}, nil, "http://localhost:5000/v2/"},
		{"X-Forwarded", server.Options{}, proxy, "https://reg.example/v2/"},
		{"Forwarded before X-Forwarded", server.Options{}, standard, "https://std.example:8443/v2/"},
		{"the configured host before all", server.Options{Host: "https://conf.example:444"}, standard, "https://conf.example:444/v2/"},
		{"the configured host before a path only", server.Options{Host: "https://conf.example", RelativeURLs: true}, standard, "https://conf.example/v2/"},
		{"the configured host has its own path", server.Options{Host: "https://conf.example/base/", Prefix: "/reg/"}, nil, "https://conf.example/base/v2/"},
		{"which ends with its last slash", server.Options{Host: "https://conf.example/base"}, nil, "https://conf.example/v2/"},
		{"a host that is no URL is absent", server.Options{Host: "conf.example:5000"}, nil, "http://localhost:5000/v2/"},
		{"a path only", server.Options{RelativeURLs: true}, standard, "/v2/"},
		{"a path has no prefix", server.Options{RelativeURLs: true, Prefix: "/reg/"}, nil, "/v2/"},
		{"below a prefix", server.Options{Prefix: "/reg/"}, nil, "http://localhost:5000/reg/v2/"},
		{"nonsense is left out", server.Options{}, []string{"X-Forwarded-Proto", "javascript", "X-Forwarded-Host", "a/b"}, "http://localhost:5000/v2/"},
		{"of several proxies the first counts", server.Options{}, []string{"X-Forwarded-Proto", "https, http"}, "https://localhost:5000/v2/"},
	} {
		s := open(t, c.o)
		a := s.ask("POST", c.o.Prefix[:max(len(c.o.Prefix)-1, 0)]+"/v2/a/blobs/uploads/", nil, c.header...)
		if got := a.header.Get("Location"); a.status != 202 || !strings.HasPrefix(got, c.want+"a/blobs/uploads/") {
			t.Errorf("%s: %d %q", c.name, a.status, got)
		}
		if c.o.RelativeURLs && c.o.Host == "" {
			s.ask("GET", a.header.Get("Location"), nil).has("the path is found", 204)
		}
	}
}

func TestWarningsGoWithEveryAnswer(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{Warnings: func() []string { return []string{`the "disk" is nearly full`, strings.Repeat("x", 5000)} }})
	a := s.ask("GET", "/v2/", nil).has("ping", 200, "Warning", `299 - "the \"disk\" is nearly full"`)
	if n := len(a.header.Values("Warning")); n != 1 {
		t.Errorf("%d warnings in 4096 bytes", n)
	}
}

func TestAHeadIsAGetWithoutItsBody(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	m := registrytest.PushImage(t, s.reg, "a", "v1")
	d := s.blob("a", []byte("some content"))
	srv := httptest.NewServer(s.handler)
	defer srv.Close()
	for _, path := range []string{"/v2/", "/v2/a/manifests/v1", "/v2/a/manifests/" + string(m.Digest), "/v2/a/blobs/" + string(d), "/v2/a/tags/list", "/v2/_catalog", "/v2/a/manifests/none"} {
		get, err := srv.Client().Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(get.Body)
		_ = get.Body.Close()
		head, err := srv.Client().Head(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = head.Body.Close()
		get.Header.Del("Date")
		head.Header.Del("Date")
		if head.StatusCode != get.StatusCode || head.ContentLength != int64(len(body)) {
			t.Errorf("%s: HEAD %d of %d bytes, GET %d of %d", path, head.StatusCode, head.ContentLength, get.StatusCode, len(body))
		}
		for key := range get.Header {
			if head.Header.Get(key) != get.Header.Get(key) {
				t.Errorf("%s: HEAD has %s %q, GET %q", path, key, head.Header.Get(key), get.Header.Get(key))
			}
		}
	}
}

func TestAnUploadSurvivesARestartWithItsSecret(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{Secret: []byte("one")})
	path := s.upload("a")
	path = s.ask("PATCH", path, []byte("first ")).has("patch", 202).location()
	s.handler = server.New(s.reg, server.Options{Secret: []byte("two")})
	s.ask("PATCH", path, []byte("x")).fails("another secret", 404, "BLOB_UPLOAD_INVALID")
	s.handler = server.New(s.reg, server.Options{Secret: []byte("one")})
	path = s.ask("PATCH", path, []byte("second")).has("patch", 202, "Range", "0-11").location()
	d := digest.FromString("first second")
	s.ask("PUT", with(path, "digest="+string(d)), nil).has("put", 201, "Docker-Content-Digest", string(d))
}
