package server_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"berth/registry"
	"berth/registry/registrytest"
	"berth/registry/server"
)

func TestAManifestIsPushedAndPulledByTagAndByDigest(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	m := registrytest.Image(t, s.reg, "team/app", "x")
	s.ask("PUT", "/v2/team/app/manifests/v1", m.Content, "Content-Type", m.MediaType+"; charset=utf-8").has("put", 201,
		"Location", "http://localhost:5000/v2/team/app/manifests/"+string(m.Digest), "Docker-Content-Digest", string(m.Digest), "OCI-Subject", "-", "OCI-Tag", "-")
	for _, ref := range []string{"v1", string(m.Digest)} {
		for _, accept := range []string{"", "*/*", m.MediaType, "application/vnd.docker.distribution.manifest.v2+json"} {
			for _, method := range []string{"GET", "HEAD"} {
				a := s.ask(method, "/v2/team/app/manifests/"+ref, nil, "Accept", accept).has(method+" "+ref, 200,
					"Content-Type", m.MediaType, "Content-Length", strconv.Itoa(len(m.Content)), "Docker-Content-Digest", string(m.Digest), "Etag", `"`+string(m.Digest)+`"`)
				if method == "GET" && !bytes.Equal(a.body, m.Content) {
					t.Errorf("other bytes came")
				}
			}
		}
		a := s.ask("GET", "/v2/team/app/manifests/"+ref, nil, "If-None-Match", string(m.Digest)).has("304", 304, "Etag", `"`+string(m.Digest)+`"`)
		if len(a.body) > 0 {
			t.Errorf("a 304 of %d bytes", len(a.body))
		}
	}
	s.ask("PUT", "/v2/team/app/manifests/"+absent, m.Content).fails("another digest", 400, "DIGEST_INVALID")
}

func TestOnePushByDigestSetsTags(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	m := registrytest.Image(t, s.reg, "a", "x")
	a := s.ask("PUT", "/v2/a/manifests/"+string(m.Digest)+"?tag=one&tag=two", m.Content, "Content-Type", m.MediaType).has("put", 201)
	if tags := a.header.Values("OCI-Tag"); !slices.Equal(tags, []string{"one", "two"}) {
		t.Errorf("OCI-Tag is %q", tags)
	}
	for _, tag := range []string{"one", "two"} {
		s.ask("HEAD", "/v2/a/manifests/"+tag, nil).has(tag, 200, "Docker-Content-Digest", string(m.Digest))
	}
}

func TestAManifestLargerThanFourMiBIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	m := registrytest.Image(t, s.reg, "a", "x")
	head := strings.TrimSuffix(strings.TrimSpace(string(m.Content)), "}") + `,"annotations":{"pad":"`
	pad := func(size int) []byte {
		return []byte(head + strings.Repeat("x", size-len(head)-3) + `"}}`)
	}
	s.ask("PUT", "/v2/a/manifests/v1", pad(registry.MaxManifestSize), "Content-Type", m.MediaType).has("4 MiB", 201)
	s.ask("PUT", "/v2/a/manifests/v2", pad(registry.MaxManifestSize+1), "Content-Type", m.MediaType).fails("one more", 413, "MANIFEST_INVALID")
	s.ask("GET", "/v2/a/manifests/v2", nil).fails("get", 404, "MANIFEST_UNKNOWN")
}

func TestAManifestIsChecked(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	m := registrytest.Image(t, s.reg, "has/all", "x")
	s.blob("has/none", []byte("other"))
	a := s.ask("PUT", "/v2/has/none/manifests/v1", m.Content, "Content-Type", m.MediaType).fails("parents are missing", 400, "MANIFEST_BLOB_UNKNOWN")
	var body struct {
		Errors []struct{ Code, Detail string }
	}
	if err := json.Unmarshal(a.body, &body); err != nil || len(body.Errors) != 2 || !strings.HasPrefix(body.Errors[1].Detail, "sha256:") {
		t.Errorf("want an error for each, with its digest: %s", a.body)
	}
	for what, c := range map[string]struct{ mediaType, body string }{
		"nothing": {m.MediaType, ""}, "no JSON": {m.MediaType, "x"}, "a number": {m.MediaType, "7"},
		"another media type": {"application/vnd.oci.image.index.v1+json", string(m.Content)},
		"an unknown one":     {"text/plain", string(m.Content)},
	} {
		s.ask("PUT", "/v2/has/all/manifests/v1", []byte(c.body), "Content-Type", c.mediaType).fails(what, 400, "MANIFEST_INVALID")
	}
}

func TestDeletingByTagLeavesTheManifest(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	m := registrytest.PushImage(t, s.reg, "a", "v1", "v2")
	s.ask("DELETE", "/v2/a/manifests/v1", nil).has("tag", 202)
	s.ask("GET", "/v2/a/manifests/v1", nil).fails("gone", 404, "MANIFEST_UNKNOWN")
	s.ask("GET", "/v2/a/manifests/v2", nil).has("its sibling", 200)
	s.ask("DELETE", "/v2/a/manifests/"+string(m.Digest), nil).has("manifest", 202)
	s.ask("GET", "/v2/a/manifests/v2", nil).fails("gone with it", 404, "MANIFEST_UNKNOWN")
}

