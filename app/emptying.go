package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"berth/app/config"
	"berth/registry"
	"berth/registry/gc"
	"berth/registry/index"
	"berth/registry/trash"
)

// EmptyTrash lets go of entries; see [Service].
func (c *Core) EmptyTrash(ctx context.Context, r EmptyTrashRequest) (EmptyTrashReply, error) {
	var reply EmptyTrashReply
	if c.readOnly.Load() && !r.DryRun {
		return reply, c.whyReadOnly()
	}
	var ids []string
	var err error
	if len(r.Entries) == 0 {
		for e, err := range c.bin.Newest(ctx) {
			if err != nil {
				return reply, err
			}
			ids = append(ids, e.ID)
		}
		reply.Frees, err = c.trashFrees(ctx)
	} else {
		var held []registry.Digest
		if ids, held, err = c.heldBy(ctx, r.Entries); err == nil {
			reply.Frees, err = c.lets(ctx, held)
		}
	}
	if err != nil {
		return reply, err
	}
	reply.Why = c.notAtOnce()
	if r.DryRun {
		reply.Gone = len(ids)
		return reply, nil
	}
	ctx = context.WithoutCancel(ctx) // they go: who asked must be told
	before, known := c.usage(ctx)
	reply.Gone, err = c.bin.Remove(ctx, ids...)
	after, failed := c.usage(ctx)
	if failed = errors.Join(known, failed); failed != nil {
		c.log.Warn("what a clean-up frees of the emptied trash was not measured", "error", failed)
	} else {
		reply.Now = min(max(after.Freeable-before.Freeable, 0), reply.Frees)
	}
	if reply.Now == reply.Frees {
		reply.Why = ""
	}
	c.log.Info("trash emptied by hand", "entries", reply.Gone)
	c.notify(Notice{Kind: NoticeUpkeep})
	c.notify(Notice{Kind: NoticeStatus})
	if err != nil {
		return reply, AsProblem(err)
	}
	return reply, nil
}

// notAtOnce says what a clean-up with the settings in effect may wait for before
// it frees what the trash let go of, or "".
func (c *Core) notAtOnce() string {
	if waits := c.waitsUntil(); !waits.IsZero() {
		return c.untilText(waits)
	}
	o, err := c.gcOptions(PlanCleanupRequest{})
	if err != nil {
		return ""
	}
	var all []string
	if o.Grace > 0 {
		all = append(all, "it must be older than the grace of "+config.Brief(o.Grace))
	}
	switch {
	case !o.Untagged:
		all = append(all, "what only lost its tag stays, since berth.cleanup.untagged is false")
	case o.UntaggedAfter > max(o.Grace, 0):
		all = append(all, "what only lost its tag must be older than the "+config.Brief(o.UntaggedAfter)+" of the rules")
	}
	return strings.Join(all, ", and ")
}

// heldBy gives entries by their ids, each once, and what they hold.
func (c *Core) heldBy(ctx context.Context, names []string) (ids []string, held []registry.Digest, err error) {
	seen := map[string]bool{}
	for _, id := range names {
		if seen[id] {
			continue
		}
		seen[id] = true
		digests, err := c.bin.Held(ctx, id)
		if errors.Is(err, trash.ErrUnknown) {
			return nil, nil, notInTrash(id)
		}
		if err != nil {
			return nil, nil, err
		}
		ids, held = append(ids, id), append(held, digests...)
	}
	return ids, held, nil
}

func (c *Core) lets(ctx context.Context, held []registry.Digest) (int64, error) {
	h, ok := c.ix.(index.Holder)
	if !ok {
		return 0, nil
	}
	frees, err := h.Lets(ctx, held...)
	if err != nil {
		return 0, fmt.Errorf("measure the trash: %w", err)
	}
	return frees, nil
}

// trashFrees gives what the trash alone holds: what no tag reaches, and no pin.
func (c *Core) trashFrees(ctx context.Context) (int64, error) {
	u, err := c.ix.Usage(ctx)
	if err != nil {
		return 0, fmt.Errorf("measure the trash: %w", err)
	}
	return u.Held - u.Pinned, nil
}

