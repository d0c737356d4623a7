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

	// Clear removes tags, then manifests, of a repository with few flushes: each
	// tag that names one of the manifests must be among them. What is not there
	// is passed over. When it fails, some of them may be gone.
	Clear(ctx context.Context, repo string, tags []string, manifests []Digest) error

	// Unlink removes a repository's link to a blob or a revision; one that is
	// not there is no error. Errors: ErrInUse for what is leased.
	Unlink(ctx context.Context, repo string, d Digest) error

	// Sweep frees a blob, and says how many bytes that gave back. It refuses
	// (0, nil) what is linked anywhere, leased, or newer than notAfter.
	Sweep(ctx context.Context, d Digest, notAfter time.Time) (freed int64, err error)

	// Contents lists what is linked in a repository as it lies on disk: its
	// tags, then its manifests, then its blobs.
	Contents(ctx context.Context, repo string) iter.Seq2[Link, error]

	// Content gives the bytes of a manifest by its digest alone, also of one
	// that no repository links. Errors: ErrManifestUnknown when they are not
	// there, or are not what the digest says.
	Content(ctx context.Context, d Digest) ([]byte, error)

	// Strays lists the folders among the repositories that hold links, but
	// whose names no repository can have, and the links to folders that are not
	// there now, as they are on another disk: what they link is not known.
	Strays(ctx context.Context) iter.Seq2[string, error]

	// Trim removes those folders of a repository that have nothing in them,
	// where the storage can do that without taking more.
	Trim(ctx context.Context, repo string) error

	// Forget removes what the tags of a repository remember of manifests that
	// it has no more, and counts that. What a tag names now stays.
	Forget(ctx context.Context, repo string) (int, error)

	// Census begins one; see [Census].
	Census(ctx context.Context) (Census, error)
}

// ErrCensusLost means that more was referred to than a census remembers, or
// that it was closed: what was found out since it began is of no use.
var ErrCensusLost = errors.New("more has happened meanwhile than could be remembered")

// Census remembers what is referred to from the moment it begins: pushed,
// mounted, uploaded or brought back. Whoever reads the links after that moment
// has, with what it remembers, every reference that there is, although pushes
// go on; so it removes what was found to be garbage without asking each
// repository again. It is safe for concurrent use.
type Census interface {
	// Lost reports that it remembers too little to be of use.
	Lost() bool

	// Pushed lists the manifests that came into repositories since it began.
	Pushed() iter.Seq2[string, Digest]

	// Promised reports whether it would keep something now since a client was
	// promised that it stays.
	Promised(d Digest) bool

	// Unlink removes links of one repository with few flushes: each group whole,
	// or not at all when one of it was promised to a client, is referred to since,
	// was written after notAfter, or is a manifest that is not there any more. A
	// manifest whose Target is another one, its subject, stays also when that was
	// referred to. It says for each group why it was kept, or "". When it fails,
	// it says so of those that it came to; of the first after them some links may
	// be gone. Errors: ErrCensusLost.
	Unlink(ctx context.Context, repo string, notAfter time.Time, groups ...[]Link) ([]Why, error)

	// Sweep frees blobs with few flushes. It must not be asked for what was
	// linked anywhere when it began and was not unlinked since; it keeps what
	// was promised, referred to since, or written after notAfter. It says for
	// each blob what became of it; when it fails that is true of those that it
	// frees or keeps, and of the others nothing is known. Errors: ErrCensusLost.
	Sweep(ctx context.Context, notAfter time.Time, blobs ...Digest) ([]Swept, error)

	// Close ends it.
	Close() error
}

// Why says why upkeep kept something; empty means that it did not.
type Why string

// The reasons of a [Census].
const (
	Promised Why = "a client was promised that it stays for a while"
	Referred Why = "something that refers to it was pushed meanwhile"
	Young    Why = "it is too young"
	Deleted  Why = "it was deleted meanwhile, which may be undone"
	Restart  Why = "the registry was started so lately that it does not know what it promised before"
)

// Swept is what became of one blob.
type Swept struct {
	// Freed bytes; 0 for what was kept, or was not there.
	Freed int64
	// Kept says why it was.
	Kept Why
}

// Link is a link on disk, of exactly one kind.
type Link struct {
	Kind LinkKind
	// Tag is the name of a tag.
	Tag string
	// Digest that is linked; empty when the link cannot be read.
	Digest Digest
	// Target is where the bytes are: Digest, but for a blob that distribution
	// stored under another digest than it was pushed by.
	Target Digest
	// Linked is when the link was written; zero for a tag.
	Linked time.Time
}

// LinkKind says what a link is for.
type LinkKind int

// The kinds of links.
const (
	TagLink LinkKind = iota
	ManifestLink
	BlobLink
)

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
	// Roots lists them. An error that is an [*UnreadRoot] is about one thing that
	// is there, and the list goes on; any other ends it.
	Roots(ctx context.Context) iter.Seq2[Root, error]
}

// UnreadRoot is the error of a [Rooter] about something that names manifests
// which must live, and cannot be read: which ones is not known.
type UnreadRoot struct {
	// Repository that they are of; empty when that is not known either.
	Repository string
	// What it is, and the file that cannot be read, or is not there.
	What, File string
	// Record is the file without which it does not count any more.
	Record string
}

// Error says what to do as well.
func (e *UnreadRoot) Error() string {
	if e.File == e.Record {
		return e.What + " cannot be read: bring back the file " + e.File + ", or remove it, and what it kept can be freed"
	}
	return e.What + " cannot be read: bring back the file " + e.File + ", or remove " + e.Record + ", and what it kept can be freed"
}

// Root is a manifest that must live, and why.
type Root struct {
	Repository string
	Digest     Digest
	Why        string
}
