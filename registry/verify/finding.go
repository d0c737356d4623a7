package verify

import (
	"berth/registry"
)

// Kind says what is wrong.
type Kind string

// The kinds of findings.
const (
	// BlobDamaged: the bytes of a blob are not what its digest says.
	BlobDamaged Kind = "blob damaged"
	// BlobUnreadable: the disk does not give its bytes.
	BlobUnreadable Kind = "blob unreadable"
	// BlobMissing: a repository has a link to a blob, or a manifest that needs
	// it, and the blob is not there.
	BlobMissing Kind = "blob missing"
	// BlobUnlinked: a manifest needs a blob that is on disk, but not in its
	// repository.
	BlobUnlinked Kind = "blob not in the repository"
	// SizeWrong: a sound blob is not as large as a manifest says.
	SizeWrong Kind = "size differs"
	// ManifestMissing: a repository has a link to a manifest that is not there.
	ManifestMissing Kind = "manifest missing"
	// ManifestUnknown: a sound manifest of a format that cannot be served.
	ManifestUnknown Kind = "manifest not understood"
	// ChildMissing: an index lists a manifest that its repository does not have.
	ChildMissing Kind = "child missing"
	// TagDangling: a tag names nothing.
	TagDangling Kind = "dangling tag"
	// LinkDamaged: a link does not hold the digest that it must.
	LinkDamaged Kind = "link damaged"
	// Unlisted: a folder or a link could not be read, so what is behind it was
	// not looked at.
	Unlisted Kind = "could not be looked at"
)

// Fix is what helps.
type Fix string

// The fixes; see [Repair] and [Mend].
const (
	// Refetch: the content must come from elsewhere, or be pushed again.
	Refetch Fix = "refetch"
	// Relink: everything is on disk, only a link must be written.
	Relink Fix = "relink"
	// RemoveTag: a tag that names nothing can be removed.
	RemoveTag Fix = "remove tag"
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind       Kind   `json:"kind"`
	Repository string `json:"repository,omitempty"`
	// Tag that suffers: one of those that name the manifest.
	Tag string `json:"tag,omitempty"`
	// Manifest that suffers, where it is not Digest.
	Manifest registry.Digest `json:"manifest,omitempty"`
	// Digest of what is damaged or missing.
	Digest registry.Digest `json:"digest,omitempty"`
	// Size on disk, or, of what is missing, as a manifest says; in bytes.
	Size int64 `json:"size,omitempty"`
	// Link that is damaged, of a LinkDamaged.
	Link registry.RawKind `json:"link,omitempty"`
	// Quarantined: it was moved aside.
	Quarantined bool `json:"quarantined,omitempty"`
	// Fixes are what can be done, the best first.
	Fixes []Fix `json:"fixes,omitempty"`
	// Text is a sentence for users.
	Text string `json:"text"`
}

// same reports whether two looks found the same.
func (f Finding) same(o Finding) bool {
	return f.Kind == o.Kind && f.Repository == o.Repository && f.Tag == o.Tag && f.Manifest == o.Manifest && f.Digest == o.Digest && f.Link == o.Link
}

// short is a digest as users see it.
func short(d registry.Digest) string {
	s := string(d)
	return s[:min(len(s), len("sha256:")+12)]
}
