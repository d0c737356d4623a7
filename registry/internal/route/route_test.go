package route

import (
	"errors"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"berth/registry"
)

const (
	hex256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	d256   = registry.Digest("sha256:" + hex256)
)

var d512 = registry.Digest("sha512:" + hex256 + hex256)

func TestEveryEndpointIsRead(t *testing.T) {
	t.Parallel()
	tag := registry.Reference{Tag: "v1"}
	cases := []struct {
		method, uri string
		want        Request
	}{
		{"GET", "/v2/", Request{Kind: Ping}},
		{"HEAD", "/v2/", Request{Kind: Ping}},
		{"GET", "/v2/_catalog?n=5&last=a", Request{Kind: Catalog, Limit: 5, Last: "a"}},
		{"GET", "/v2/_oci/ext/discover", Request{Kind: Discover}},
		{"GET", "/v2/a/b/_oci/ext/discover", Request{Kind: Discover, Repository: "a/b"}},
		{"GET", "/v2/a/b/blobs/" + string(d256) + "?ns=docker.io", Request{Kind: BlobGet, Repository: "a/b", Digest: d256, Namespace: "docker.io"}},
		{"HEAD", "/v2/a/blobs/" + string(d512), Request{Kind: BlobHead, Repository: "a", Digest: d512}},
		{"DELETE", "/v2/a/blobs/" + string(d256), Request{Kind: BlobDelete, Repository: "a", Digest: d256}},
		{"POST", "/v2/a/blobs/uploads/", Request{Kind: UploadStart, Repository: "a"}},
		{"POST", "/v2/a/blobs/uploads", Request{Kind: UploadStart, Repository: "a"}},
		{"POST", "/v2/a/blobs/uploads/?from=b", Request{Kind: UploadStart, Repository: "a"}},
		{"POST", "/v2/a/blobs/uploads/?digest-algorithm=sha512", Request{Kind: UploadStart, Repository: "a", Algorithm: "sha512"}},
		{"POST", "/v2/a/blobs/uploads/?digest=" + string(d256), Request{Kind: BlobPush, Repository: "a", Digest: d256}},
		{"POST", "/v2/a/blobs/uploads/?from=x/y&mount=" + string(d256), Request{Kind: BlobMount, Repository: "a", Digest: d256, From: "x/y"}},
		{"POST", "/v2/a/blobs/uploads/?mount=" + string(d256), Request{Kind: BlobMount, Repository: "a", Digest: d256}},
		{"GET", "/v2/a/blobs/uploads/1-2_3.=", Request{Kind: UploadStatus, Repository: "a", UploadID: "1-2_3.="}},
		{"PATCH", "/v2/a/blobs/uploads/u?_state=S", Request{Kind: UploadAppend, Repository: "a", UploadID: "u", State: "S"}},
		{"PUT", "/v2/a/blobs/uploads/u?_state=S&digest=" + string(d256), Request{Kind: UploadCommit, Repository: "a", UploadID: "u", State: "S", Digest: d256}},
		{"DELETE", "/v2/a/blobs/uploads/u", Request{Kind: UploadCancel, Repository: "a", UploadID: "u"}},
		{"GET", "/v2/a/manifests/v1", Request{Kind: ManifestGet, Repository: "a", Reference: tag}},
		{"HEAD", "/v2/a/manifests/" + string(d256), Request{Kind: ManifestHead, Repository: "a", Reference: registry.Reference{Digest: d256}}},
		{"PUT", "/v2/a/manifests/" + string(d256) + "?tag=x&tag=y", Request{Kind: ManifestPut, Repository: "a", Reference: registry.Reference{Digest: d256}, Tags: []string{"x", "y"}}},
		{"DELETE", "/v2/a/manifests/v1", Request{Kind: ManifestDelete, Repository: "a", Reference: tag}},
		{"GET", "/v2/a/tags/list?n=0", Request{Kind: Tags, Repository: "a", Limit: 0}},
		{"GET", "/v2/a/referrers/" + string(d256) + "?artifactType=a%2Fb", Request{Kind: Referrers, Repository: "a", Digest: d256, ArtifactType: "a/b"}},
		// Words of the protocol are good names too.
		{"GET", "/v2/manifests/tags/manifests/list", Request{Kind: ManifestGet, Repository: "manifests/tags", Reference: registry.Reference{Tag: "list"}}},
		{"GET", "/v2/blobs/uploads/tags/list", Request{Kind: Tags, Repository: "blobs/uploads"}},
		{"GET", "/v2/a/blobs/blobs/" + string(d256), Request{Kind: BlobGet, Repository: "a/blobs", Digest: d256}},
	}
	for _, c := range cases {
		u, err := url.Parse(c.uri)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(c.uri, "n=") || strings.Contains(c.uri, "ns=") {
			c.want.Limit = -1
		}
		got, err := Parse(c.method, u)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %s\n got %+v, %v\nwant %+v", c.method, c.uri, got, err, c.want)
		}
	}
}

