package index

import (
	"context"

	"berth/registry"
)

// Changer is an optional ability of an [Index]: to tell what of the candidates
// of a repository has changed, so that who has read many need not read all.
type Changer interface {
	// Changed says what may have changed since a [Index.Version] of the
	// repository; ok is false when that is not known any more. It never blocks.
	Changed(repo string, since uint64) (c Changed, ok bool)

	// CandidatesOf gives the candidates among some tags, and among some manifests
	// as far as no tag names them, in the order of [Index.Candidates].
	CandidatesOf(ctx context.Context, repo string, tags []string, manifests []registry.Digest) ([]Candidate, error)
}

// Changed is what of the candidates of a repository may have changed.
type Changed struct {
	// Tags that were put, dropped or pulled.
	Tags []string
	// Manifests that were put, dropped or pulled: with them the tags that name
	// them, and the manifests that they were an index of.
	Manifests []registry.Digest
	// Named are manifests that a tag names now, or an index refers to.
	Named []registry.Digest
}

// Len counts what has changed.
func (c *Changed) Len() int { return len(c.Tags) + len(c.Manifests) + len(c.Named) }