// emptyOldest lets go of the oldest entries of the trash, until enough says so
// or nothing is left, and counts them. What a clean-up could not free now stays.
// It asks before each entry, and, once many have gone, before each few.
func (c *Core) emptyOldest(ctx context.Context, enough func() bool) (emptied int, err error) {
	entries, err := c.bin.Entries(ctx)
	if err != nil {
		return 0, err
	}
	o, err := c.gcOptions(PlanCleanupRequest{})
	if err != nil {
		return 0, err
	}
	defer func() {
		if emptied > 0 {
			c.log.Info("trash emptied, oldest first, since the disk is low", "entries", emptied)
			c.notify(Notice{Kind: NoticeUpkeep})
		}
	}()
	for now := time.Now(); len(entries) > 0 && ctx.Err() == nil && !enough(); {
		var ids []string
		most := 1 + emptied/16
		for ; len(entries) > 0 && len(ids) < most && ctx.Err() == nil; entries = entries[1:] {
			if c.wouldFree(ctx, entries[0], o, now) {
				ids = append(ids, entries[0].ID)
			}
		}
		n, err := c.bin.Remove(ctx, ids...)
		emptied += n
		if err != nil {
			return emptied, err
		}
	}
	return emptied, ctx.Err()
}

// wouldFree reports whether a clean-up with these options can free what an entry
// holds once that is let go. A manifest that only lost its tag is one without a
// tag then, and stays as long as those do.
func (c *Core) wouldFree(ctx context.Context, e trash.Entry, o gc.Options, now time.Time) bool {
	if e.Whole {
		return true
	}
	there, err := c.disk.StatStored(ctx, e.Digest)
	age := now.Sub(there.Modified)
	if err != nil || age < o.Grace {
		return false
	}
	if o.Untagged && age >= o.UntaggedAfter && !c.usedLately(ctx, e.Repository, e.Digest, o, now) {
		return true
	}
	_, err = c.reg.StatManifest(ctx, e.Repository, e.Digest)
	return errors.Is(err, registry.ErrManifestUnknown) || errors.Is(err, registry.ErrNameUnknown)
}

// reach remembers how much manifests reach, as long as nothing changes. The
// zero value is usable.
type reach struct {
	mu      sync.Mutex // guards what follows
	version uint64     // of the index
	sizes   map[index.In]int64
}

// maxReach bounds what is remembered, to some 20 MB.
const maxReach = 1 << 17

// of gives what is known of manifests, and those that are not.
func (r *reach) of(version uint64, manifests []index.In) (known map[index.In]int64, rest []index.In) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.version != version {
		r.version, r.sizes = version, nil
	}
	known = make(map[index.In]int64, len(manifests))
	for _, d := range manifests {
		if size, ok := r.sizes[d]; ok {
			known[d] = size
		} else {
			rest = append(rest, d)
		}
	}
	return known, rest
}

// note takes sizes that were read after the index had a version.
func (r *reach) note(version uint64, sizes map[index.In]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.version != version {
		return
	}
	if r.sizes == nil || len(r.sizes)+len(sizes) > maxReach {
		r.sizes = map[index.In]int64{}
	}
	maps.Copy(r.sizes, sizes)
}

// sizes says how much each entry reaches.
func (c *Core) sizes(ctx context.Context, entries []trash.Entry) ([]int64, error) {
	version := c.ix.Version("")
	manifests := make([]index.In, 0, len(entries))
	for _, e := range entries {
		if !e.Whole {
			manifests = append(manifests, index.In{Repository: e.Repository, Digest: e.Digest})
		}
	}
	known, rest := c.reach.of(version, manifests)
	slices.SortFunc(rest, func(a, b index.In) int {
		return cmp.Or(cmp.Compare(a.Digest, b.Digest), cmp.Compare(a.Repository, b.Repository))
	})
	for chunk := range slices.Chunk(slices.Compact(rest), 1024) {
		sizes, err := c.ix.Sizes(ctx, chunk...)
		if err != nil {
			return nil, fmt.Errorf("measure the trash: %w", err)
		}
		c.reach.note(version, sizes)
		maps.Copy(known, sizes)
	}
	out := make([]int64, len(entries))
	for i, e := range entries {
		if out[i] = known[index.In{Repository: e.Repository, Digest: e.Digest}]; e.Whole {
			out[i] = e.Size
		}
	}
	return out, nil
}
