package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/client"
	"berth/registry/registrytest"
	"berth/registry/server"
)

// connect gives a client of h.
func connect(t *testing.T, h http.Handler, o client.Options) registry.Registry {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	o.HTTP = srv.Client()
	reg, err := client.New(srv.URL, o)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

const absent = registry.Digest("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

func TestAStatusWithoutABodyIsAnErrorOfTheProtocol(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{
		404: registry.ErrManifestUnknown, 403: registry.ErrDenied, 405: registry.ErrUnsupported, 429: registry.ErrTooManyRequests,
		503: registry.ErrUnavailable, 502: registry.ErrUnavailable, 500: registry.ErrUnknown, 418: registry.ErrUnknown, 401: registry.ErrUnauthorized,
	} {
		reg := connect(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }), client.Options{})
		if _, err := reg.ResolveTag(t.Context(), "a", "v1"); !errors.Is(err, want) {
			t.Errorf("%d: got %v, want %v", status, err, want)
		}
	}
}

func TestEveryErrorOfABodyComesBack(t *testing.T) {
	t.Parallel()
	reg := connect(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"m","detail":"x"},{"code":"OUR_OWN","message":"n"}]}`)
	}), client.Options{})
	_, err := reg.PutManifest(t.Context(), "a", registry.Manifest{Content: []byte("{}")}, "v1")
	es := registry.AsErrors(err)
	if len(es) != 2 || es[0].Detail != "x" || es[1].Code != "OUR_OWN" || !errors.Is(err, registry.ErrManifestBlobUnknown) {
		t.Errorf("got %v", err)
	}
}

func TestAnAddressIsReadAsAPersonWritesIt(t *testing.T) {
	t.Parallel()
	for base, ok := range map[string]bool{
		"localhost:5000": true, "https://reg.example/prefix/": true, "reg.example": true, "[::1]:5000": true,
		"ftp://reg.example": false, "http://": false, "http://a b": false, "": false,
	} {
		if _, err := client.New(base, client.Options{}); (err == nil) != ok {
			t.Errorf("%q: %v", base, err)
		}
	}
}

func TestCredentialsAreGivenToWhoAsksForThem(t *testing.T) {
	t.Parallel()
	inner := server.New(registrytest.NewFake(), server.Options{})
	guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "mo" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	})
	reg := connect(t, guarded, client.Options{Credential: func(context.Context, string) (string, string, error) { return "mo", "secret", nil }})
	m := registrytest.PushImage(t, reg, "a", "v1")
	if desc, err := reg.ResolveTag(t.Context(), "a", "v1"); err != nil || desc.Digest != m.Digest {
		t.Errorf("got %v, %v", desc, err)
	}
	if _, err := connect(t, guarded, client.Options{}).ResolveTag(t.Context(), "a", "v1"); !errors.Is(err, registry.ErrUnauthorized) {
		t.Errorf("without: %v", err)
	}
}

// old is a registry of the classic kind: no referrers, no tags in a push by
// digest, no pages of tags, no cancelling, nothing beside what it must say.
func old(fake *registrytest.Fake) http.Handler {
	inner := server.New(fake, server.Options{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		q.Del("tag")
		q.Del("n")
		q.Del("last")
		r.URL.RawQuery = q.Encode()
		switch {
		case strings.Contains(r.URL.Path, "/referrers/"):
			http.NotFound(w, r)
		case r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/uploads/"):
			w.WriteHeader(http.StatusMethodNotAllowed)
		case r.Header.Get("Range") != "":
			r.Header.Del("Range")
			fallthrough
		default:
			inner.ServeHTTP(w, r)
		}
	})
}

func TestAnOldRegistryIsUsedAllTheSame(t *testing.T) {
	t.Parallel()
	fake := registrytest.NewFake()
	reg := connect(t, old(fake), client.Options{})
	m := registrytest.Image(t, reg, "a", "x")
	if _, err := reg.PutManifest(t.Context(), "a", m, "v1", "v2", "v3"); err != nil {
		t.Fatal(err)
	}
	var tags []string
	for tag, err := range reg.Tags(t.Context(), "a", "v1") {
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, tag)
	}
	if !slices.Equal(tags, []string{"v2", "v3"}) {
		t.Errorf("the tags are %q", tags)
	}
	sig := registrytest.PushImage(t, reg, "a", "sig")
	entry := registrytest.Descriptor(sig)
	entry.ArtifactType = "application/x-sig"
	index := registrytest.Index(t, entry)
	long := digest.SHA512.FromBytes(m.Content)
	if _, err := reg.PutManifest(t.Context(), "a", index, "sha256-"+m.Digest.Encoded(), "sha512-"+long.Encoded()[:64]); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, subject := range []registry.Digest{m.Digest, long} {
		for desc, err := range reg.Referrers(t.Context(), "a", subject, "application/x-sig") {
			if n++; err != nil || desc.Digest != sig.Digest {
				t.Errorf("of %s: got %v, %v", subject, desc, err)
			}
		}
	}
	for desc, err := range reg.Referrers(t.Context(), "a", sig.Digest, "") {
		t.Errorf("of nobody: %v, %v", desc, err)
	}
	if n != 2 {
		t.Errorf("%d referrers, want one by each name", n)
	}
	if _, err := reg.MountBlob(t.Context(), "", "b", absent); !errors.Is(err, registry.ErrBlobUnknown) {
		t.Errorf("mount: %v", err)
	}
	content := registrytest.Bytes(1, 100_000)
	b, err := reg.OpenBlob(t.Context(), "a", registrytest.PushBlob(t, reg, "a", content).Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	if _, err := b.Seek(-5, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	if tail, err := io.ReadAll(b); err != nil || string(tail) != string(content[len(content)-5:]) {
		t.Errorf("without ranges: %x, %v", tail, err)
	}
}

func TestAManifestThatIsAnotherIsRefused(t *testing.T) {
	t.Parallel()
	reg := connect(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }), client.Options{})
	if _, err := reg.Manifest(t.Context(), "a", absent); !errors.Is(err, registry.ErrDigestInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestAListStaysOnItsHost(t *testing.T) {
	t.Parallel()
	reg := connect(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", `<http://evil.example/v2/a/tags/list>; rel="next"`)
		_, _ = io.WriteString(w, `{"tags":["v1"]}`)
	}), client.Options{})
	var got []string
	for tag, err := range reg.Tags(t.Context(), "a", "") {
		got = append(got, fmt.Sprint(tag, err != nil))
	}
	if !slices.Equal(got, []string{"v1false", "true"}) {
		t.Errorf("got %q", got)
	}
}

