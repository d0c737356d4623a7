package index

import (
	"context"
	"errors"
	"iter"
	"time"

	"berth/registry"
)

// ErrUnknown means that the index has no such row.
var ErrUnknown = errors.New("not in the index")

// Index holds rows about repositories, tags, manifests and blobs. It is safe
// for concurrent use.
type Index interface {
	// Apply takes changes in order. A read that starts after Apply returned
	// sees them. They need not survive a crash: reconciliation finds them.
	Apply(ctx context.Context, changes ...Change) error

	// RepositoryNames lists, in byte order strictly after `after`, at most
	// limit repositories that hold a manifest. limit <= 0 means all.
	RepositoryNames(ctx context.Context, after string, limit int) ([]string, error)

	// TagNames lists tags the same way. Errors: ErrUnknown for a repository
	// without manifests and tags.
	TagNames(ctx context.Context, repo, after string, limit int) ([]string, error)

	// TagsOf lists the tags of a repository that name a manifest, by name.
	TagsOf(ctx context.Context, repo string, d registry.Digest) ([]string, error)

	// Manifests lists the manifests that a repository holds, by digest,
	// strictly after `after`. limit <= 0 means all.
	Manifests(ctx context.Context, repo string, after registry.Digest, limit int) ([]registry.Digest, error)

	// Referrers lists the manifests of repo whose subject is the digest, by
	// digest, strictly after `after`; artifactType filters when not empty.
	Referrers(ctx context.Context, repo string, subject registry.Digest, artifactType string, after registry.Digest, limit int) ([]registry.Descriptor, error)

	// Repositories gives the rows behind a list of repositories that have tags.
	Repositories(ctx context.Context, q Query) ([]Repository, error)

	// Repository gives the row of one repository, also of one without tags.
	// Errors: ErrUnknown for one that holds nothing.
	Repository(ctx context.Context, name string) (Repository, error)

	// Tags gives the rows behind a list of tags of one repository.
	Tags(ctx context.Context, repo string, q Query) ([]Tag, error)

	// Manifest gives what is known of a manifest, in whatever repository.
	// Errors: ErrUnknown.
	Manifest(ctx context.Context, d registry.Digest) (Manifest, error)

	// Sharing says for each digest by how many tags, in all repositories, it
	// is reached.
	Sharing(ctx context.Context, digests []registry.Digest) (map[registry.Digest]int, error)

	// Usage gives the totals. They are kept, never counted: it costs the same
	// however much there is.
	Usage(ctx context.Context) (Usage, error)

	// Fresh gives the part of what is loose that is newer than since. It costs
	// by how much that is.
	Fresh(ctx context.Context, since time.Time) (Fresh, error)

	// Frees gives the bytes on disk that nothing would reach any more if tags of
	// the repositories went, and that these reach now: one tag for each time that
	// a manifest comes, and none for one that is said to be untagged. What a
	// lasting root reaches stays.
	Frees(ctx context.Context, going ...In) (int64, error)

	// Sizes says for each manifest how much it reaches, each distinct blob once,
	// in bytes; 0 for what is not known.
	Sizes(ctx context.Context, manifests ...In) (map[In]int64, error)

	// Candidates gives what rules may judge in a repository, or, when repo is
	// empty, in all, one repository after the other. The values it yields are
	// the reader's.
	Candidates(ctx context.Context, repo string) iter.Seq2[Candidate, error]

	// Version changes whenever the candidates of a repository may have changed
	// ("": of any), but may tell of pulls a minute late. Who asks it first, and
	// then reads, may use what he has read until it changes. It never blocks.
	Version(repo string) uint64

	// Stored lists what is on disk, by digest, strictly after `after`, with its
	// size and the time of what is newest of it. limit <= 0 means all.
	Stored(ctx context.Context, after registry.Digest, limit int) ([]registry.Stored, error)

	// Roots lists the roots by id, strictly after `after`. limit <= 0 means all.
	Roots(ctx context.Context, after string, limit int) ([]Root, error)

	// Complete reports whether the index reflected the whole store once since
	// it was created; SetComplete records it.
	Complete(ctx context.Context) (bool, error)
	SetComplete(ctx context.Context, complete bool) error

	// Lost reports whether changes may be missing since the last
	// SetComplete(true): the process crashed, the file was damaged or deleted,
	// the disk refused. Lists must then come from elsewhere, until the index
	// was reconciled. It never blocks, and may be asked before every list.
	Lost() bool

	// Close flushes and closes.
	Close() error
}

// Pusher is an optional ability of an [Index]: to tell of one push without
// reading more than one row.
type Pusher interface {
	// Pushed says since when a tag names a manifest, and who put it there. It
	// may not see what was applied a moment ago, but never waits for it.
	// Errors: ErrUnknown when the tag does not name d.
	Pushed(ctx context.Context, repo, tag string, d registry.Digest) (at time.Time, by string, err error)
}

// Change is one change of the store: exactly one of the types below.
type Change interface{ change() }

