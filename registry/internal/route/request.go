package route

import (
	"net/url"
	"strconv"

	"github.com/opencontainers/go-digest"

	"berth/registry"
)

// Request is one request of the protocol, read and checked: every name in it
// matches its grammar.
type Request struct {
	Kind Kind
	// Repository is empty for Ping, Catalog, and Discover of the whole registry.
	Repository string
	// Reference of a manifest.
	Reference registry.Reference
	// Digest of a blob, of the subject of Referrers, or the one promised for
	// what is uploaded (BlobPush, BlobMount, UploadCommit).
	Digest registry.Digest
	// UploadID and State of an upload; State may be missing.
	UploadID, State string
	// From is the source of BlobMount; empty means any repository.
	From string
	// Algorithm that the client intends to use for the digest; may be empty.
	Algorithm digest.Algorithm
	// Tags that ManifestPut by digest sets at once.
	Tags []string
	// Limit is how many entries a list may have; -1 when the client set none.
	Limit int
	// Last is the entry after which a list begins.
	Last string
	// ArtifactType that Referrers are restricted to; may be empty.
	ArtifactType string
	// Namespace is the upstream that a mirror is asked for; may be empty.
	Namespace string
}

// Path gives the path of the request, without prefix and query.
func (r *Request) Path() string {
	switch r.Kind {
	case Ping:
		return "/v2/"
	case Catalog:
		return "/v2/_catalog"
	case Discover:
		if r.Repository == "" {
			return "/v2/_oci/ext/discover"
		}
		return "/v2/" + r.Repository + "/_oci/ext/discover"
	case BlobGet, BlobHead, BlobDelete:
		return BlobPath(r.Repository, r.Digest)
	case UploadStart, BlobPush, BlobMount:
		return "/v2/" + r.Repository + "/blobs/uploads/"
	case UploadStatus, UploadAppend, UploadCommit, UploadCancel:
		return "/v2/" + r.Repository + "/blobs/uploads/" + r.UploadID
	case ManifestGet, ManifestHead, ManifestPut, ManifestDelete:
		return "/v2/" + r.Repository + "/manifests/" + r.Reference.String()
	case Tags:
		return "/v2/" + r.Repository + "/tags/list"
	case Referrers:
		return "/v2/" + r.Repository + "/referrers/" + string(r.Digest)
	}
	return ""
}

// BlobPath gives the path of a blob.
func BlobPath(repo string, d registry.Digest) string {
	return "/v2/" + repo + "/blobs/" + string(d)
}

// ManifestPath gives the path of a manifest by its digest.
func ManifestPath(repo string, d registry.Digest) string {
	return "/v2/" + repo + "/manifests/" + string(d)
}

// URI gives path and query of the request: the inverse of [Parse], together
// with the method of its kind.
func (r *Request) URI() string {
	q := url.Values{}
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	switch r.Kind {
	case BlobPush:
		set("digest", string(r.Digest))
	case BlobMount:
		set("mount", string(r.Digest))
		set("from", r.From)
	case UploadCommit:
		set("digest", string(r.Digest))
	case ManifestPut:
		if len(r.Tags) > 0 {
			q["tag"] = r.Tags
		}
	case Tags, Catalog, Referrers:
		if r.Limit >= 0 {
			q.Set("n", strconv.Itoa(r.Limit))
		}
		set("last", r.Last)
		set("artifactType", r.ArtifactType)
	}
	set("_state", r.State)
	set("digest-algorithm", string(r.Algorithm))
	set("ns", r.Namespace)
	if len(q) == 0 {
		return r.Path()
	}
	return r.Path() + "?" + q.Encode()
}
