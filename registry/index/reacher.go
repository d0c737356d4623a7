package index

import (
	"context"

	"berth/registry"
)

// Reacher is an optional ability of an [Index]: to look from below.
type Reacher interface {
	// TagsReaching lists the tags of a repository, by name, that cannot be pulled
	// whole without a manifest or a blob: those that name it, and those of what
	// it is a part of, however deep. Who only refers to another, such as a
	// signature to its subject, is no part of it.
	TagsReaching(ctx context.Context, repo string, d registry.Digest) ([]string, error)
}
