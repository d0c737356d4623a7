package registry

import (
	"context"
	"errors"
	"iter"
	"time"
)

// ErrInUse means that upkeep must not touch something now, since a client was
// promised that it stays.
var ErrInUse = errors.New("in use")

// Keeper is what upkeep (trash, gc, verify, the index) needs of a store beside
// [Registry]. It sees links and files where Registry sees content.
type Keeper interface {
	// AllRepositories lists every repository on disk, also one with no manifest.
	AllRepositories(ctx context.Context) iter.Seq2[string, error]

	// Revisions lists the manifests linked in a repository, tagged or not.
	Revisions(ctx context.Context, repo string) iter.Seq2[Descriptor, error]

	// TagsOf lists the tags of a repository that name a manifest, by name. A
	// tag that another program has just written may be missing.
	TagsOf(ctx context.Context, repo string, d Digest) ([]string, error)

	// Links lists the blobs linked in a repository.
	Links(ctx context.Context, repo string) iter.Seq2[Digest, error]

	// Stored lists every blob on disk, linked or not.
	Stored(ctx context.Context) iter.Seq2[Stored, error]

	// Relink brings back the revision of a manifest whose blob is still on
	// disk, and points tags at it: the reverse of DeleteManifest and
	// DeleteTag. Errors: ErrManifestUnknown when its bytes are gone.
	Relink(ctx context.Context, repo string, d Digest, tags ...string) error

	// Unlink removes a repository's link to a blob or a revision; one that is
	// not there is no error. Errors: ErrInUse for what is leased.
	Unlink(ctx context.Context, repo string, d Digest) error

	// Sweep frees a blob, and says how many bytes that gave back. It refuses
	// (0, nil) what is linked anywhere, leased, or newer than notAfter.
	Sweep(ctx context.Context, d Digest, notAfter time.Time) (freed int64, err error)
}

// Stored is a blob on disk.
type Stored struct {
	Digest Digest
	// Size in bytes.
	Size int64
	// Modified is when it was written last.
	Modified time.Time
}

// Rooter names manifests that must live although no tag names them.
type Rooter interface {
	Roots(ctx context.Context) iter.Seq2[Root, error]
}

// Root is a manifest that must live, and why.
type Root struct {
	Repository string
	Digest     Digest
	Why        string
}