func TestWhatIsMalformedHasItsCode(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 256)
	cases := []struct {
		method, uri string
		want        error
	}{
		{"GET", "/v2/Upper/tags/list", registry.ErrNameInvalid},
		{"GET", "/v2/../tags/list", registry.ErrNameInvalid},
		{"GET", "/v2//tags/list", registry.ErrNameInvalid},
		{"GET", "/v2/a//b/tags/list", registry.ErrNameInvalid},
		{"GET", "/v2/" + long + "/tags/list", registry.ErrNameInvalid},
		{"POST", "/v2/_a/blobs/uploads/", registry.ErrNameInvalid},
		{"POST", "/v2/a/blobs/uploads/?from=B&mount=" + string(d256), registry.ErrNameInvalid},
		{"PUT", "/v2/a/manifests/.hidden", registry.ErrTagInvalid},
		{"PUT", "/v2/a/manifests/" + strings.Repeat("t", 129), registry.ErrTagInvalid},
		{"PUT", "/v2/a/manifests/" + string(d256) + "?tag=ok&tag=-no", registry.ErrTagInvalid},
		{"GET", "/v2/a/manifests/.INVALID", registry.ErrManifestUnknown},
		{"HEAD", "/v2/a/manifests/.INVALID", registry.ErrManifestUnknown},
		{"GET", "/v2/a/manifests/sha256:12", registry.ErrDigestInvalid},
		{"GET", "/v2/a/manifests/md5:d41d8cd98f00b204e9800998ecf8427e", registry.ErrDigestInvalid},
		{"GET", "/v2/a/blobs/latest", registry.ErrDigestInvalid},
		{"GET", "/v2/a/referrers/latest", registry.ErrDigestInvalid},
		{"PUT", "/v2/a/blobs/uploads/u", registry.ErrDigestInvalid},
		{"PUT", "/v2/a/blobs/uploads/u?digest=nonsense", registry.ErrDigestInvalid},
		{"POST", "/v2/a/blobs/uploads/?digest=nonsense", registry.ErrDigestInvalid},
		{"POST", "/v2/a/blobs/uploads/?digest-algorithm=md5", registry.ErrDigestInvalid},
		{"PATCH", "/v2/a/blobs/uploads/a%20b", registry.ErrBlobUploadUnknown},
		{"PATCH", "/v2/a/blobs/uploads/..", registry.ErrBlobUploadUnknown},
		{"GET", "/v2/a/tags/list?n=-1", registry.ErrPaginationNumber},
		{"GET", "/v2/a/tags/list?n=abc", registry.ErrPaginationNumber},
		{"GET", "/v2/_catalog?n=abc", registry.ErrPaginationNumber},
		{"GET", "/v2/a", ErrNotFound},
		{"GET", "/v2/a/b/c/d", ErrNotFound},
		{"GET", "/v2/a/tags/other", ErrNotFound},
		{"GET", "/v1/", ErrNotFound},
		{"GET", "/", ErrNotFound},
	}
	for _, c := range cases {
		u, err := url.Parse(c.uri)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(c.method, u); !errors.Is(err, c.want) {
			t.Errorf("%s %.80s: got %v, want %v", c.method, c.uri, err, c.want)
		}
	}
}

func TestAMethodThatAnEndpointLacksNamesThoseItHas(t *testing.T) {
	t.Parallel()
	u, _ := url.Parse("/v2/a/blobs/uploads/")
	_, err := Parse("GET", u)
	var m *MethodError
	if !errors.As(err, &m) || !reflect.DeepEqual(m.Allow, []string{"OPTIONS", "POST"}) {
		t.Fatalf("got %v", err)
	}
}

func TestAPrefixIsCutOffAndRequired(t *testing.T) {
	t.Parallel()
	u, _ := url.Parse("/reg/v2/a/tags/list")
	if r, err := ParseUnder("/reg", "GET", u); err != nil || r.Repository != "a" {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := ParseUnder("/other", "GET", u); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestEveryKindHasANameAndAMethod(t *testing.T) {
	t.Parallel()
	for k := range Kinds {
		if k.String() == "" || k.Method() == "" {
			t.Errorf("kind %d has name %q, method %q", k, k, k.Method())
		}
	}
}

func FuzzWhatParsesIsWrittenBackTheSame(f *testing.F) {
	for _, m := range []string{"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"} {
		for _, uri := range []string{
			"/v2/", "/v2/_catalog?n=1", "/v2/a/b/manifests/v1", "/v2/a/blobs/" + string(d256), "/v2/a/blobs/uploads/?mount=" + string(d256),
			"/v2/a/blobs/uploads/u?_state=s&digest=" + string(d256), "/v2/a/tags/list?n=2&last=b", "/v2/a/_oci/ext/discover",
			"/v2/a/referrers/" + string(d256) + "?artifactType=x",
			"/v2/a/manifests/" + string(d256) + "?tag=a&tag=b",
		} {
			f.Add(m, uri)
		}
	}
	f.Fuzz(func(t *testing.T, method, uri string) {
		u, err := url.Parse(uri)
		if err != nil {
			return
		}
		first, err := Parse(method, u)
		if err != nil {
			return
		}
		again, err := url.Parse(first.URI())
		if err != nil {
			t.Fatalf("%q is written as %q, which is not a URL: %v", uri, first.URI(), err)
		}
		second, err := Parse(first.Kind.Method(), again)
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("%q\n read %+v\nagain %+v, %v", uri, first, second, err)
		}
	})
}

func FuzzAPathIsCleanedOnce(f *testing.F) {
	for _, p := range []string{"/v2", "/v2//a/tags/list/", "/v2/a/../b/blobs/uploads//", "//x/", "/reg/v2/_catalog/", "/v2/a/manifests/../..", "\\/..", ""} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		for _, prefix := range []string{"", "/reg"} {
			once := Clean(prefix, p)
			if again := Clean(prefix, once); again != once || !strings.HasPrefix(once, "/") || strings.HasPrefix(once, "//") {
				t.Errorf("%q is cleaned to %q, and that to %q", p, once, again)
			}
		}
	})
}

func BenchmarkParseManifest(b *testing.B) {
	u, _ := url.Parse("/v2/team/app/manifests/v1")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("GET", u); err != nil {
			b.Fatal(err)
		}
	}
}
