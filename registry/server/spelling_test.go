package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/registrytest"
	"berth/registry/server"
)

func TestAPathHasOneSpellingAndReadersAreSentToIt(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{Prefix: "/reg"})
	registrytest.PushImage(t, s.reg, "a/b", "v1")
	for from, to := range map[string]string{
		"/reg/v2":                                 "/reg/v2/",
		"/reg/v2?x=1":                             "/reg/v2/?x=1",
		"//reg/v2/":                               "/reg/v2/",
		"/reg/v2//a/b/tags/list":                  "/reg/v2/a/b/tags/list",
		"/reg/v2/a//b/tags/list?n=2":              "/reg/v2/a/b/tags/list?n=2",
		"/reg/v2/a/c/../b/tags/list":              "/reg/v2/a/b/tags/list",
		"/reg/v2/a/%2e%2e/a/b/tags/list":          "/reg/v2/a/b/tags/list",
		"/reg/v2/./a/b/tags/list":                 "/reg/v2/a/b/tags/list",
		"/reg/v2/a/b/tags/list/":                  "/reg/v2/a/b/tags/list",
		"/reg/v2/_catalog/":                       "/reg/v2/_catalog",
		"/reg/v2/a/b/manifests/v1/":               "/reg/v2/a/b/manifests/v1",
		"/reg/v2/a/b/blobs/" + absent + "/":       "/reg/v2/a/b/blobs/" + absent,
		"/reg/v2//a/b/blobs/uploads//":            "/reg/v2/a/b/blobs/uploads/",
		"/reg/../..//evil.example/..//evil.test/": "/evil.test/",
	} {
		s.ask("GET", from, nil).has(from, 301, "Location", to)
		s.ask("HEAD", from, nil).has("HEAD "+from, 301, "Location", to)
	}
	s.ask("PUT", "/reg/v2//a/b/manifests/v1", []byte("{}")).fails("who writes is told", 400, "NAME_INVALID")
	s.ask("POST", "/reg/v2/a//b/blobs/uploads/", nil).fails("who writes is told", 400, "NAME_INVALID")
	s.ask("GET", "/reg/v2/a/b/nothing", nil).fails("no such endpoint", 404, "UNSUPPORTED")
	s.ask("GET", "/v2/", nil).fails("beside the prefix", 404, "UNSUPPORTED")
	s.ask("GET", "/reg/v2/a%2Fb/tags/list", nil).has("an escaped slash is a slash", 200)
}

func TestTheDetailOfAnErrorIsThatOfDistribution(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	registrytest.PushImage(t, s.reg, "a", "v1")
	upload := s.upload("a")
	for _, c := range []struct{ method, uri, detail string }{
		{"GET", "/v2/a/manifests/no", `"unknown tag=no"`},
		{"GET", "/v2/a/manifests/" + absent, `"unknown manifest name=a revision=` + absent + `"`},
		{"GET", "/v2/no/tags/list", `{"name":"no"}`},
		{"GET", "/v2/a/blobs/" + absent, `"` + absent + `"`},
		{"GET", "/v2/a/blobs/sha256:12", `"invalid checksum digest length"`},
		{"GET", "/v2/a/blobs/md5:" + strings.Repeat("a", 32), `"unsupported digest algorithm"`},
		{"GET", "/v2/a/manifests/sha256:" + strings.Repeat("A", 64), `"invalid checksum digest format"`},
		{"GET", "/v2/a/manifests/sha384:" + strings.Repeat("a", 96), `"unsupported digest algorithm"`},
		{"PUT", upload, `"digest missing"`},
		{"PUT", with(upload, "digest=x"), `"digest parsing failed"`},
		{"GET", "/v2/a/tags/list?n=-7", `{"n":-7}`},
		{"GET", "/v2/a/tags/list?n=x", `{"n":0}`},
		{"GET", "/v2/_catalog?n=x", `{"n":"x"}`},
		{"GET", "/v2/_catalog?n=5000", `{"n":5000}`},
	} {
		a := s.ask(c.method, c.uri, nil)
		var body struct {
			Errors []struct{ Detail json.RawMessage }
		}
		if err := json.Unmarshal(a.body, &body); err != nil || len(body.Errors) != 1 || string(body.Errors[0].Detail) != c.detail {
			t.Errorf("%s %s: got %s, want the detail %s", c.method, c.uri, a.body, c.detail)
		}
		if !strings.HasSuffix(string(a.body), "}\n") {
			t.Errorf("%s %s: the body does not end its line: %q", c.method, c.uri, a.body)
		}
	}
}

