package app

import (
	"context"
	"fmt"

	"berth/registry"
	"berth/registry/retention"
)

// comparer is what rules need of the store beside its contract.
type comparer interface {
	Compare(ctx context.Context, repo string) error
}

// mostLooks is how often a repository is compared with the disk before its rules
// give up: somebody else deletes from it all the time.
const mostLooks = 3

// onDisk finds out whether the tags that were judged are those on the disk, and
// otherwise brings the disk to the index, so that they are judged again: another
// program may have deleted the newest, and then the oldest are those that a rule
// keeps. unlike counts how often the disk was not what was judged.
func (d *dropper) onDisk(ctx context.Context, repo string, group *retention.Group, unlike *int) (same bool, err error) {
	gone, other, err := d.c.unlike(ctx, repo, group)
	if err != nil {
		return false, fmt.Errorf("look at the tags of %s: %w", repo, err)
	}
	// What came is compared once: others push all the time, and what is pushed
	// makes nothing go that would stay.
	if !gone && (!other || *unlike > 0) {
		return true, nil
	}
	if *unlike++; *unlike > mostLooks {
		return false, errChanging
	}
	store, ok := d.c.disk.(comparer)
	if !ok {
		return false, errChanging
	}
	if err := store.Compare(ctx, repo); err != nil {
		return false, fmt.Errorf("compare %s with the disk: %w", repo, err)
	}
	return false, nil
}

// unlike reports whether tags that were judged are gone from the disk, or name
// what is, and whether others are there, or name something else.
func (c *Core) unlike(ctx context.Context, repo string, group *retention.Group) (gone, other bool, err error) {
	tags, linked := map[string]registry.Digest{}, map[registry.Digest]bool{}
	for link, err := range c.disk.Contents(ctx, repo) {
		if err != nil {
			return false, false, err
		}
		if link.Kind == registry.BlobLink {
			break
		}
		if link.Kind == registry.TagLink {
			tags[link.Tag] = link.Digest
		} else {
			linked[link.Digest] = true
		}
	}
	for place := range group.Len() {
		o := group.Candidate(place)
		if o.Tag == "" {
			continue
		}
		is, there := tags[o.Tag]
		switch {
		case !there || !linked[is]:
			gone = true
		case is != o.Digest:
			other = true
		}
		delete(tags, o.Tag)
	}
	for tag, d := range tags {
		other = other || linked[d] && registry.ParseTag(tag) == nil
	}
	return gone, other, nil
}
