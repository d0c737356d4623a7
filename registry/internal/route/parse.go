package route

import (
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"

	"berth/registry"
)

// ErrNotFound means that a path is none of the protocol's.
var ErrNotFound = errors.New("no such endpoint")

// Parse reads a request whose path begins with /v2/.
//
// Errors: [ErrNotFound], a [MethodError], or the [registry.Error] of what is
// malformed: ErrNameInvalid, ErrTagInvalid, ErrDigestInvalid,
// ErrBlobUploadUnknown, ErrPaginationNumber. The tag of a GET, a HEAD or a
// DELETE that matches no grammar is ErrManifestUnknown: no such tag can exist.
// Together with a registry.Error the Request has what was read so far.
func Parse(method string, u *url.URL) (Request, error) {
	return parse(method, u.Path, u.RawQuery)
}

// ParseUnder is Parse for a registry whose paths begin with prefix, which has
// no slash at its end.
func ParseUnder(prefix, method string, u *url.URL) (Request, error) {
	path, ok := strings.CutPrefix(u.Path, prefix)
	if !ok {
		return Request{Limit: -1}, ErrNotFound
	}
	return parse(method, path, u.RawQuery)
}

func parse(method, path, rawQuery string) (Request, error) {
	r := Request{Limit: -1}
	rest, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return r, ErrNotFound
	}
	e, target := split(rest, &r)
	if e == nil {
		return r, ErrNotFound
	}
	kind, err := e.kind(method)
	if err != nil {
		return r, err
	}
	r.Kind = kind
	if r.Repository != "" || e.named() {
		if err := registry.ParseName(r.Repository); err != nil {
			return r, err
		}
	}
	if err := r.readTarget(target); err != nil {
		return r, err
	}
	if rawQuery == "" {
		return r, r.readQuery(nil)
	}
	// What cannot be read of a query is left out, as net/http does.
	q, _ := url.ParseQuery(rawQuery)
	return r, r.readQuery(q)
}

// named reports whether a path of the endpoint always has a repository.
func (e *endpoint) named() bool {
	return e != &pingEndpoint && e != &catalogEndpoint && e != &discoverEndpoint
}

// split finds the endpoint of a path after "/v2/" and takes the repository;
// what is left is the target: a reference, a digest or an upload.
func split(rest string, r *Request) (e *endpoint, target string) {
	switch rest {
	case "":
		return &pingEndpoint, ""
	case "_catalog":
		return &catalogEndpoint, ""
	case "_oci/ext/discover":
		return &discoverEndpoint, ""
	}
	head, last, ok := cutLast(rest)
	if !ok {
		return nil, ""
	}
	if last == "" { // only /blobs/uploads/ ends with a slash
		name, ok := strings.CutSuffix(head, "/blobs/uploads")
		r.Repository = name
		return when(ok, &uploadsEndpoint), ""
	}
	head, word, ok := cutLast(head)
	if !ok {
		return nil, ""
	}
	r.Repository = head
	switch word {
	case "manifests":
		return &manifestEndpoint, last
	case "blobs":
		if last == "uploads" {
			return &uploadsEndpoint, ""
		}
		return &blobEndpoint, last
	case "uploads":
		name, ok := strings.CutSuffix(head, "/blobs")
		r.Repository = name
		return when(ok, &uploadEndpoint), last
	case "tags":
		return when(last == "list", &tagsEndpoint), ""
	case "referrers":
		return &referrersEndpoint, last
	case "ext":
		name, ok := strings.CutSuffix(head, "/_oci")
		r.Repository = name
		return when(ok && last == "discover", &discoverEndpoint), ""
	}
	return nil, ""
}

