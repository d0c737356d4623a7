package registry

import (
	"context"
	"io"
	"iter"
)

// Inspector is what verify needs of a store beside [Keeper]: it shows what lies
// on disk, sound or damaged and past every cache, where [Registry] shows what
// can be served. Its lists go on behind an error, which is about one thing; only
// the end of the context ends them.
type Inspector interface {
	// Blobs lists the blobs on disk in the order of their keys, strictly after
	// a digest. An error comes with the digest that it is about, or with none
	// when a folder could not be listed.
	Blobs(ctx context.Context, after Digest) iter.Seq2[Stored, error]

	// StatStored looks at a blob on disk. Errors: ErrBlobUnknown.
	StatStored(ctx context.Context, d Digest) (Stored, error)

	// OpenStored opens a blob as it lies on disk; the caller closes it.
	// Errors: ErrBlobUnknown.
	OpenStored(ctx context.Context, d Digest) (io.ReadCloser, error)

	// LinksOf lists the links of a repository: first those of manifests, then
	// of tags, then of blobs. An error comes with the link it is about, as far
	// as that is known.
	LinksOf(ctx context.Context, repo string) iter.Seq2[RawLink, error]

	// ReadLink reads one link again, of which Kind, Tag and Digest are set;
	// false when there is none. Of a tag, false means that its folder is gone.
	ReadLink(ctx context.Context, repo string, l RawLink) (RawLink, bool, error)

	// Quarantine moves a blob aside that is not what its digest says, so that
	// it counts as missing and can be pushed again; nothing is deleted. It
	// looks for itself, and leaves what is sound or gone: false.
	Quarantine(ctx context.Context, d Digest) (moved bool, err error)

	// Quarantined lists what was moved aside, and DropQuarantined frees it.
	Quarantined(ctx context.Context) iter.Seq2[Stored, error]
	DropQuarantined(ctx context.Context, d Digest) (freed int64, err error)
}

// RawKind says where a link lies.
type RawKind string

// The kinds of links.
const (
	// RawRevision: the repository has a manifest.
	RawRevision RawKind = "revision"
	// RawTag: what a tag names now.
	RawTag RawKind = "tag"
	// RawHistory: what a tag named once, or names.
	RawHistory RawKind = "history"
	// RawLayer: the repository has a blob.
	RawLayer RawKind = "layer"
)

// RawLink is a link as it lies on disk.
type RawLink struct {
	Kind RawKind
	// Tag of a RawTag or RawHistory.
	Tag string
	// Digest in the link's key; empty for a RawTag.
	Digest Digest
	// Target is the digest that it holds; empty when it holds none.
	Target Digest
	// Missing is true for a tag of which there is a folder, but no link: what
	// a push that was cut leaves, and no tag for anybody.
	Missing bool
}
