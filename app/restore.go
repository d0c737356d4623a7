package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"berth/registry/index"
	"berth/registry/trash"
)

// Restore brings entries back; see [Service].
func (c *Core) Restore(ctx context.Context, r RestoreRequest) (RestoreReply, error) {
	ctx = c.as(ctx, "")
	reply := RestoreReply{Restored: []TrashEntry{}}
	switch {
	case c.readOnly.Load():
		return reply, c.whyReadOnly()
	case r.All && len(r.Entries) > 0:
		return reply, BadRequest(errors.New("all of it, or some entries: not both"))
	case len(r.Entries) == 0 && !r.All:
		return reply, BadRequest(errors.New("no entry is named"))
	case r.As != "" && len(r.Entries) != 1:
		return reply, BadRequest(errors.New("another name is for exactly one entry"))
	}
	entries, err := c.chosen(ctx, r)
	if err != nil {
		return reply, err
	}
	if r.As != "" && entries[0].Tag == "" && entries[0].Whole {
		return reply, BadRequest(errors.New("another name is for a tag, and this is a repository"))
	}
	return c.restoreEach(ctx, r, entries)
}

// restoreEach brings back what was chosen.
func (c *Core) restoreEach(ctx context.Context, r RestoreRequest, entries []trash.Entry) (RestoreReply, error) {
	reply := RestoreReply{Restored: []TrashEntry{}}
	sizes, err := c.sizes(ctx, entries)
	if err != nil {
		return reply, err
	}
	b := bringing{c: c, reply: &reply, as: r.As, all: r.All, one: len(entries) == 1, back: map[string]bool{}, changed: map[string]bool{}}
	for i, e := range entries {
		if err = b.bring(ctx, e, sizes[i]); err == nil {
			continue
		}
		if b.one || ctx.Err() != nil {
			break
		}
		// The others are no worse for it.
		reply.Failed, err = append(reply.Failed, RestoreFailure{Entry: row(e, sizes[i]), Problem: AsProblem(err)}), nil
	}
	for repo := range b.changed {
		c.notify(Notice{Kind: NoticeImages, Repository: repo})
	}
	c.notify(Notice{Kind: NoticeUpkeep})
	return reply, err
}

// bringing is one call of Restore.
type bringing struct {
	c       *Core
	reply   *RestoreReply
	as      string
	all     bool
	one     bool            // and no other: that it is gone is an error
	back    map[string]bool // names that are back, or could not come
	changed map[string]bool // repositories
}

func (b *bringing) bring(ctx context.Context, e trash.Entry, size int64) error {
	if b.all && b.back[e.Name()] {
		return nil // with a repository: what is older stays in the trash
	}
	b.back[e.Name()] = true
	if e.Whole {
		return b.repository(ctx, e, size)
	}
	err := b.c.bringBack(ctx, e, b.as)
	var conflict *trash.ConflictError
	switch {
	case errors.As(err, &conflict):
		b.reply.Conflicts = append(b.reply.Conflicts, Conflict{Entry: row(e, size), Suggest: conflict.Suggest})
	case errors.Is(err, trash.ErrUnknown):
		return b.gone(e, size)
	case err != nil:
		return b.c.problem(err, e.Name())
	default:
		b.reply.Restored = append(b.reply.Restored, row(e, size))
		b.changed[e.Repository] = true
	}
	return nil
}

// gone takes note of an entry that left the trash meanwhile.
func (b *bringing) gone(e trash.Entry, size int64) error {
	if b.one && !b.all {
		return notInTrash(e.Name())
	}
	b.reply.Gone = append(b.reply.Gone, row(e, size))
	return nil
}

// repository brings a whole one back; what is taken of it is a conflict each.
func (b *bringing) repository(ctx context.Context, e trash.Entry, size int64) error {
	back, err := b.c.trash.RestoreRepository(ctx, e.ID)
	if errors.Is(err, trash.ErrUnknown) {
		return b.gone(e, size)
	}
	b.changed[e.Repository] = true
	ctx = context.WithoutCancel(ctx)
	b.c.pushedAgain(ctx, e.Repository, back.Back)
	e.Tags = 0
	for _, m := range back.Back {
		e.Tags += len(m.Tags)
		for _, t := range m.Tags {
			b.back[e.Repository+":"+t.Name] = true
		}
	}
	if err != nil {
		return b.c.problem(err, e.Name())
	}
	b.reply.Restored = append(b.reply.Restored, row(e, e.Size))
	taken := make([]trash.Entry, len(back.Conflicts))
	for i, conflict := range back.Conflicts {
		taken[i] = conflict.Entry
		b.back[conflict.Entry.Name()] = true
	}
	sizes, err := b.c.sizes(ctx, taken)
	if err != nil {
		return err
	}
	for i, conflict := range back.Conflicts {
		b.reply.Conflicts = append(b.reply.Conflicts, Conflict{Entry: row(conflict.Entry, sizes[i]), Suggest: conflict.Suggest})
	}
	return nil
}

