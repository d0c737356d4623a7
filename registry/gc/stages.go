package gc

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"berth/registry"
)

// run goes through the stages. Each relies on the one before: what a manifest
// needs is known only when it is known which manifests stay, and which blobs
// are free only when it is known which links do.
func (x *execution) run(ctx context.Context) error {
	x.begin()
	x.refused = x.p.spared
	for _, r := range x.p.spared {
		x.blobs.add(r.Digest, Needed)
	}
	x.total = x.p.Manifests + x.p.Links + x.p.Blobs.Len()
	for _, stage := range []func(context.Context) error{x.manifests, x.learn, x.links, x.sweep} {
		if err := stage(ctx); err != nil {
			return err
		}
	}
	for i := range x.p.Repositories {
		if ctx.Err() != nil {
			break
		}
		x.tidy(ctx, &x.p.Repositories[i])
	}
	return ctx.Err()
}

// tidy removes what is left of what went: no bytes, but files and folders.
func (x *execution) tidy(ctx context.Context, r *Repository) {
	if r.Manifests.Len() > 0 {
		if _, err := x.p.keeper.Forget(ctx, r.Name); err != nil && ctx.Err() == nil {
			x.problem(r.Name, "", err)
		}
	}
	if r.Empty {
		if err := x.p.keeper.Trim(ctx, r.Name); err != nil && ctx.Err() == nil {
			x.problem(r.Name, "", err)
		}
	}
}

func (x *execution) progress(stage Stage, n int) {
	x.done += n
	x.report(Progress{Stage: stage, Done: x.done, Total: x.total, Freed: x.receipt.Freed.Bytes})
}

func (x *execution) kept(repo string, d registry.Digest, why registry.Why) {
	x.receipt.spare(repo, d, why)
	i, found := x.p.place(repo)
	if id, known := x.p.Blobs.of.find(d); found && known {
		x.told.note(int32(i), id, why) //nolint:gosec // there are fewer repositories
	}
}

func (x *execution) keptBlob(i int, why registry.Why) {
	x.receipt.stayed(x.p.Blobs.At(i), x.p.Blobs.Size(i), why)
	x.told.note(ofNone, uint32(i), why) //nolint:gosec // there are fewer blobs
}

func (x *execution) problem(repo string, d registry.Digest, err error) {
	one := Problem{Repository: repo, Digest: d, Text: err.Error()}
	if len(x.receipt.Problems) < maxProblems && !slices.Contains(x.told.before.Problems, one) {
		x.receipt.Problems = append(x.receipt.Problems, one)
	}
}

// manifests unlinks manifests, each group whole.
func (x *execution) manifests(ctx context.Context) error {
	for i := range x.p.Repositories {
		r := &x.p.Repositories[i]
		u := unlinking{x: x, repo: r.Name, gone: &x.receipt.Manifests, stay: x.staysManifest}
		used, err := x.usedSince(ctx, r)
		if err != nil {
			return err
		}
		if err := x.since(ctx, r); err != nil {
			return err
		}
		from := 0
		for _, to := range r.groups {
			group, pulled := make([]registry.Link, 0, to-from), false
			for j := from; j < to; j++ {
				group = append(group, r.link(j))
				pulled = pulled || used.has(r.Manifests.At(j))
			}
			why := x.named(r.Name, group)
			if why == "" && pulled {
				why = Pulled
			}
			if from = to; why != "" {
				x.keptManifests(r.Name, group, why)
				continue
			}
			if err := u.add(ctx, group); err != nil {
				return err
			}
		}
		if err := u.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (x *execution) staysManifest(repo string, group []registry.Link, why registry.Why) {
	for _, l := range group {
		x.blobs.add(l.Digest, why)
		x.refused = append(x.refused, registry.Root{Repository: repo, Digest: l.Digest})
	}
}

// learn finds out what is needed by the manifests that stayed, by those that
// came, and by what went into the trash meanwhile. From here on none of the
// manifests that were to go can go into the trash any more: they are gone, or
// known to stay.
func (x *execution) learn(ctx context.Context) error {
	for _, root := range x.refused {
		if err := x.need(ctx, root, true); err != nil {
			return err
		}
	}
	roots, unread, err := readRoots(ctx, x.p.rooters)
	if err != nil {
		return err
	}
	x.doubt(unread)
	for repo, some := range roots {
		for _, root := range some {
			root = registry.Root{Repository: repo, Digest: root.Digest}
			if _, known := x.p.rooted[root]; known {
				continue
			}
			if err := x.need(ctx, root, true); err != nil {
				return err
			}
		}
	}
	for repo, d := range x.p.census.Pushed() {
		// A push that failed may have left nothing.
		if err := x.need(ctx, registry.Root{Repository: repo, Digest: d}, false); err != nil {
			return err
		}
	}
	return nil
}

// need keeps a manifest, and whatever can be reached from it. must says that it
// has to be there. When it cannot be read, nobody knows what it needs: then its
// repository keeps all that it has.
func (x *execution) need(ctx context.Context, root registry.Root, must bool) error {
	links := x.needs[root.Repository]
	if links == nil {
		links = set{}
		x.needs[root.Repository] = links
	}
	queue := []registry.Descriptor{{Digest: root.Digest}}
	seen := set{}
	for i := 0; i < len(queue); i++ {
		d := queue[i].Digest
		if seen.has(d) {
			continue
		}
		seen.add(d)
		links.add(d)
		x.blobs.add(d, Needed)
		e, err := edgesOf(ctx, x.p.keeper, nil, d)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errUnread) && (!must || i > 0 && x.p.o.Sparse != nil && x.p.o.Sparse(queue[i])):
			continue
		default:
			x.leave(root.Repository, d, err)
			continue
		}
		for _, b := range e.blobs {
			links.add(b)
			x.blobs.add(b, Needed)
		}
		for _, c := range e.children {
			if isManifest(c.MediaType) {
				queue = append(queue, c)
			}
			links.add(c.Digest)
			x.blobs.add(c.Digest, Needed)
		}
	}
	return nil
}

