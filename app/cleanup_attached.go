package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"berth/registry"
	"berth/registry/gc"
	"berth/registry/retention"
	"berth/registry/trash"
)

const (
	// byCleanup is who deletes in the trash and in the activity.
	byCleanup = "clean-up"
	// attachedTo begins the tags that clients keep beside a manifest.
	attachedTo = "sha256-"
)

// orphans drops the tags of signatures, and of what else stands beside a
// manifest by its tag (.sig, .att, .sbom), of manifests that a clean-up has
// just freed. After, and not before: until its links are gone, a manifest may
// be tagged again, and must then have its signature.
//
// Signatures belong to a repository, as their manifests do: where an image is
// freed they go with it, also when it lives in another repository, which has
// signatures of its own or none.
type orphans struct {
	c *Core
	// began is when the plan was made: what was pushed since stays. A tool that
	// copies an image may push the signature first.
	began time.Time
	// rooted are the manifests that come back with a restore, or are pinned;
	// unsure, with "" for all, the repositories of which that is not known. Both
	// are nil until they are needed.
	rooted map[registry.Root]bool
	unsure map[string]bool
}

// dropAttached moves the tags into the trash, and counts them. The plan may be
// closed and carried out: neither changes what it lists, and of what it lists
// only that goes whose manifest is not linked any more.
func (c *Core) dropAttached(ctx context.Context, plan *gc.Plan) (dropped int, problems []string) {
	o := orphans{c: c, began: plan.Began}
	for i := range plan.Repositories {
		r := &plan.Repositories[i]
		if r.Manifests.Len() == 0 || ctx.Err() != nil || c.readOnly.Load() {
			continue
		}
		n, err := o.dropIn(ctx, r)
		dropped += n
		if err != nil && ctx.Err() == nil {
			problems = append(problems, fmt.Sprintf("signatures of what was freed of %s: %v", r.Name, err))
		}
	}
	return dropped, problems
}

// of finds the tags beside what was freed.
func (o *orphans) of(ctx context.Context, r *gc.Repository) (tags []string, err error) {
	var freed map[registry.Digest]bool
	for tag, err := range o.c.trash.Tags(ctx, r.Name, attachedTo) {
		if errors.Is(err, registry.ErrNameUnknown) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(tag, attachedTo) {
			break
		}
		if freed == nil {
			freed = map[registry.Digest]bool{}
			for _, d := range r.Manifests.All() {
				freed[d] = true
			}
		}
		if d, ok := retention.Attached(tag); ok && freed[d] {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}

func (o *orphans) dropIn(ctx context.Context, r *gc.Repository) (dropped int, err error) {
	tags, err := o.of(ctx, r)
	if err != nil || len(tags) == 0 {
		return 0, err
	}
	pinned, _, err := o.c.pinnedTags(ctx, r.Name)
	if err != nil {
		return 0, err
	}
	if err := o.readRoots(ctx); err != nil {
		return 0, err
	}
	if o.unsure[""] || o.unsure[r.Name] {
		return 0, nil // the receipt tells what cannot be read
	}
	var failed []error
	for _, tag := range tags {
		if pinned[tag] || ctx.Err() != nil {
			continue
		}
		gone, err := o.drop(ctx, r.Name, tag)
		if gone {
			dropped++
		}
		failed = append(failed, err)
	}
	return dropped, errors.Join(failed...)
}

// readRoots reads once what is pinned or comes back with a restore: also what was
// deleted since the plan was made must find its signature then.
func (o *orphans) readRoots(ctx context.Context) error {
	if o.rooted != nil {
		return nil
	}
	rooted, unsure := map[registry.Root]bool{}, map[string]bool{}
	for _, rooter := range o.c.roots {
		for root, err := range rooter.Roots(ctx) {
			if one, ok := errors.AsType[*registry.UnreadRoot](err); ok {
				unsure[one.Repository] = true
				continue
			}
			if err != nil {
				return err
			}
			rooted[registry.Root{Repository: root.Repository, Digest: root.Digest}] = true
		}
	}
	o.rooted, o.unsure = rooted, unsure
	return nil
}

// drop moves a tag into the trash if what it stands beside is not in its
// repository, nor comes back to it, and the tag is not new.
func (o *orphans) drop(ctx context.Context, repo, tag string) (gone bool, err error) {
	c := o.c
	subject, _ := retention.Attached(tag)
	if there, err := c.links(ctx, repo, subject); there || err != nil || o.rooted[registry.Root{Repository: repo, Digest: subject}] {
		return false, err
	}
	caller := registry.CallerFrom(ctx)
	caller.User, caller.Reason = byCleanup, "what it refers to was freed"
	recording, recorder := trash.Record(registry.WithCaller(ctx, caller))
	err = c.reg.DeleteTag(recording, repo, tag)
	if errors.Is(err, registry.ErrDenied) || errors.Is(err, registry.ErrManifestUnknown) || errors.Is(err, registry.ErrNameUnknown) {
		return false, nil // immutable, or gone already
	}
	if err != nil {
		return false, err
	}
	// The image, or the tag itself, may have been pushed in this moment.
	ctx = context.WithoutCancel(ctx)
	entries := recorder.Entries()
	there, err := c.links(ctx, repo, subject)
	if !there && err == nil && !slices.ContainsFunc(entries, func(e trash.Entry) bool { return e.Pushed.After(o.began) }) {
		return true, nil
	}
	return false, errors.Join(err, c.putBack(ctx, entries))
}

// putBack brings back what should not have gone; who pushed such a tag meanwhile,
// or brought it back himself, is right.
func (c *Core) putBack(ctx context.Context, entries []trash.Entry) error {
	var failed []error
	for _, e := range entries {
		err := c.bringBack(ctx, e, "")
		if _, taken := errors.AsType[*trash.ConflictError](err); !taken && !errors.Is(err, trash.ErrUnknown) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// links reports whether a repository links a manifest, be it damaged.
func (c *Core) links(ctx context.Context, repo string, d registry.Digest) (bool, error) {
	_, ok, err := c.disk.ReadLink(ctx, repo, registry.RawLink{Kind: registry.RawRevision, Digest: d})
	return ok, err
}
