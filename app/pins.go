package app

import (
	"context"
	"errors"
	"time"

	"berth/registry"
	"berth/registry/pin"
)

// Pin keeps a tag and its manifest, or no longer; see [Service]. Pinning a tag
// again that has moved since holds what it names now as well.
func (c *Core) Pin(ctx context.Context, r PinRequest) (PinReply, error) {
	ctx = c.as(ctx, "")
	if c.lock.ReadOnly() {
		return PinReply{}, readOnlyProblem()
	}
	if err := errors.Join(registry.ParseName(r.Repository), registry.ParseTag(r.Tag)); err != nil {
		return PinReply{}, AsProblem(err)
	}
	if r.Off {
		return c.unpin(ctx, r)
	}
	c.pinning.Lock()
	defer c.pinning.Unlock()
	d, err := c.resolve(ctx, r.Repository, r.Tag)
	if err != nil {
		return PinReply{}, err
	}
	added := pin.Pin{Repository: r.Repository, Tag: r.Tag, Digest: d.Digest, By: registry.CallerFrom(ctx).User, At: time.Now()}
	changed, err := c.pins.Add(ctx, added)
	if err != nil {
		return PinReply{}, AsProblem(err)
	}
	// It may have been deleted between the look and the pin; what is not there
	// cannot be held.
	if _, err := c.reg.StatManifest(ctx, r.Repository, d.Digest); changed && errors.Is(err, registry.ErrManifestUnknown) {
		return PinReply{}, errors.Join(c.problem(err, r.Repository+":"+r.Tag), c.pins.Undo(context.WithoutCancel(ctx), added))
	}
	if changed {
		c.pinsChanged(ctx, []pin.Pin{added}, nil)
		c.notify(Notice{Kind: NoticeImages, Repository: r.Repository})
	}
	return PinReply{Changed: changed}, nil
}

func (c *Core) unpin(ctx context.Context, r PinRequest) (PinReply, error) {
	gone, err := c.pins.Remove(ctx, r.Repository, r.Tag)
	if err != nil {
		return PinReply{}, AsProblem(err)
	}
	c.pinsChanged(ctx, nil, gone)
	if len(gone) > 0 {
		c.notify(Notice{Kind: NoticeImages, Repository: r.Repository})
	}
	return PinReply{Changed: len(gone) > 0}, nil
}

// Pins lists what is pinned; see [Service].
func (c *Core) Pins(ctx context.Context, _ PinsRequest) (PinsReply, error) {
	reply := PinsReply{Pins: []Pin{}}
	for p, err := range c.pins.All(ctx) {
		if err != nil {
			return reply, AsProblem(err)
		}
		reply.Pins = append(reply.Pins, Pin{Repository: p.Repository, Tag: p.Tag, Digest: p.Digest.String(), By: p.By, At: p.At})
	}
	damaged, err := c.pins.Damaged(ctx)
	if err != nil {
		return reply, AsProblem(err)
	}
	for _, file := range damaged {
		reply.Problems = append(reply.Problems, file+" cannot be read, and may hold any image, so no clean-up frees anything: bring back the file, or let go of what it held with berth unpin, or remove it")
	}
	return reply, nil
}

// pinnedTags gives the pinned tags of a repository, and the manifests that pins
// hold, but for those of pins that cannot be read.
func (c *Core) pinnedTags(ctx context.Context, repo string) (tags map[string]bool, held map[registry.Digest]bool, err error) {
	pins, err := c.pins.Of(ctx, repo)
	if err != nil {
		return nil, nil, err
	}
	unread, err := c.pins.Unread(ctx, repo)
	if err != nil || len(pins)+len(unread) == 0 {
		return nil, nil, err
	}
	tags, held = map[string]bool{}, map[registry.Digest]bool{}
	for _, tag := range unread {
		tags[tag] = true
	}
	for _, p := range pins {
		tags[p.Tag], held[p.Digest] = true, true
	}
	return tags, held, nil
}

// markPinned says of rows whether their tags are pinned.
func (c *Core) markPinned(ctx context.Context, repo string, rows []Tag) error {
	pinned, _, err := c.pinnedTags(ctx, repo)
	if err != nil {
		return AsProblem(err)
	}
	for i := range rows {
		rows[i].Pinned = pinned[rows[i].Name]
		if rule, ok := c.held(repo, rows[i].Name); ok {
			rows[i].Immutable = rule
		}
	}
	return nil
}
