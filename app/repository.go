package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/event"
	"berth/registry/index"
	"berth/registry/trash"
)

// DeleteRepository moves a repository to the trash; see [Service]. Like Delete
// it does not heed storage.delete.enabled, which is about clients of the
// registry: this is its owner, and can undo it.
func (c *Core) DeleteRepository(ctx context.Context, r DeleteRepositoryRequest) (DeleteRepositoryReply, error) {
	ctx = c.as(ctx, r.Reason)
	if c.readOnly.Load() {
		return DeleteRepositoryReply{}, c.whyReadOnly()
	}
	c.pinning.RLock()
	defer c.pinning.RUnlock()
	reply, err := c.planRepository(ctx, r)
	if err != nil || r.DryRun {
		return reply, err
	}
	e, err := c.trash.DeleteRepository(ctx, r.Repository, trash.Deletion{
		Size: reply.Deleted.Size, Allow: func(tags []string) error { return c.deletable(ctx, r.Repository, tags) },
	})
	if e.ID != "" || err == nil {
		c.bus.Publish(event.Event{Kind: event.Delete, Time: e.At, Repository: r.Repository, Caller: registry.CallerFrom(ctx)})
		c.notify(Notice{Kind: NoticeImages, Repository: r.Repository})
		c.notify(Notice{Kind: NoticeUpkeep})
	}
	switch {
	case err != nil && e.ID != "":
		return DeleteRepositoryReply{}, halfDeleted(r.Repository, c.problem(err, r.Repository), []string{e.ID})
	case err != nil:
		return DeleteRepositoryReply{}, c.problem(err, r.Repository)
	}
	reply.Deleted = row(e, e.Size)
	return reply, nil
}

// planRepository says what goes with a repository, and what stays.
func (c *Core) planRepository(ctx context.Context, r DeleteRepositoryRequest) (DeleteRepositoryReply, error) {
	var reply DeleteRepositoryReply
	if err := registry.ParseName(r.Repository); err != nil {
		return reply, AsProblem(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	reply.Deleted = TrashEntry{
		Kind: TrashRepository, Repository: r.Repository, Why: trash.Deleted, By: c.user, At: now, Until: now.Add(c.bin.Keep()),
	}
	if r.Reason != "" {
		reply.Deleted.Why = r.Reason
	}
	var tags []string
	for l, err := range c.disk.Contents(ctx, r.Repository) {
		if err != nil {
			return reply, c.problem(err, r.Repository)
		}
		if l.Kind == registry.BlobLink {
			break
		}
		if l.Kind == registry.ManifestLink {
			reply.Deleted.Manifests++
		} else if registry.ParseTag(l.Tag) == nil {
			tags = append(tags, l.Tag)
		}
	}
	reply.Deleted.Tags = len(tags)
	if reply.Deleted.Tags+reply.Deleted.Manifests == 0 {
		return reply, notFound(r.Repository)
	}
	if err := c.deletable(ctx, r.Repository, tags); err != nil {
		return reply, err
	}
	for name, err := range c.reg.Repositories(ctx, r.Repository+"/") {
		if err != nil {
			return reply, AsProblem(err)
		}
		if !strings.HasPrefix(name, r.Repository+"/") {
			break
		}
		reply.Stay = append(reply.Stay, name)
	}
	var err error
	reply.Deleted.Size, reply.Frees, err = c.measure(ctx, r.Repository)
	return reply, err
}

// measure gives what a repository takes, and what nothing else needs of that.
func (c *Core) measure(ctx context.Context, repo string) (size, frees int64, err error) {
	row, err := c.ix.Repository(ctx, repo)
	if err != nil && !errors.Is(err, index.ErrUnknown) {
		return 0, 0, fmt.Errorf("measure %s: %w", repo, err)
	}
	// What the trash holds of it goes as well in the end; what pins hold stays.
	return row.Size, row.Frees, nil
}

// mostNamed is how many immutable tags a refusal names.
const mostNamed = 5

// deletable refuses to delete what has immutable tags, and what pins hold.
func (c *Core) deletable(ctx context.Context, repo string, tags []string) error {
	var held []string
	var first string
	for _, tag := range tags {
		if rule, ok := c.held(repo, tag); ok {
			held = append(held, tag)
			if first == "" {
				first = rule
			}
		}
	}
	if len(held) == 0 {
		return c.unpinned(ctx, repo)
	}
	text := strings.Join(held[:min(len(held), mostNamed)], ", ")
	if more := len(held) - mostNamed; more > 0 {
		text = fmt.Sprintf("%s and %d more", text, more)
	}
	return &Problem{
		Code: "immutable", Severity: severityError, Title: repo + " has tags that cannot be deleted",
		Text: fmt.Sprintf("%s: immutable by the rule “%s”.", text, first),
		Fix:  "Delete the other tags only, or change the rules of immutable tags first:", Command: "berth rules immutable", Exit: exitConflict,
	}
}
