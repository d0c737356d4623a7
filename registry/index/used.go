package index

import (
	"context"
	"iter"
	"time"

	"berth/registry"
)

// Dater is an optional ability of an [Index]: to tell when manifests were used.
type Dater interface {
	// Used lists the manifests that a repository holds, tagged or not, each with
	// when it was used. What was applied before is seen. The index may be asked
	// something else meanwhile.
	Used(ctx context.Context, repo string) iter.Seq2[Used, error]
}

// Used says when a repository had use of a manifest.
type Used struct {
	Digest registry.Digest
	// Pushed is the last push, to the minute; zero: not known. Pulled is the last
	// pull by digest; zero: none.
	Pushed, Pulled time.Time
}
