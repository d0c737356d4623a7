package gc

import (
	"context"
	"fmt"
	"time"

	"berth/registry"
)

// Use says when a manifest was used last.
type Use struct {
	Digest registry.Digest
	At     time.Time
}

// Pulled is why a manifest stays that the plan had as garbage.
const Pulled registry.Why = "it was pulled, or pushed again, since the plan was made"

// used keeps what was used within the time for which untagged manifests stay,
// although its link is older: who deploys an image by its digest needs no tag.
// What is needed is marked already, and only where something is not is asked.
func (r *repository) used(ctx context.Context) error {
	o, p := &r.m.o, r.m.plan
	stay := max(o.UntaggedAfter, r.m.grace())
	if o.Uses == nil || stay <= 0 {
		return nil
	}
	old := map[uint32]struct{}{} // and not needed
	for i := range r.revisions {
		rev := &r.revisions[i]
		if _, live := r.live[rev.id]; !live && rev.age == lifeless {
			old[rev.id] = struct{}{}
		}
	}
	if len(old) == 0 {
		return nil
	}
	since := p.Began.Add(-stay)
	for use, err := range o.Uses(ctx, r.name) {
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.doubt("", fmt.Sprintf("when its manifests were used last is not known: %v", err))
			return nil
		}
		id, ok := r.m.table.find(use.Digest)
		if _, asked := old[id]; !ok || !asked {
			continue
		}
		delete(old, id)
		if use.At.After(since) {
			r.use(id, use.At)
		}
	}
	if o.UntaggedAfter > 0 {
		for id := range old {
			r.use(id, p.Began)
		}
	}
	return ctx.Err()
}

// use takes a manifest for one that was linked at a moment.
func (r *repository) use(id uint32, at time.Time) {
	rev := &r.revisions[r.at[id]]
	rev.age, rev.linked = r.m.age(at), at
}

// usedSince gives the manifests of a repository that were used since the plan was
// made; where that is not known, all that are garbage by it.
func (x *execution) usedSince(ctx context.Context, r *Repository) (set, error) {
	used := set{}
	if x.p.o.Uses == nil || r.Manifests.Len() == 0 {
		return used, nil
	}
	for use, err := range x.p.o.Uses(ctx, r.Name) {
		if err == nil && use.At.After(x.p.first) {
			used.add(use.Digest)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		x.problem(r.Name, "", fmt.Errorf("look what was pulled since the plan was made: %w", err))
		for _, d := range r.Manifests.All() {
			used.add(d)
		}
		break
	}
	return used, nil
}