func TestConditionsOfABlobAreThoseOfHTTP(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	for _, size := range []int{10, 200_000} {
		d := string(s.blob("a", registrytest.Bytes(5, size)))
		uri, tag := "/v2/a/blobs/"+d, `"`+d+`"`
		s.ask("GET", uri, nil, "If-None-Match", tag).has("the same", 304, "Cache-Control", "max-age=31536000", "Docker-Content-Digest", d)
		s.ask("GET", uri, nil, "If-Match", tag).has("if it is that", 200, "Docker-Content-Digest", d)
		s.ask("GET", uri, nil, "If-Match", `"other"`).has("if it is another", 412)
		s.ask("HEAD", uri, nil, "Range", "bytes=0-3").has("only GET has parts", 200, "Content-Range", "-")
		s.ask("GET", uri, nil, "Range", "bytes=500000-").fails("beyond", 416, "RANGE_INVALID").
			has("beyond", 416, "Docker-Content-Digest", d, "Cache-Control", "-")
		s.ask("GET", uri+"?ns=docker.io", nil, "OCI-Namespace", "docker.io").has("as a mirror is asked", 200)
	}
}

func TestReferrersShowWhatTheirManifestsSay(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	subject := registrytest.Descriptor(registrytest.PushImage(t, s.reg, "a", "v1"))
	put := func(m any, mediaType string) string {
		content, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		a := s.ask("PUT", "/v2/a/manifests/"+string(registry.Digest(absent).Algorithm().FromBytes(content)), content, "Content-Type", mediaType)
		return a.has("put", 201, "OCI-Subject", string(subject.Digest)).header.Get("Docker-Content-Digest")
	}
	config := registrytest.PushBlob(t, s.reg, "a", []byte("{}"))
	config.MediaType = "application/vnd.example.config"
	image := func(n, artifactType string) string {
		m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: config, Layers: []ocispec.Descriptor{}, Subject: &subject, ArtifactType: artifactType, Annotations: map[string]string{"n": n}}
		m.SchemaVersion = 2
		return put(m, m.MediaType)
	}
	index := func(artifactType string) string {
		m := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{}, Subject: &subject, ArtifactType: artifactType}
		m.SchemaVersion = 2
		return put(m, m.MediaType)
	}
	want := map[string]string{
		image("1", ""): config.MediaType, image("2", "x/sbom"): "x/sbom", image("3", "x/sbom"): "x/sbom", image("4", "x/sbom"): "x/sbom",
		index("x/sbom"): "x/sbom", index(""): "",
	}
	uri := "/v2/a/referrers/" + string(subject.Digest)
	for _, d := range s.descriptors(uri) {
		if at, ok := want[string(d.Digest)]; !ok || at != d.ArtifactType || d.Size == 0 || d.MediaType == "" {
			t.Errorf("listed as %+v, want the type %q", d, at)
		}
	}
	pages, seen := 0, map[string]bool{}
	for next := uri + "?n=3&artifactType=x%2Fsbom"; next != ""; pages++ {
		for _, d := range s.descriptors(next) {
			if seen[string(d.Digest)] || d.ArtifactType != "x/sbom" {
				t.Errorf("page %d has %+v", pages, d)
			}
			seen[string(d.Digest)] = true
		}
		a := s.ask("GET", next, nil).has("page", 200, "OCI-Filters-Applied", "artifactType")
		next, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
		if next != "" && !strings.Contains(next, "artifactType=x%2Fsbom") {
			t.Fatalf("the next page forgets the filter: %s", next)
		}
	}
	if len(seen) != 4 || pages != 2 {
		t.Errorf("%d of 4 referrers on %d pages", len(seen), pages)
	}
}

// descriptors gives the entries of an index that is served at uri.
func (s *site) descriptors(uri string) []registry.Descriptor {
	s.t.Helper()
	var index ocispec.Index
	if err := json.Unmarshal(s.ask("GET", uri, nil).has(uri, 200).body, &index); err != nil {
		s.t.Fatal(err)
	}
	return index.Manifests
}
