package gc

import (
	"context"
	"errors"
	"time"

	"berth/registry"
)

// coarse is how far the date of a file may lie before the moment at which it was
// written: some disks count in steps of two seconds.
const coarse = 2 * time.Second

// errOdd means that a tag names nothing that can be read.
var errOdd = errors.New("a tag cannot be read")

// since keeps what a repository names now and did not when it was marked, as far
// as that is garbage by the plan. What came through the store the census knows;
// this is for other programs in the same folder. Their links are younger than
// the plan, but what they need may be as old as garbage is, so each is followed.
func (x *execution) since(ctx context.Context, r *Repository) error {
	dead := make(map[uint32]struct{}, r.Manifests.Len())
	for _, id := range r.Manifests.ids {
		dead[id] = struct{}{}
	}
	for l, err := range x.p.keeper.Contents(ctx, r.Name) {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && l.Kind == registry.BlobLink:
			return nil
		case err == nil && l.Digest == "":
			err = errOdd
		}
		if err != nil {
			x.leave(r.Name, "", err)
			return nil
		}
		id, known := x.p.Blobs.of.find(l.Digest)
		_, isDead := dead[id]
		isDead = isDead && known
		if l.Kind == registry.TagLink && !isDead || l.Kind == registry.ManifestLink && (isDead || !l.Linked.After(x.p.Began.Add(-coarse))) {
			continue // it was marked, or Unlink looks how old it is
		}
		if err := x.need(ctx, registry.Root{Repository: r.Name, Digest: l.Digest}, true); err != nil {
			return err
		}
	}
	return nil
}

// named says why a group stays that one of it, or what it refers to, is needed
// by something that was not there when the plan was made.
func (x *execution) named(repo string, group []registry.Link) registry.Why {
	if _, left := x.left[repo]; left {
		return Needed
	}
	needs := x.needs[repo]
	for _, l := range group {
		if needs.has(l.Digest) || needs.has(l.Target) {
			return registry.Referred
		}
	}
	return ""
}

// keptManifests keeps a group.
func (x *execution) keptManifests(repo string, group []registry.Link, why registry.Why) {
	for _, l := range group {
		x.kept(repo, l.Digest, why)
	}
	x.staysManifest(repo, group, why)
	x.progress(Unlinking, len(group))
}
