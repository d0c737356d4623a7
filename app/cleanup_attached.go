package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

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

// dropAttached moves into the trash the tags of signatures, and of what else
// stands beside a manifest by its tag, of manifests that a clean-up has just
// freed, and counts them. After, and not before: until its links are gone, a
// manifest may be tagged again, and must then have its signature.
func (c *Core) dropAttached(ctx context.Context, plan *gc.Plan) (dropped int, problems []string) {
	for i := range plan.Repositories {
		r := &plan.Repositories[i]
		if r.Manifests.Len() == 0 || ctx.Err() != nil || c.readOnly.Load() {
			continue
		}
		n, err := c.dropAttachedIn(ctx, r)
		dropped += n
		if err != nil {
			problems = append(problems, fmt.Sprintf("signatures of what was freed of %s: %v", r.Name, err))
		}
	}
	return dropped, problems
}

func (c *Core) dropAttachedIn(ctx context.Context, r *gc.Repository) (dropped int, err error) {
	var freed map[registry.Digest]bool
	var tags []string
	for tag, err := range c.trash.Tags(ctx, r.Name, attachedTo) {
		if errors.Is(err, registry.ErrNameUnknown) {
			return 0, nil
		}
		if err != nil {
			return 0, err
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
	if len(tags) == 0 {
		return 0, nil
	}
	pinned, _, err := c.pinnedTags(ctx, r.Name)
	if err != nil {
		return 0, err
	}
	var failed []error
	for _, tag := range tags {
		if pinned[tag] {
			continue
		}
		gone, err := c.dropOrphan(ctx, r.Name, tag)
		if gone {
			dropped++
		}
		failed = append(failed, err)
	}
	return dropped, errors.Join(failed...)
}

// dropOrphan moves a tag into the trash if what it stands beside is not linked
// in its repository.
func (c *Core) dropOrphan(ctx context.Context, repo, tag string) (gone bool, err error) {
	subject, _ := retention.Attached(tag)
	if there, err := c.links(ctx, repo, subject); there || err != nil {
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
	// It may have been pushed again in this moment.
	ctx = context.WithoutCancel(ctx)
	there, err := c.links(ctx, repo, subject)
	if !there && err == nil {
		return true, nil
	}
	for _, e := range recorder.Entries() {
		if back := c.bringBack(ctx, e, ""); back != nil && !errors.Is(back, trash.ErrUnknown) {
			err = errors.Join(err, back)
		}
	}
	return false, err
}

// links reports whether a repository has a manifest.
func (c *Core) links(ctx context.Context, repo string, d registry.Digest) (bool, error) {
	_, err := c.trash.StatManifest(ctx, repo, d)
	if errors.Is(err, registry.ErrManifestUnknown) || errors.Is(err, registry.ErrNameUnknown) {
		return false, nil
	}
	return err == nil, err
}