// pushedAgain gives tags of a restored repository the time of their push: to
// restore is none.
func (c *Core) pushedAgain(ctx context.Context, repo string, back []trash.Manifest) {
	var changes []index.Change
	for _, m := range back {
		for _, t := range m.Tags {
			if !t.Pushed.IsZero() {
				changes = append(changes, index.PutTag{Repository: repo, Tag: t.Name, Digest: m.Digest, At: t.Pushed, By: t.PushedBy})
			}
		}
	}
	for chunk := range slices.Chunk(changes, 512) {
		if err := c.ix.Apply(ctx, chunk...); err != nil {
			c.log.Warn("restored tags show the time of now", "repository", repo, "error", err)
			return
		}
	}
}

// bringBack restores an entry of a tag or a manifest. That is no push: the tag
// keeps the time of its own.
func (c *Core) bringBack(ctx context.Context, e trash.Entry, as string) error {
	tag := cmp.Or(as, e.Tag)
	var before error
	if tag != "" {
		_, before = c.reg.ResolveTag(ctx, e.Repository, tag)
	}
	if _, err := c.trash.Restore(ctx, e.ID, as); err != nil {
		return err
	}
	if before == nil || e.Pushed.IsZero() {
		return nil
	}
	err := c.ix.Apply(context.WithoutCancel(ctx), index.PutTag{Repository: e.Repository, Tag: tag, Digest: e.Digest, At: e.Pushed, By: e.PushedBy})
	if err != nil {
		c.log.Warn("a restored tag shows the time of now", "repository", e.Repository, "tag", tag, "error", err)
	}
	return nil
}

// chosen finds entries by id, or the newest of a name; of everything, the
// newest of each name, newest first.
func (c *Core) chosen(ctx context.Context, r RestoreRequest) ([]trash.Entry, error) {
	wanted := map[string]bool{}
	for _, name := range r.Entries {
		wanted[name] = true
	}
	found, named := map[string]trash.Entry{}, map[string]bool{}
	var all []trash.Entry
	for e, err := range c.bin.Newest(ctx) {
		if err != nil {
			return nil, err
		}
		name := e.Name()
		if wanted[e.ID] {
			found[e.ID] = e
		}
		if named[name] || !r.All && !wanted[name] {
			continue
		}
		named[name] = true
		if r.All {
			all = append(all, e)
		} else {
			found[name] = e
		}
	}
	if r.All {
		return all, nil
	}
	var out []trash.Entry
	for _, name := range r.Entries {
		e, ok := found[name]
		if !ok {
			return nil, c.missingIn(ctx, name)
		}
		if !slices.ContainsFunc(out, func(o trash.Entry) bool { return o.ID == e.ID }) {
			out = append(out, e)
		}
	}
	return out, nil
}

// missingIn says that nothing has that name or id; what went with its
// repository comes back with it.
func (c *Core) missingIn(ctx context.Context, name string) error {
	p := notInTrash(name)
	p.Text = "Nothing in the trash has that name or id."
	repo, _, _ := strings.Cut(name, ":")
	for e, err := range c.bin.Newest(ctx) {
		if err != nil {
			return err
		}
		if e.Whole && e.Repository == repo {
			p.Text = fmt.Sprintf("The whole repository %s was deleted, and comes back as a whole.", e.Repository)
			p.Fix, p.Command = "If the tag was in it, restore the repository:", "berth restore "+e.ID
			break
		}
	}
	return p
}

func notInTrash(what string) *Problem {
	return &Problem{
		Code: "not_found", Severity: severityError, Title: what + " is not in the trash",
		Text: "It was restored already, or its time is over.", Fix: "To see what can be restored:", Command: "berth trash", Exit: exitNotFound,
	}
}