func when(ok bool, e *endpoint) *endpoint {
	if ok {
		return e
	}
	return nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

func (r *Request) readTarget(target string) (err error) {
	switch r.Kind {
	case BlobGet, BlobHead, BlobDelete, Referrers:
		r.Digest, err = registry.ParseDigest(target)
		return explain(target, err)
	case UploadStatus, UploadAppend, UploadCommit, UploadCancel:
		if !validUploadID(target) {
			return registry.ErrBlobUploadUnknown
		}
		r.UploadID = target
	case ManifestGet, ManifestHead, ManifestPut, ManifestDelete:
		r.Reference, err = registry.ParseReference(target)
		if errors.Is(err, registry.ErrDigestInvalid) {
			return explain(target, err)
		}
		if errors.Is(err, registry.ErrTagInvalid) && r.Kind != ManifestPut {
			// Answered as what it is to the client: a manifest that is not there.
			return registry.ErrManifestUnknown.WithMessage("manifest unknown: %q cannot be a tag", target)
		}
	}
	return err
}

// explain adds what is wrong with a digest, in the words of distribution.
func explain(target string, err error) error {
	var e *registry.Error
	if !errors.As(err, &e) {
		return err
	}
	why := digest.Digest(target).Validate()
	if why == nil {
		why = digest.ErrDigestUnsupported
	}
	return e.WithDetail(why.Error())
}

// validUploadID matches [a-zA-Z0-9-_.=]+, without the names of folders.
func validUploadID(s string) bool {
	if s == "" || s == "." || s == ".." || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '=') {
			return false
		}
	}
	return true
}

func (r *Request) readQuery(q url.Values) (err error) {
	r.Namespace = q.Get("ns")
	switch r.Kind {
	case UploadStart:
		return r.readStart(q)
	case UploadStatus, UploadAppend, UploadCancel:
		r.State = q.Get("_state")
	case UploadCommit:
		r.State = q.Get("_state")
		return r.readCommit(q.Get("digest"))
	case ManifestPut:
		if r.Reference.Digest != "" {
			return r.readTags(q["tag"])
		}
	case Tags, Catalog, Referrers:
		r.Last = q.Get("last")
		if r.Kind == Referrers {
			r.ArtifactType = q.Get("artifactType")
		}
		return r.readLimit(q.Get("n"))
	}
	return nil
}

func (r *Request) readCommit(promised string) (err error) {
	if promised == "" {
		return registry.ErrDigestInvalid.WithMessage("the digest is missing").WithDetail("digest missing")
	}
	var e *registry.Error
	if r.Digest, err = registry.ParseDigest(promised); errors.As(err, &e) {
		return e.WithDetail("digest parsing failed")
	}
	return err
}

func (r *Request) readTags(tags []string) error {
	for _, tag := range tags {
		if err := registry.ParseTag(tag); err != nil {
			return err
		}
	}
	r.Tags = tags
	return nil
}

// readStart tells the three kinds of POST apart. A from without a mount is
// neither an error nor a mount.
func (r *Request) readStart(q url.Values) (err error) {
	if a := q.Get("digest-algorithm"); a != "" {
		r.Algorithm = digest.Algorithm(a)
		if r.Algorithm != digest.SHA256 && r.Algorithm != digest.SHA512 {
			return registry.ErrDigestInvalid.WithMessage("digests of algorithm %q are not supported; use sha256 or sha512", clip(a))
		}
	}
	if d := q.Get("mount"); d != "" {
		r.Kind = BlobMount
		if r.Digest, err = registry.ParseDigest(d); err != nil {
			return err
		}
		if r.From = q.Get("from"); r.From != "" {
			return registry.ParseName(r.From)
		}
		return nil
	}
	if d := q.Get("digest"); d != "" {
		r.Kind = BlobPush
		r.Digest, err = registry.ParseDigest(d)
	}
	return err
}

func (r *Request) readLimit(s string) error {
	if s == "" {
		return nil
	}
	n, err := strconv.Atoi(s)
	if err == nil && n >= 0 {
		r.Limit = n
		return nil
	}
	switch r.Kind {
	case Referrers: // the specification gives referrers no n
		return nil
	case Catalog:
		return registry.ErrPaginationNumber.WithDetail(map[string]string{"n": clip(s)})
	}
	return registry.ErrPaginationNumber.WithDetail(map[string]int{"n": n})
}

func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}
