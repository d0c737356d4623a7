package route

import "strings"

// Kind says which operation of the protocol a request asks for. The numbers
// are those of the specification's table of endpoints.
type Kind uint8

// The operations.
const (
	Ping           Kind = iota // end-1: is this a registry
	BlobGet                    // end-2
	BlobHead                   // end-2
	BlobDelete                 // end-10
	UploadStart                // end-4a, end-4c: begin an upload
	BlobPush                   // end-4b: a whole blob in one POST
	BlobMount                  // end-11: a blob of another repository
	UploadStatus               // end-13
	UploadAppend               // end-5: one chunk
	UploadCommit               // end-6: the last chunk, and the digest
	UploadCancel               // end-14
	ManifestGet                // end-3
	ManifestHead               // end-3
	ManifestPut                // end-7a, end-7b
	ManifestDelete             // end-9
	Tags                       // end-8
	Referrers                  // end-12
	Catalog                    // extension _catalog
	Discover                   // extension _oci
	Kinds                      // how many there are
)

var kindNames = [Kinds]string{
	"ping", "blob_get", "blob_head", "blob_delete", "upload_start", "blob_push", "blob_mount", "upload_status",
	"upload_append", "upload_commit", "upload_cancel", "manifest_get", "manifest_head", "manifest_put",
	"manifest_delete", "tags", "referrers", "catalog", "discover",
}

// String names the operation for logs, in snake_case.
func (k Kind) String() string {
	if k < Kinds {
		return kindNames[k]
	}
	return "unknown"
}

var kindMethods = [Kinds]string{
	"GET", "GET", "HEAD", "DELETE", "POST", "POST", "POST", "GET",
	"PATCH", "PUT", "DELETE", "GET", "HEAD", "PUT", "DELETE", "GET", "GET", "GET", "GET",
}

// Method gives the method that asks for the operation; GET also where HEAD is
// answered by the same operation.
func (k Kind) Method() string { return kindMethods[k] }

// Deletes reports whether the operation removes something that was stored.
func (k Kind) Deletes() bool { return k == BlobDelete || k == ManifestDelete }

// Writes reports whether the operation changes the registry.
func (k Kind) Writes() bool {
	switch k {
	case BlobDelete, UploadStart, BlobPush, BlobMount, UploadAppend, UploadCommit, UploadCancel, ManifestPut, ManifestDelete:
		return true
	}
	return false
}

// MethodError says that an endpoint exists, but not for this method.
type MethodError struct{ Allow []string }

// Error lists the methods that the endpoint has.
func (e *MethodError) Error() string {
	return "method not allowed; the endpoint has " + strings.Join(e.Allow, ", ")
}

// An endpoint is a shape of path with the operations it has, by method.
type endpoint struct {
	get, head, post, patch, put, delete Kind
	allow                               []string
}

const none = Kinds

func (e *endpoint) kind(method string) (Kind, error) {
	k := none
	switch method {
	case "GET":
		k = e.get
	case "HEAD":
		k = e.head
	case "POST":
		k = e.post
	case "PATCH":
		k = e.patch
	case "PUT":
		k = e.put
	case "DELETE":
		k = e.delete
	}
	if k == none {
		return none, &MethodError{Allow: e.allow}
	}
	return k, nil
}

func readOnly(k Kind) endpoint {
	return endpoint{k, k, none, none, none, none, []string{"GET", "HEAD", "OPTIONS"}}
}

var (
	pingEndpoint      = readOnly(Ping)
	tagsEndpoint      = readOnly(Tags)
	referrersEndpoint = readOnly(Referrers)
	catalogEndpoint   = readOnly(Catalog)
	discoverEndpoint  = readOnly(Discover)
	blobEndpoint      = endpoint{BlobGet, BlobHead, none, none, none, BlobDelete, []string{"DELETE", "GET", "HEAD", "OPTIONS"}}
	manifestEndpoint  = endpoint{ManifestGet, ManifestHead, none, none, ManifestPut, ManifestDelete, []string{"DELETE", "GET", "HEAD", "OPTIONS", "PUT"}}
	uploadsEndpoint   = endpoint{none, none, UploadStart, none, none, none, []string{"OPTIONS", "POST"}}
	uploadEndpoint    = endpoint{UploadStatus, UploadStatus, none, UploadAppend, UploadCommit, UploadCancel, []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "PUT"}}
)