func TestTheNextPageIsAskedForAsTheFirst(t *testing.T) {
	t.Parallel()
	reg := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("last") == "v1" {
			_, _ = io.WriteString(w, `{"tags":["v2"]}`)
			return
		}
		// What stands behind a proxy does not know how it was asked.
		w.Header().Set("Link", "<https://"+r.Host+`/v2/a/tags/list?last=v1&n=1>; rel="next"`)
		_, _ = io.WriteString(w, `{"tags":["v1"]}`)
	}), client.Options{})
	var got []string
	for tag, err := range reg.Tags(t.Context(), "a", "") {
		got = append(got, fmt.Sprint(tag, err))
	}
	if !slices.Equal(got, []string{"v1<nil>", "v2<nil>"}) {
		t.Errorf("got %q", got)
	}
}

type torn struct {
	content string
	left    int
}

func (r *torn) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, errors.New("torn")
	}
	n := copy(p[:min(len(p), r.left)], r.content[len(r.content)-r.left:])
	r.left -= n
	return n, nil
}

func TestAStreamThatBreaksLeavesAnUploadToGoOnWith(t *testing.T) {
	t.Parallel()
	patched := make(chan struct{}, 2)
	fake := server.New(registrytest.NewFake(), server.Options{})
	reg := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fake.ServeHTTP(w, r)
		if r.Method == http.MethodPatch {
			patched <- struct{}{}
		}
	}), client.Options{})
	up, err := reg.StartUpload(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(up, &torn{strings.Repeat("x", 50_000), 50_000}); err == nil {
		t.Fatal("a torn stream arrived")
	}
	id := up.ID()
	_ = up.Close()
	<-patched // what arrived before the break may be written after it
	if up, err = reg.ResumeUpload(t.Context(), "a", id); err != nil {
		t.Fatal(err)
	}
	content := strings.Repeat("x", int(up.Size())) + " and the rest"
	if _, err := io.WriteString(up, " and the rest"); err != nil {
		t.Fatal(err)
	}
	desc, err := up.Commit(t.Context(), digest.FromString(content))
	if err != nil || desc.Size != int64(len(content)) {
		t.Errorf("committed %d bytes of %d: %v", desc.Size, len(content), err)
	}
}
