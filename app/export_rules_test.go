package app

import (
	"context"
	"time"

	"berth/registry"
	"berth/registry/event"
	"berth/registry/index"
)

// ForgetVerdicts has the next preview read everything anew.
func ForgetVerdicts(c *Core) { c.judge.forget() }

// CountPullsSince says since when pulls are counted.
func CountPullsSince(c *Core, t time.Time) { c.judge.since.Store(t.Unix()) }

// Happen is as if the bus had told of an event.
func Happen(c *Core, e event.Event) { c.happened(e, pulls{}) }

// PushedAt has the index say that a tag names a manifest since some time ago.
func PushedAt(ctx context.Context, c *Core, repo, tag, digest string, at time.Time) error {
	return c.ix.Apply(ctx, index.PutTag{Repository: repo, Tag: tag, Digest: registry.Digest(digest), At: at})
}

// LinkedAt has the index say that a manifest was pushed last some time ago.
func LinkedAt(ctx context.Context, c *Core, repo, digest string, at time.Time) error {
	m, err := c.ix.Manifest(ctx, registry.Digest(digest))
	if err != nil {
		return err
	}
	return c.ix.Apply(ctx, index.DropManifest{Repository: repo, Digest: m.Descriptor.Digest}, index.PutManifest{Repository: repo, Manifest: m, At: at})
}

// Blind is as if the index did not reflect the disk.
func Blind(c *Core, is bool) { c.indexing.Store(is) }

// EmptyOldest empties the trash as a low disk does.
func EmptyOldest(ctx context.Context, c *Core) (int, error) {
	return c.emptyOldest(ctx, func() bool { return false })
}
