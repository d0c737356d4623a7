package index

import (
	"context"

	"berth/registry"
)

// Holder is an optional ability of an [Index]: to tell what its roots hold.
type Holder interface {
	// Lets gives the bytes on disk that nothing would reach any more if roots
	// went that hold the digests: one root for each time that a digest comes.
	Lets(ctx context.Context, going ...registry.Digest) (int64, error)
}
