package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/trash"
)

// Delete moves tags to the trash; see [Service]. When one of them is not there,
// none goes.
func (c *Core) Delete(ctx context.Context, r DeleteRequest) (DeleteReply, error) {
	ctx = c.as(ctx, r.Reason)
	reply := DeleteReply{Deleted: []TrashEntry{}}
	if len(r.Tags) == 0 {
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
	frees, err := c.frees(ctx, going, nil)
	if err != nil {
		return reply, err
	}
	reply.Frees = frees
	ctx, recorder := trash.Record(ctx)
	for _, tag := range tags {
		if err := c.reg.DeleteTag(ctx, r.Repository, tag); err != nil {
			return reply, c.problem(err, r.Repository+":"+tag)
		}
	}
	for _, e := range recorder.Entries() {
		entry, err := c.entry(ctx, e)
		if err != nil {
			return reply, err
		}
		reply.Deleted = append(reply.Deleted, entry)
	}
	return reply, c.left(ctx, &reply, r.Repository, going)
}

// entry gives the row of an entry, with the size of what it reaches.
func (c *Core) entry(ctx context.Context, e trash.Entry) (TrashEntry, error) {
	size, err := c.reached(ctx, e.Digest)
	return TrashEntry{
		ID: e.ID, Repository: e.Repository, Tag: e.Tag, Digest: e.Digest.String(), Why: e.Why, By: e.By, At: e.At, Until: e.Until,
		Size: size,
	}, err
}

// left says what stays of a repository after a delete.
func (c *Core) left(ctx context.Context, reply *DeleteReply, repo string, gone []registry.Digest) error {
	rows, err := c.ix.Tags(ctx, repo, index.Query{Order: index.ByName})
	if err != nil && !errors.Is(err, index.ErrUnknown) {
		return fmt.Errorf("list tags of %s: %w", repo, err)
	}
	for _, row := range rows {
		if slices.Contains(gone, row.Descriptor.Digest) {
			reply.Stay = append(reply.Stay, row.Name)
		}
	}
	reply.Gone = true
	for _, err := range c.reg.Tags(ctx, repo, "") {
		reply.Gone = err != nil
		break
	}
	return nil
}

// Trash lists what can be restored; see [Service].
func (c *Core) Trash(ctx context.Context, r TrashRequest) (TrashReply, error) {
	reply := TrashReply{Entries: []TrashEntry{}}
	entries, err := c.bin.Entries(ctx)
	if err != nil {
		return reply, err
	}
	for _, e := range slices.Backward(entries) {
		if r.Repository != "" && r.Repository != e.Repository {
			continue
		}
		row, err := c.entry(ctx, e)
		if err != nil {
			return reply, err
		}
		reply.Entries = append(reply.Entries, row)
	}
	return reply, nil
}

// Restore brings entries back; see [Service].
func (c *Core) Restore(ctx context.Context, r RestoreRequest) (RestoreReply, error) {
	ctx = c.as(ctx, "")
	reply := RestoreReply{Restored: []TrashEntry{}}
	switch {
	case c.readOnly.Load():
		return reply, readOnlyProblem()
	case len(r.Entries) == 0:
		return reply, BadRequest(errors.New("no entry is named"))
	case r.As != "" && len(r.Entries) != 1:
		return reply, BadRequest(errors.New("another name is for exactly one entry"))
	}
	entries, err := c.chosen(ctx, r.Entries)
	if err != nil {
		return reply, err
	}
	for _, e := range entries {
		row, err := c.entry(ctx, e)
		if err != nil {
			return reply, err
		}
		_, err = c.trash.Restore(ctx, e.ID, r.As)
		var conflict *trash.ConflictError
		switch {
		case errors.As(err, &conflict):
			reply.Conflicts = append(reply.Conflicts, Conflict{Entry: row, Suggest: conflict.Suggest})
		case errors.Is(err, trash.ErrUnknown):
			return reply, notInTrash(e.Repository + ":" + e.Tag)
		case err != nil:
			return reply, c.problem(err, e.Repository+":"+e.Tag)
		default:
			reply.Restored = append(reply.Restored, row)
			c.notify(Notice{Kind: NoticeImages, Repository: e.Repository})
		}
	}
	return reply, nil
}

// chosen finds entries by id, or the newest by "repository:tag".
func (c *Core) chosen(ctx context.Context, names []string) ([]trash.Entry, error) {
	all, err := c.bin.Entries(ctx)
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	var out []trash.Entry
	for _, name := range names {
		i := slices.IndexFunc(all, func(e trash.Entry) bool { return e.ID == name })
		if i < 0 {
			i = slices.IndexFunc(all, func(e trash.Entry) bool { return e.Tag != "" && e.Repository+":"+e.Tag == name })
		}
		if i < 0 {
			return nil, notInTrash(name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

func notInTrash(what string) *Problem {
	return &Problem{
		Code: "not_found", Severity: severityError, Title: what + " is not in the trash",
		Text: "It was restored already, or its time is over.", Fix: "To see what can be restored:", Command: "berth trash", Exit: exitNotFound,
	}
}
