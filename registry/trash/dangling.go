package trash

import (
	"context"

	"berth/registry"
)

// going makes the record of a tag that is deleted, whose lock is held; false for
// one that leaves nothing to restore. A tag names nothing when its repository
// has lost the manifest; but as long as the bytes are there, the record keeps
// them, and brings the manifest back with the tag.
func (r *Registry) going(ctx context.Context, repo, tag string) (e Entry, ok bool, err error) {
	was, err := r.ResolveTag(ctx, repo, tag)
	dangles := unknown(err)
	if dangles {
		was, ok, err = r.leadsTo(ctx, repo, tag)
		if !ok || err != nil {
			return Entry{}, false, err
		}
	}
	if err != nil {
		return Entry{}, false, err
	}
	e, err = r.bin.entry(ctx, repo, tag, was, Deleted)
	e.Dangling = dangles
	return e, err == nil, err
}

// leadsTo gives the manifest that a tag holds, of which the repository does not
// know; false when its bytes are not there either, or cannot be known.
func (r *Registry) leadsTo(ctx context.Context, repo, tag string) (d registry.Descriptor, ok bool, err error) {
	target, err := r.target(ctx, repo, tag)
	if err != nil || target == "" {
		return d, false, err
	}
	content, err := r.keeper.Content(ctx, target)
	if unknown(err) {
		return d, false, nil
	}
	if err != nil {
		return d, false, err
	}
	return registry.Descriptor{Digest: target, Size: int64(len(content))}, true, nil
}

// target is the digest that a tag holds on the disk; empty when there is none.
func (r *Registry) target(ctx context.Context, repo, tag string) (registry.Digest, error) {
	disk, ok := r.keeper.(registry.Inspector)
	if !ok {
		return "", nil
	}
	link, ok, err := disk.ReadLink(ctx, repo, registry.RawLink{Kind: registry.RawTag, Tag: tag})
	if err != nil || !ok {
		return "", err
	}
	return link.Target, nil
}