func TestARepositoryThatLostAllItsTagsIsEmptyAndNotUnknown(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	m := registrytest.PushImage(t, s.reg, "a", "v1")
	s.ask("DELETE", "/v2/a/manifests/v1", nil).has("tag", 202)
	s.ask("DELETE", "/v2/a/manifests/"+string(m.Digest), nil).has("manifest", 202)
	for _, query := range []string{"", "?n=5", "?last=v0", "?n=0"} {
		if a := s.ask("GET", "/v2/a/tags/list"+query, nil).has("tags"+query, 200, "Link", "-"); string(a.body) != `{"name":"a","tags":[]}`+"\n" {
			t.Errorf("tags%s: %s", query, a.body)
		}
	}
	if a := s.ask("GET", "/v2/_catalog", nil).has("catalog", 200); string(a.body) != `{"repositories":[]}`+"\n" {
		t.Errorf("catalog: %s", a.body)
	}
	s.blob("only/blobs", []byte("x"))
	s.ask("GET", "/v2/only/blobs/tags/list", nil).fails("one that never had a tag", 404, "NAME_UNKNOWN")
}

func TestReferrersAreAnIndexAlways(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{})
	subject := registrytest.PushImage(t, s.reg, "a", "v1")
	index := func(what, uri string, header ...string) []registry.Descriptor {
		a := s.ask("GET", uri, nil).has(what, 200, append(header, "Content-Type", ocispec.MediaTypeImageIndex)...)
		var found ocispec.Index
		if err := json.Unmarshal(a.body, &found); err != nil || found.SchemaVersion != 2 || found.Manifests == nil || found.MediaType != ocispec.MediaTypeImageIndex {
			t.Errorf("%s: %s", what, a.body)
		}
		return found.Manifests
	}
	uri := "/v2/a/referrers/" + string(subject.Digest)
	if got := index("none", uri, "OCI-Filters-Applied", "-", "Link", "-"); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	index("an unknown repository", "/v2/nobody/referrers/"+absent)
	for _, kind := range []string{"application/x-sbom", "application/x-signature"} {
		m := registrytest.Artifact(t, s.reg, "a", kind, registrytest.Descriptor(subject), map[string]string{"k": kind})
		s.ask("PUT", "/v2/a/manifests/"+string(m.Digest), m.Content, "Content-Type", m.MediaType).has("put", 201, "OCI-Subject", string(subject.Digest))
	}
	if got := index("all", uri); len(got) != 2 || got[0].Annotations["k"] != got[0].ArtifactType {
		t.Errorf("got %v", got)
	}
	if got := index("filtered", uri+"?artifactType=application/x-sbom", "OCI-Filters-Applied", "artifactType"); len(got) != 1 || got[0].ArtifactType != "application/x-sbom" {
		t.Errorf("got %v", got)
	}
	a := s.ask("GET", uri+"?n=1", nil)
	next, rest, _ := strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
	if rest != `; rel="next"` {
		t.Fatalf("Link %q", a.header.Get("Link"))
	}
	if got := index("the next page", next, "Link", "-"); len(got) != 1 {
		t.Errorf("got %v", got)
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	s := open(t, server.Options{MaxTags: 3, MaxRepositories: 4})
	m := registrytest.PushImage(t, s.reg, "team/app", "v1")
	if _, err := s.reg.PutManifest(t.Context(), "team/app", m, "v2", "v3", "v4", "A"); err != nil {
		t.Fatal(err)
	}
	for _, repo := range []string{"b", "c", "d", "e", "f"} {
		registrytest.PushImage(t, s.reg, repo, "v1")
	}
	for _, c := range []struct{ uri, body, link string }{
		{"/v2/team/app/tags/list", `{"name":"team/app","tags":["A","v1","v2","v3","v4"]}`, "-"},
		{"/v2/team/app/tags/list?n=2", `{"name":"team/app","tags":["A","v1"]}`, `</v2/team/app/tags/list?last=v1&n=2>; rel="next"`},
		{"/v2/team/app/tags/list?last=v1&n=2&x=y", `{"name":"team/app","tags":["v2","v3"]}`, `</v2/team/app/tags/list?last=v3&n=2>; rel="next"`},
		{"/v2/team/app/tags/list?last=v3&n=2", `{"name":"team/app","tags":["v4"]}`, "-"},
		{"/v2/team/app/tags/list?last=v1z", `{"name":"team/app","tags":["v2","v3","v4"]}`, "-"},
		{"/v2/team/app/tags/list?n=99", `{"name":"team/app","tags":["A","v1","v2"]}`, `</v2/team/app/tags/list?last=v2&n=3>; rel="next"`},
		{"/v2/team/app/tags/list?n=0", `{"name":"team/app","tags":[]}`, "-"},
		{"/v2/_catalog", `{"repositories":["b","c","d","e"]}`, `</v2/_catalog?last=e&n=4>; rel="next"`},
		{"/v2/_catalog?n=4&last=e", `{"repositories":["f","team/app"]}`, "-"},
		{"/v2/_catalog?n=0", `{"repositories":[]}`, "-"},
	} {
		a := s.ask("GET", c.uri, nil).has(c.uri, 200, "Link", c.link, "Content-Type", "application/json")
		if string(a.body) != c.body+"\n" {
			t.Errorf("%s: got %s", c.uri, a.body)
		}
	}
	a := s.ask("GET", "/v2/_catalog?n=5", nil).fails("too many", 400, "PAGINATION_NUMBER_INVALID")
	if !strings.Contains(string(a.body), `"detail":{"n":5}`) {
		t.Errorf("the detail is missing: %s", a.body)
	}
}
