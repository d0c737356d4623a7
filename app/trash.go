package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/trash"
)

// Delete moves tags to the trash; see [Service]. When one of them is not there,
// or cannot go, none goes. storage.delete.enabled is about clients of the
// registry; the owner of this machine deletes whatever it says, and can undo it.
func (c *Core) Delete(ctx context.Context, r DeleteRequest) (DeleteReply, error) {
	ctx = c.as(ctx, r.Reason)
	reply := DeleteReply{Deleted: []TrashEntry{}}
	switch {
	case c.readOnly.Load():
		return reply, c.whyReadOnly()
	case len(r.Tags) == 0:
		return reply, BadRequest(errors.New("no tag is named"))
	}
	tags := slices.Compact(slices.Sorted(slices.Values(r.Tags)))
	going := make([]registry.Digest, len(tags))
	for i, tag := range tags {
		if err := registry.ParseTag(tag); err != nil {
			return reply, AsProblem(err)
		}
		d, err := c.reg.ResolveTag(ctx, r.Repository, tag)
		if err != nil {
			return reply, c.problem(err, r.Repository+":"+tag)
		}
		going[i] = d.Digest
	}
	frees, err := c.frees(ctx, r.Repository, going...)
	if err != nil {
		return reply, err
	}
	reply.Frees = frees
	entries, err := c.deleteAll(ctx, r.Repository, tags)
	if err != nil {
		return reply, err
	}
	// They are gone: who asked must get the way back, although he has left or a
	// figure cannot be had.
	ctx = context.WithoutCancel(ctx)
	sizes, err := c.sizes(ctx, entries)
	if err != nil {
		c.log.Warn("what deleted tags held was not measured", "repository", r.Repository, "error", err)
		sizes = make([]int64, len(entries))
	}
	for i, e := range entries {
		reply.Deleted = append(reply.Deleted, row(e, sizes[i]))
	}
	c.notify(Notice{Kind: NoticeUpkeep})
	if err := c.left(ctx, &reply, r.Repository, going); err != nil {
		c.log.Warn("what stays after a delete was not found out", "repository", r.Repository, "error", err)
	}
	return reply, nil
}

// deleteAll deletes tags, beside each other so that they share flushes, and
// brings those back that went when one does not. Entries come in the order of
// the tags.
func (c *Core) deleteAll(ctx context.Context, repo string, tags []string) ([]trash.Entry, error) {
	recording, recorder := trash.Record(ctx)
	tag, err := c.deleteEach(recording, repo, tags)
	entries := recorder.Entries()
	slices.SortStableFunc(entries, func(x, y trash.Entry) int { return strings.Compare(x.Tag, y.Tag) })
	if err == nil {
		return entries, nil
	}
	err = c.problem(err, repo+":"+tag)
	back := context.WithoutCancel(ctx)
	var gone []string
	for _, e := range entries {
		if backErr := c.bringBack(back, e, ""); backErr != nil && !errors.Is(backErr, trash.ErrUnknown) {
			c.log.Error("a deleted tag was not brought back", "repository", repo, "tag", e.Tag, "entry", e.ID, "error", backErr)
			gone = append(gone, e.ID)
		}
	}
	c.notify(Notice{Kind: NoticeImages, Repository: repo})
	if len(gone) > 0 {
		return nil, halfDeleted(repo, err, gone)
	}
	return nil, err
}

// deleteEach gives the first tag that cannot be deleted, and why. None is begun
// after that.
func (c *Core) deleteEach(ctx context.Context, repo string, tags []string) (stuck string, err error) {
	var mu sync.Mutex // guards next, stuck and err
	var group sync.WaitGroup
	next := 0
	take := func() (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil || next == len(tags) {
			return "", false
		}
		next++
		return tags[next-1], true
	}
	for range min(len(tags), atOnce) {
		group.Go(func() {
			for tag, ok := take(); ok; tag, ok = take() {
				failed := c.reg.DeleteTag(ctx, repo, tag)
				if failed == nil || errors.Is(failed, registry.ErrManifestUnknown) {
					continue // or somebody else deleted it meanwhile
				}
				mu.Lock()
				if err == nil {
					stuck, err = tag, failed
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return stuck, err
}

func halfDeleted(repo string, err error, gone []string) *Problem {
	return &Problem{
		Code: "half_deleted", Severity: severityError, Title: "Only some tags of " + repo + " were deleted",
		Text: sentence(err.Error()), Fix: "They are in the trash. To bring them back:",
		Command: "berth restore " + strings.Join(gone, " "), Exit: exitError,
	}
}

// left says what stays of a repository after a delete.
func (c *Core) left(ctx context.Context, reply *DeleteReply, repo string, gone []registry.Digest) error {
	rows, err := c.ix.Tags(ctx, repo, index.Query{Order: index.ByName})
	if err != nil && !errors.Is(err, index.ErrUnknown) {
		return fmt.Errorf("list tags of %s: %w", repo, err)
	}
	was := make(map[registry.Digest]bool, len(gone))
	for _, d := range gone {
		was[d] = true
	}
	deleted := make(map[string]bool, len(reply.Deleted)) // on a full disk the index may be behind
	for _, e := range reply.Deleted {
		deleted[e.Tag] = true
	}
	for _, row := range rows {
		if was[row.Descriptor.Digest] && !deleted[row.Name] {
			reply.Stay = append(reply.Stay, row.Name)
		}
	}
	for _, err := range c.reg.Tags(ctx, repo, "") {
		if errors.Is(err, registry.ErrNameUnknown) {
			break
		}
		return err
	}
	reply.Gone = true
	return nil
}

// Trash lists what can be restored; see [Service].
func (c *Core) Trash(ctx context.Context, r TrashRequest) (TrashReply, error) {
	reply := TrashReply{Entries: []TrashEntry{}, Keep: c.bin.Keep()}
	var entries []trash.Entry
	for e, err := range c.bin.Newest(ctx) {
		switch {
		case err != nil:
			return reply, err
		case r.Repository != "" && r.Repository != e.Repository:
		case r.Limit > 0 && len(entries) >= r.Limit:
			reply.More++
		default:
			entries = append(entries, e)
		}
	}
	sizes, err := c.sizes(ctx, entries)
	if err != nil {
		return reply, err
	}
	for i, e := range entries {
		reply.Entries = append(reply.Entries, row(e, sizes[i]))
	}
	reply.Frees, err = c.trashFrees(ctx)
	return reply, err
}

// row shows an entry, with the size of what it reaches.
func row(e trash.Entry, size int64) TrashEntry {
	kind := TrashTag
	switch {
	case e.Whole:
		kind = TrashRepository
	case e.Tag == "":
		kind = TrashManifest
	}
	return TrashEntry{
		ID: e.ID, Kind: kind, Repository: e.Repository, Tag: e.Tag, Digest: e.Digest.String(), Why: e.Why, By: e.By, At: e.At, Until: e.Until,
		Size: size, Tags: e.Tags, Manifests: e.Manifests, Overwritten: e.Why == trash.Overwritten,
	}
}

// pushed says when a tag was made to name d and by whom, for its entry in the
// trash.
func (c *Core) pushed(ctx context.Context, repo, tag string, d registry.Digest) (at time.Time, by string) {
	p, ok := c.ix.(index.Pusher)
	if !ok {
		return time.Time{}, ""
	}
	at, by, err := p.Pushed(ctx, repo, tag, d)
	if err != nil && !errors.Is(err, index.ErrUnknown) {
		c.log.Warn("an entry of the trash does not tell of the push", "repository", repo, "tag", tag, "error", err)
	}
	return at, by
}
