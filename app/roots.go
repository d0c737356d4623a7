package app

import (
	"context"
	"errors"
	"iter"
	"strconv"

	"berth/registry/index"
	"berth/registry/pin"
	"berth/registry/trash"
)

// What the trash and the pins hold is told to the index as it comes and goes;
// the store compares all of it with the index at each start and from time to
// time. So what lies in the trash is a figure that is kept, and never counted.

// trashChanged tells the index what came into the trash, and what left it.
func (c *Core) trashChanged(ctx context.Context, added []trash.Entry, gone []string) {
	c.judge.trash.Add(1)
	changes := make([]index.Change, 0, len(added)+len(gone))
	for _, e := range added {
		for root, err := range c.trashRoots(ctx, e) {
			if err != nil {
				c.log.Warn("what the trash holds is not counted", "entry", e.ID, "error", err)
				break
			}
			changes = append(changes, index.PutRoot(root))
		}
	}
	for _, id := range gone {
		changes = append(changes, index.DropRoot{ID: trashRoot + id})
	}
	c.tellRoots(ctx, changes)
}

// pinsChanged tells the index which pins came and which went.
func (c *Core) pinsChanged(ctx context.Context, added, gone []pin.Pin) {
	changes := make([]index.Change, 0, len(added)+len(gone))
	for _, p := range added {
		changes = append(changes, index.PutRoot(pinnedRoot(p)))
	}
	for _, p := range gone {
		changes = append(changes, index.DropRoot{ID: pinnedRoot(p).ID})
	}
	c.tellRoots(ctx, changes)
}

func (c *Core) tellRoots(ctx context.Context, changes []index.Change) {
	if len(changes) == 0 {
		return
	}
	if err := c.ix.Apply(context.WithoutCancel(ctx), changes...); err != nil {
		// The index knows that it missed something: it is compared again.
		c.log.Warn("the index is behind with the trash", "error", err)
	}
}

const (
	trashRoot = "trash/"
	pinRoot   = "pin/"
)

func pinnedRoot(p pin.Pin) index.Root {
	return index.Root{ID: pinRoot + p.Repository + ":" + p.Tag + "@" + p.Digest.String(), Digest: p.Digest, Lasting: true}
}

// trashRoots gives the roots that an entry of the trash is.
func (c *Core) trashRoots(ctx context.Context, e trash.Entry) iter.Seq2[index.Root, error] {
	return func(yield func(index.Root, error) bool) {
		if !e.Whole {
			yield(index.Root{ID: trashRoot + e.ID, Digest: e.Digest}, nil)
			return
		}
		held, err := c.bin.Held(ctx, e.ID)
		if err != nil {
			yield(index.Root{}, err)
			return
		}
		for n, d := range held {
			if !yield(index.Root{ID: trashRoot + e.ID + "/" + strconv.Itoa(n), Digest: d}, nil) {
				return
			}
		}
	}
}

// rootsOnDisk gives everything that the index must know as a root.
func (c *Core) rootsOnDisk(ctx context.Context) iter.Seq2[index.Root, error] {
	return func(yield func(index.Root, error) bool) {
		entries, err := c.bin.Entries(ctx)
		if err != nil {
			yield(index.Root{}, err)
			return
		}
		for _, e := range entries {
			for root, err := range c.trashRoots(ctx, e) {
				if errors.Is(err, trash.ErrUnknown) {
					break // it went meanwhile
				}
				if !yield(root, err) || err != nil {
					return
				}
			}
		}
		for p, err := range c.pins.All(ctx) {
			if !yield(pinnedRoot(p), err) || err != nil {
				return
			}
		}
	}
}
