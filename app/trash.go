package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/trash"
)

// Delete moves tags to the trash; see [Service]. When one of them is not there,
// or cannot go, none goes.
func (c *Core) Delete(ctx context.Context, r DeleteRequest) (DeleteReply, error) {
	ctx = c.as(ctx, r.Reason)
	reply := DeleteReply{Deleted: []TrashEntry{}}
	switch {
	case c.readOnly.Load():
		return reply, readOnlyProblem()
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
	frees, err := c.frees(ctx, going, nil)
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
	for _, e := range entries {
		entry, err := c.entry(ctx, e)
		if err != nil {
			c.log.Warn("what a deleted tag held was not measured", "repository", e.Repository, "tag", e.Tag, "error", err)
		}
		reply.Deleted = append(reply.Deleted, entry)
	}
	if err := c.left(ctx, &reply, r.Repository, going); err != nil {
		c.log.Warn("what stays after a delete was not found out", "repository", r.Repository, "error", err)
	}
	return reply, nil
}

// deleteAll deletes tags, and brings those back that went when one does not.
func (c *Core) deleteAll(ctx context.Context, repo string, tags []string) ([]trash.Entry, error) {
	recording, recorder := trash.Record(ctx)
	for _, tag := range tags {
		err := c.reg.DeleteTag(recording, repo, tag)
		if err == nil || errors.Is(err, registry.ErrManifestUnknown) {
			continue // somebody else deleted it meanwhile
		}
		err = c.problem(err, repo+":"+tag)
		back := context.WithoutCancel(ctx)
		var gone []string
		for _, e := range recorder.Entries() {
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
	return recorder.Entries(), nil
}

func halfDeleted(repo string, err error, gone []string) *Problem {
	return &Problem{
		Code: "half_deleted", Severity: severityError, Title: "Only some tags of " + repo + " were deleted",
		Text: sentence(err.Error()), Fix: "They are in the trash. To bring them back:",
		Command: "berth restore " + strings.Join(gone, " "), Exit: exitError,
	}
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
		err = c.bringBack(ctx, e, r.As)
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

// bringBack restores an entry. That is no push: the tag keeps the time of its
// own.
func (c *Core) bringBack(ctx context.Context, e trash.Entry, as string) error {
	tag := cmp.Or(as, e.Tag)
	_, before := c.reg.ResolveTag(ctx, e.Repository, tag)
	if _, err := c.trash.Restore(ctx, e.ID, as); err != nil {
		return err
	}
	if before == nil || tag == "" || e.Pushed.IsZero() {
		return nil
	}
	err := c.ix.Apply(context.WithoutCancel(ctx), index.PutTag{Repository: e.Repository, Tag: tag, Digest: e.Digest, At: e.Pushed, By: e.PushedBy})
	if err != nil {
		c.log.Warn("a restored tag shows the time of now", "repository", e.Repository, "tag", tag, "error", err)
	}
	return nil
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
			p := notInTrash(name)
			p.Text = "Nothing in the trash has that name or id."
			return nil, p
		}
		if !slices.ContainsFunc(out, func(e trash.Entry) bool { return e.ID == all[i].ID }) {
			out = append(out, all[i])
		}
	}
	return out, nil
}

func notInTrash(what string) *Problem {
	return &Problem{
		Code: "not_found", Severity: severityError, Title: what + " is not in the trash",
		Text: "It was restored already, or its time is over.", Fix: "To see what can be restored:", Command: "berth trash", Exit: exitNotFound,
	}
}
