package index

import (
	"time"

	"berth/registry"
)

// Usage is the whole store in figures. What is on disk is Images, Shared, Held
// and Loose together, each file once: to the byte, as far as the index is
// complete.
type Usage struct {
	// Repositories with a tag, Tags, Manifests.
	Repositories, Tags, Manifests int
	// Blobs and Bytes count what is on disk, linked or not, each digest once.
	Blobs int
	Bytes int64
	// Images is the part of Bytes that exactly one tagged manifest reaches,
	// Shared what several do. Tags of one digest are one manifest; what refers
	// to a subject is reached with it, as far as a tag of a repository where it
	// does so is there.
	Images, Shared int64
	// Held is what no tag reaches, and a root does. Pinned is the part of it that
	// a lasting root reaches.
	Held, Pinned int64
	// Loose is what neither does. Untagged is the part of it that some manifest
	// reaches which a repository links.
	Loose, Untagged int64
}

// Fresh is the part of [Usage] that is newer than a moment: files and links
// that came after it, and what such a manifest reaches.
type Fresh struct{ Loose, Untagged int64 }

// In is a manifest as a repository has it: what refers to it there is reached
// through it, and what does so only elsewhere is not. Without a repository,
// whatever refers to it anywhere is.
type In struct {
	Repository string
	Digest     registry.Digest
	// Untagged says that it is not a tag which names the manifest that is meant,
	// but the manifest alone.
	Untagged bool
}

// Root is something beside tags that holds a manifest; see [PutRoot].
type Root struct {
	ID      string
	Digest  registry.Digest
	Lasting bool
}

// Candidate is what a rule may judge: a tag, or a manifest of a repository that
// no tag of that repository names.
type Candidate struct {
	Repository string
	// Tag is empty for a manifest that no tag names.
	Tag    string
	Digest registry.Digest
	// Pushed is the last push; zero: not known. Pulled is the last pull, by this
	// tag or by digest; zero: none.
	Pushed, Pulled time.Time
	// Subject that the manifest refers to, or empty.
	Subject registry.Digest
	// Parents are the indexes of the repository that the manifest is part of.
	Parents []registry.Digest
}