// leave leaves a repository alone from here on, with all that it has or had
// when the plan was made.
func (x *execution) leave(repo string, d registry.Digest, err error) {
	if _, already := x.left[repo]; !already {
		x.problem(repo, d, fmt.Errorf("what a manifest needs is not known, so the repository is left alone: %w", err))
	}
	x.left[repo] = struct{}{}
	i, found := x.p.place(repo)
	if !found {
		return
	}
	for _, d := range x.p.Repositories[i].Manifests.All() {
		x.blobs.add(d, Needed)
	}
}

// links unlinks blobs.
func (x *execution) links(ctx context.Context) error {
	for i := range x.p.Repositories {
		r := &x.p.Repositories[i]
		needs := x.needs[r.Name]
		u := unlinking{x: x, repo: r.Name, gone: &x.receipt.Links, stay: x.staysBlob}
		for j, d := range r.Blobs.All() {
			l := registry.Link{Kind: registry.BlobLink, Digest: d, Target: d}
			if target, ok := r.targets[j]; ok {
				l.Target = target
			}
			if x.unsure {
				x.kept(r.Name, d, Unsure)
				x.progress(Unlinking, 1)
				continue
			}
			if _, left := x.left[r.Name]; left || needs.has(l.Digest) || needs.has(l.Target) {
				x.kept(r.Name, d, Needed)
				x.staysBlob(r.Name, []registry.Link{l}, Needed)
				x.progress(Unlinking, 1)
				continue
			}
			if err := u.add(ctx, []registry.Link{l}); err != nil {
				return err
			}
		}
		if err := u.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (x *execution) staysBlob(_ string, group []registry.Link, why registry.Why) {
	for _, l := range group {
		x.blobs.add(l.Digest, why)
		x.blobs.add(l.Target, why)
	}
}

// sweep frees blobs. Each has lost its last link, or it stays.
func (x *execution) sweep(ctx context.Context) error {
	some := make([]int, 0, batch)
	for i, d := range x.p.Blobs.All() {
		why, stays := x.blobs.of(d)
		if x.unsure && !stays {
			why, stays = Unsure, true
		}
		if stays {
			x.keptBlob(i, why)
			x.progress(Freeing, 1)
			continue
		}
		if some = append(some, i); len(some) < batch {
			continue
		}
		if err := x.free(ctx, some); err != nil {
			return err
		}
		some = some[:0]
	}
	return x.free(ctx, some)
}

// free frees blobs, by their places in the plan.
func (x *execution) free(ctx context.Context, blobs []int) error {
	if err := x.freeSome(ctx, blobs); err != nil || len(blobs) == 0 {
		return err
	}
	x.progress(Freeing, len(blobs))
	return nil
}

func (x *execution) freeSome(ctx context.Context, blobs []int) error {
	if err := ctx.Err(); err != nil || len(blobs) == 0 {
		return err
	}
	digests := make([]registry.Digest, len(blobs))
	for i, at := range blobs {
		digests[i] = x.p.Blobs.At(at)
	}
	swept, err := x.p.census.Sweep(ctx, x.p.NotAfter, digests...)
	var rest []int // of which nothing is known
	for i, at := range blobs {
		switch {
		case i < len(swept) && swept[i].Kept != "":
			x.keptBlob(at, swept[i].Kept)
		case i < len(swept) && swept[i].Freed > 0:
			x.receipt.Freed.add(swept[i].Freed)
		default:
			rest = append(rest, at)
		}
	}
	switch {
	case err == nil || len(rest) == 0:
		return nil
	case fatal(ctx, err):
		return err
	case len(blobs) == 1:
		x.problem("", digests[0], err)
		return nil
	}
	for _, at := range rest {
		if err := x.freeSome(ctx, []int{at}); err != nil {
			return err
		}
	}
	return nil
}
