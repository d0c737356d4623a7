package registry

import (
	"context"
	"io"
	"iter"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Digest names content by its hash, as "sha256:<hex>" or "sha512:<hex>".
type Digest = digest.Digest

// Descriptor says what a piece of content is: media type, digest, size in bytes.
type Descriptor = ocispec.Descriptor

// MaxManifestSize is the largest manifest that is accepted, in bytes
// (distribution-spec, "Pushing Manifests": at least 4 MiB).
const MaxManifestSize = 4 << 20

// Registry is a whole registry. Implementations are safe for concurrent use.
//
// Every method first checks the names that it is given, and fails with
// [ErrNameInvalid], [ErrTagInvalid] or [ErrDigestInvalid] when one does not
// match its grammar. A cancelled context ends a call with ctx.Err().
type Registry interface {
	Reader
	Writer
	Deleter
	Lister
}

// Reader gives content by name.
type Reader interface {
	// OpenBlob opens a blob for reading; the caller closes it.
	// Errors: ErrNameUnknown, ErrBlobUnknown.
	OpenBlob(ctx context.Context, repo string, d Digest) (Blob, error)

	// StatBlob describes a blob without opening it. A nil error is a promise
	// to whoever asked: the blob stays until a manifest can be pushed that
	// uses it (a lease). Errors: ErrNameUnknown, ErrBlobUnknown.
	StatBlob(ctx context.Context, repo string, d Digest) (Descriptor, error)

	// Manifest gives a manifest byte for byte as it was pushed.
	// Errors: ErrNameUnknown, ErrManifestUnknown.
	Manifest(ctx context.Context, repo string, d Digest) (Manifest, error)

	// StatManifest describes a manifest. Errors: as Manifest.
	StatManifest(ctx context.Context, repo string, d Digest) (Descriptor, error)

	// ResolveTag says which manifest a tag names now.
	// Errors: ErrNameUnknown, ErrManifestUnknown.
	ResolveTag(ctx context.Context, repo, tag string) (Descriptor, error)
}

// Writer takes content. After a nil error from Commit, MountBlob or
// PutManifest the content survives the loss of power.
type Writer interface {
	// StartUpload begins the upload of a blob.
	StartUpload(ctx context.Context, repo string) (Upload, error)

	// ResumeUpload goes on with an upload that was closed, also after a
	// restart. Only one holder at a time: a second gets ErrBlobUploadInvalid.
	// Errors: ErrBlobUploadUnknown.
	ResumeUpload(ctx context.Context, repo, id string) (Upload, error)

	// MountBlob makes a blob of one repository part of another, without
	// copying. An empty from means any repository that has it.
	// Errors: ErrBlobUnknown.
	MountBlob(ctx context.Context, from, to string, d Digest) (Descriptor, error)

	// PutManifest stores a manifest and points tags at it, all or nothing per
	// tag. Everything that it refers to, except a subject, must be in the
	// repository. Errors: ErrManifestInvalid, ErrManifestBlobUnknown (one
	// error for each, see [Errors]), ErrSizeInvalid, ErrDigestInvalid.
	PutManifest(ctx context.Context, repo string, m Manifest, tags ...string) (Descriptor, error)
}

// Deleter removes names. It frees no bytes: that is what a sweep is for.
type Deleter interface {
	// DeleteTag removes one tag and nothing else; other tags of the same
	// manifest stay. Errors: ErrNameUnknown, ErrManifestUnknown.
	DeleteTag(ctx context.Context, repo, tag string) error

	// DeleteManifest removes a manifest and the tags that name it.
	// Errors: ErrNameUnknown, ErrManifestUnknown.
	DeleteManifest(ctx context.Context, repo string, d Digest) error

	// DeleteBlob removes a blob from a repository.
	// Errors: ErrNameUnknown, ErrBlobUnknown.
	DeleteBlob(ctx context.Context, repo string, d Digest) error
}

// Lister enumerates names in lexical (byte) order, strictly after `after`,
// which need not exist. An error is the last thing a sequence yields.
type Lister interface {
	// Repositories lists the repositories that hold at least one manifest.
	Repositories(ctx context.Context, after string) iter.Seq2[string, error]

	// Tags lists the tags of a repository. Errors: ErrNameUnknown.
	Tags(ctx context.Context, repo, after string) iter.Seq2[string, error]

	// Referrers lists the manifests whose subject is the given digest, also
	// those that a fallback tag names; with artifactType set, only those of
	// that type. A subject nobody refers to, or that is not there, has none.
	// Descriptors carry artifactType and annotations
	// (distribution-spec, "Listing Referrers").
	Referrers(ctx context.Context, repo string, subject Digest, artifactType string) iter.Seq2[Descriptor, error]
}

// Blob is open content. Where the content is a plain file, the implementation
// embeds or wraps *os.File so that it can be sent without copying; see [File].
type Blob interface {
	io.ReadSeekCloser
	Descriptor() Descriptor
}

// Manifest is a manifest as it travels: its exact bytes, and what they claim.
type Manifest struct {
	// MediaType as pushed; empty means: take it from the content.
	MediaType string
	// Digest that the content must have; empty means: sha256 of the content.
	Digest Digest
	// Content is never re-marshalled.
	Content []byte
}

// Upload is a blob on its way in. It is not safe for concurrent use.
//
// Write appends, and hashes in the same pass. Close lets go of it so that
// ResumeUpload can continue; Commit and Cancel end it, and a Close after
// either is a no-op.
type Upload interface {
	io.Writer

	// ID names the upload in its repository.
	ID() string

	// Size is how many bytes have been taken so far.
	Size() int64

	// Commit checks the content against want and makes it a blob of the
	// repository. On a mismatch the upload is gone.
	// Errors: ErrDigestInvalid.
	Commit(ctx context.Context, want Digest) (Descriptor, error)

	// Close keeps what has been taken, to be resumed.
	Close() error

	// Cancel throws the upload away.
	Cancel(ctx context.Context) error
}
