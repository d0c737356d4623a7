package app

import (
	"context"
	"fmt"
	"time"

	"berth/registry"
	"berth/registry/index"
)

// Usage says where space goes; see [Service]. Every figure is kept as things
// change: nothing is looked for when it is asked.
func (c *Core) Usage(ctx context.Context, _ UsageRequest) (UsageReply, error) {
	// Asked before the figures: they are no older.
	reply := UsageReply{Indexing: c.indexing.Load() || !c.beside(time.Time{}).Known}
	var err error
	if reply.Usage, err = c.usage(ctx); err != nil {
		return reply, err
	}
	reply.Last, reply.Next = c.cleanupState()
	reply.Pending = c.pendingDrops(ctx)
	return reply, nil
}

// measureTags says who else needs the images of rows, and what of their
// repository no tag needs.
func (c *Core) measureTags(ctx context.Context, rows []index.Tag, reply *TagsReply) error {
	digests, here := make([]registry.Digest, len(rows)), map[registry.Digest]int{}
	for i, row := range rows {
		digests[i] = row.Descriptor.Digest
		here[row.Descriptor.Digest] = 1 + len(row.Same)
	}
	all, err := c.ix.Sharing(ctx, digests)
	if err != nil {
		return fmt.Errorf("find who else needs an image: %w", err)
	}
	for i, d := range digests {
		reply.Tags[i].Elsewhere = max(all[d]-here[d], 0)
	}
	if len(rows) < reply.Repository.Tags {
		return nil // a search left some out
	}
	tagged, err := c.frees(ctx, reply.Repository.Name, digests...)
	reply.Repository.Loose = max(reply.Repository.Frees-tagged, 0)
	return err
}

// usage gives the figures of the disk.
func (c *Core) usage(ctx context.Context) (Usage, error) {
	u, err := c.ix.Usage(ctx)
	if err != nil {
		return Usage{}, fmt.Errorf("measure what is stored: %w", err)
	}
	now, how := time.Now(), c.conf().Storage.Maintenance.UploadPurging
	beside := c.beside(now.Add(-how.Age))
	out := Usage{
		Repositories: u.Repositories, Tags: u.Tags, Used: u.Bytes + beside.Uploads + beside.Quarantine,
		Images: u.Images, Shared: u.Shared, Trash: u.Held, Pinned: u.Pinned, Loose: u.Loose, Uploads: beside.Uploads, Quarantine: beside.Quarantine,
	}
	free, err := c.freeable(ctx, now, &out, u.Untagged)
	if err != nil {
		return Usage{}, err
	}
	if c.waitsUntil().IsZero() {
		out.Freeable = free
	} else {
		out.Young = min(out.Young+free, out.Loose) // what was promised before the start is not known
	}
	if how.Enabled && !how.DryRun {
		out.Freeable += beside.Stale
	}
	if c.space != nil {
		// Not to know the room on the disk is no reason to show nothing.
		out.Free, out.Total, _ = c.space.Space(ctx)
	}
	return out, nil
}

// freeable gives the part of what is loose that a clean-up with the settings in
// effect would free, and says what of it is too young. untagged is the part that
// manifests without a tag reach.
func (c *Core) freeable(ctx context.Context, now time.Time, out *Usage, untagged int64) (int64, error) {
	if out.Loose == 0 {
		return 0, nil
	}
	o, err := c.gcOptions(PlanCleanupRequest{})
	if err != nil {
		return 0, err
	}
	fresh, err := c.ix.Fresh(ctx, now.Add(-max(o.Grace, 0)))
	if err != nil {
		return 0, fmt.Errorf("measure what is young: %w", err)
	}
	out.Young = min(fresh.Loose, out.Loose)
	free := (out.Loose - untagged) - (fresh.Loose - fresh.Untagged)
	if o.Untagged && !c.unsureOfPulls(now, o.UntaggedAfter) {
		if o.UntaggedAfter > o.Grace {
			if fresh, err = c.ix.Fresh(ctx, now.Add(-o.UntaggedAfter)); err != nil {
				return 0, fmt.Errorf("measure what is young: %w", err)
			}
		}
		free += untagged - fresh.Untagged
	}
	return max(free, 0), nil
}