type (
	// PutManifest says that a repository holds a manifest.
	PutManifest struct {
		Repository string
		Manifest   Manifest
		At         time.Time
	}
	// DropManifest says that it no longer does.
	DropManifest struct {
		Repository string
		Digest     registry.Digest
	}
	// PutTag says that a tag names a manifest, since At, put there by By.
	PutTag struct {
		Repository, Tag string
		Digest          registry.Digest
		At              time.Time
		By              string
	}
	// DropTag says that a tag is gone.
	DropTag struct{ Repository, Tag string }
	// PutBlob says that a repository links a blob of Size bytes, since At when
	// that is known.
	PutBlob struct {
		Repository string
		Digest     registry.Digest
		Size       int64
		At         time.Time
	}
	// DropBlob says that it no longer does.
	DropBlob struct {
		Repository string
		Digest     registry.Digest
	}
	// DropRepository forgets everything about a repository.
	DropRepository struct{ Repository string }
	// PutStored says that a blob or a manifest is on disk with Size bytes,
	// whoever links it; At is the time of the file. PutBlob and PutManifest say
	// it as well.
	PutStored struct {
		Digest registry.Digest
		Size   int64
		At     time.Time
	}
	// PutContent says what a manifest refers to, whoever links it.
	PutContent struct{ Manifest Manifest }
	// DropStored says that it is not on disk any more.
	DropStored struct{ Digest registry.Digest }
	// PutRoot says that something beside tags holds a manifest, and with it
	// everything it reaches: "trash/<id>", "pin/<name>". An id names one digest;
	// putting it again with another moves it.
	//
	// A lasting one, such as a pin, stays until somebody takes it away; another,
	// such as an entry of the trash, goes by itself in time, so that it makes
	// nothing less free that is about to go.
	PutRoot struct {
		ID      string
		Digest  registry.Digest
		Lasting bool
	}
	// DropRoot says that it does no longer, nor do those whose ids are below.
	DropRoot struct{ ID string }
	// Pulled counts one pull of a manifest, by tag when Tag is not empty.
	Pulled struct {
		Repository, Tag string
		Digest          registry.Digest
		At              time.Time
	}
)

func (PutManifest) change()    {}
func (DropManifest) change()   {}
func (PutTag) change()         {}
func (DropTag) change()        {}
func (PutBlob) change()        {}
func (DropBlob) change()       {}
func (DropRepository) change() {}
func (Pulled) change()         {}
func (PutStored) change()      {}
func (DropStored) change()     {}
func (PutContent) change()     {}
func (PutRoot) change()        {}
func (DropRoot) change()       {}

// Manifest is what the index keeps of a manifest's content.
type Manifest struct {
	// Descriptor of the manifest itself, with artifactType and annotations as
	// a referrers list shows them.
	Descriptor registry.Descriptor
	// Subject that it refers to, or empty.
	Subject registry.Digest
	// Children are the manifests of an index, in order, with their platforms.
	Children []registry.Descriptor
	// Blobs are config and layers, in order.
	Blobs []registry.Descriptor
	// Platforms as "os/arch[/variant]", of an image or of an index's children;
	// without the "unknown/unknown" of attestations.
	Platforms []string
	// Created is the build time, when the content told it.
	Created time.Time
}

// Order is the column a list is sorted by.
type Order string

// The orders. Descending is in [Query].
const (
	ByName    Order = "name" // versions sort as versions
	ByPushed  Order = "pushed"
	BySize    Order = "size"
	ByFrees   Order = "frees"
	ByTags    Order = "tags"
	ByPulls   Order = "pulls"
	ByDefault Order = ""
)

// Query chooses rows. The zero value is: all, newest push first.
type Query struct {
	// Search keeps the rows whose name contains it, ignoring case.
	Search     string
	Order      Order
	Descending bool
	Offset     int
	// Limit <= 0 means all.
	Limit int
}

// Repository is one row of a list of repositories.
type Repository struct {
	Name string
	// Tags and Manifests count.
	Tags, Manifests int
	// Size is what the repository takes on disk: every distinct blob that it
	// links once, in bytes.
	Size int64
	// Shared is how much of Size other repositories use as well.
	Shared int64
	// Frees is how much of Size neither they nor a lasting root use.
	Frees int64
	// Pushed is the newest push.
	Pushed time.Time
}

// MaxSame is how many tags of the same digest a row of a tag names: where a
// thousand tags are one image, each row need not name a thousand.
const MaxSame = 100

// Tag is one row of a list of tags.
type Tag struct {
	Name       string
	Descriptor registry.Descriptor
	// Size is everything the tag reaches, each distinct blob once, in bytes; see [In].
	Size int64
	// Shared is how many of those bytes another tagged manifest reaches as well.
	Shared int64
	// Frees is how many of those bytes are on disk, and no other tag and no
	// lasting root would use them if this tag went.
	Frees     int64
	Platforms []string
	Pushed    time.Time
	By        string
	// Pulls counts, LastPull is zero when there was none.
	Pulls    int
	LastPull time.Time
	// Same are other tags of the repository with the same digest, by name, at
	// most [MaxSame].
	Same []string
	// Referrers counts the manifests whose subject this one is.
	Referrers int
}
