package trash

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"berth/registry"
)

// workers is how many at a time bring manifests back: they share flushes.
const workers = 16

// Deletion says how a repository is deleted.
type Deletion struct {
	// Size is what it takes on disk, in bytes, for its entry.
	Size int64
	// Allow is asked once nobody can push a tag any more, with all that go; its
	// error is given, and nothing goes. nil allows everything.
	Allow func(tags []string) error
}

// DeleteRepository moves a repository to the trash, with all its tags and
// manifests, and gives the one entry that brings it back. A repository whose
// name begins with this one's stays. What is pushed meanwhile with a tag waits,
// and stays; what is pushed by digest alone is recorded or stays. Links to
// blobs, and uploads that are open, are left for a clean-up: no client can get
// at the blobs once the links are swept, and an upload can be finished.
//
// Errors: registry.ErrNameUnknown when there is nothing to delete. After
// another error with an entry, part of it has gone, which the entry brings
// back; without one, nothing has.
func (r *Registry) DeleteRepository(ctx context.Context, repo string, how Deletion) (Entry, error) {
	if err := registry.ParseName(repo); err != nil {
		return Entry{}, err
	}
	defer r.repos.alone(repo)()
	all, err := r.linked(ctx, repo)
	if err != nil {
		return Entry{}, err
	}
	if how.Allow != nil {
		if err := how.Allow(all.tags); err != nil {
			return Entry{}, err
		}
	}
	e, all, err := r.onRecord(ctx, repo, how.Size, all)
	if err != nil {
		return Entry{}, err
	}
	// It is on record: half of it gone is worse than all.
	ctx = context.WithoutCancel(ctx)
	if err := r.keeper.Clear(ctx, repo, all.tags, all.revisions); err != nil {
		return r.undo(ctx, e, err)
	}
	r.bin.pushes.forget(repo, all.tags...)
	record(ctx, []Entry{e})
	return e, nil
}

// onRecord writes the record of what is linked, and gives what is on it. A
// clean-up that could not see the record yet may have taken manifests that
// nothing needs, whose bytes go: they must not be on it. What is there once it
// is durable stays.
func (r *Registry) onRecord(ctx context.Context, repo string, size int64, all linked) (Entry, linked, error) {
	for {
		if len(all.revisions)+len(all.tags) == 0 {
			return Entry{}, all, registry.ErrNameUnknown.WithDetail(map[string]string{"name": repo})
		}
		e, err := r.bin.stamp(ctx, repo, Deleted)
		if err != nil {
			return Entry{}, all, err
		}
		e.Size = size
		contents, err := r.describe(ctx, repo, all)
		if err != nil {
			return Entry{}, all, err
		}
		if err := r.bin.addWhole(ctx, &e, contents); err != nil {
			return Entry{}, all, err
		}
		if all.bare == 0 { // what has a tag is needed
			return e, all, nil
		}
		now, err := r.linked(ctx, repo)
		if err == nil && now.has(all.revisions) {
			return e, all, nil
		}
		if gone := r.bin.remove(context.WithoutCancel(ctx), e); err != nil || gone != nil {
			return Entry{}, all, errors.Join(err, gone)
		}
		all = now
	}
}

// linked is what goes with a repository.
type linked struct {
	tags      []string
	named     map[registry.Digest][]string // tags, by what they name
	revisions []registry.Digest            // those with a tag first: a parent before its children
	bare      int                          // how many have none
}

// has reports whether all of some revisions are there.
func (l *linked) has(some []registry.Digest) bool {
	there := make(map[registry.Digest]bool, len(l.revisions))
	for _, d := range l.revisions {
		there[d] = true
	}
	return !slices.ContainsFunc(some, func(d registry.Digest) bool { return !there[d] })
}

func (r *Registry) linked(ctx context.Context, repo string) (linked, error) {
	all := linked{named: map[registry.Digest][]string{}}
	var bare []registry.Digest
	for l, err := range r.keeper.Contents(ctx, repo) {
		if err != nil {
			return linked{}, err
		}
		if l.Kind == registry.BlobLink {
			break
		}
		switch {
		case l.Kind == registry.TagLink && registry.ParseTag(l.Tag) == nil:
			all.tags = append(all.tags, l.Tag)
			if l.Digest != "" {
				all.named[l.Digest] = append(all.named[l.Digest], l.Tag)
			}
		case l.Kind == registry.ManifestLink && l.Digest != "":
			if len(all.named[l.Digest]) > 0 {
				all.revisions = append(all.revisions, l.Digest)
			} else {
				bare = append(bare, l.Digest)
			}
		}
	}
	all.revisions, all.bare = append(all.revisions, bare...), len(bare)
	return all, nil
}

// describe says what is recorded. A tag that names what is not linked is
// recorded too: its bytes may be there.
func (r *Registry) describe(ctx context.Context, repo string, all linked) ([]Manifest, error) {
	linked := make(map[registry.Digest]bool, len(all.revisions))
	for _, d := range all.revisions {
		linked[d] = true
	}
	digests := slices.Clone(all.revisions)
	for _, d := range slices.Sorted(maps.Keys(all.named)) {
		if !linked[d] {
			digests = append(digests, d)
		}
	}
	out := make([]Manifest, 0, len(digests))
	for _, d := range digests {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m := Manifest{Digest: d}
		for _, tag := range all.named[d] {
			at, by := r.bin.pushed(ctx, repo, tag, d)
			m.Tags = append(m.Tags, Tag{Name: tag, Pushed: at, PushedBy: by})
		}
		out = append(out, m)
	}
	return out, nil
}

// undo brings back what went of a repository before its delete failed. The
// entry stays, and is given, when it cannot.
func (r *Registry) undo(ctx context.Context, e Entry, why error) (Entry, error) {
	back := &Restored{Entry: e}
	if err := r.bringBack(ctx, back); err != nil || len(back.Conflicts) > 0 {
		record(ctx, []Entry{e})
		return e, errors.Join(why, err)
	}
	if err := r.bin.remove(ctx, e); err != nil {
		return e, errors.Join(why, err)
	}
	return Entry{}, why
}

// Restored is what came back of a repository.
type Restored struct {
	Entry Entry
	// Back are the tags that had to be brought back, by what they name.
	Back []Manifest
	// Conflicts are tags that name something else by now; each has an entry of
	// its own in the trash from now on.
	Conflicts []*ConflictError
}

// RestoreRepository brings back all manifests of a repository, and all its tags
// but those that name something else by now, and takes the entry out of the
// trash. Errors: [ErrUnknown]; registry.ErrManifestUnknown when the bytes of a
// manifest are gone. After an error all that can be brought back is, and the
// entry stays; so it is when a part of the record cannot be read.
func (r *Registry) RestoreRepository(ctx context.Context, id string) (Restored, error) {
	defer r.acts.alone(id)()
	e, release, err := r.bin.hold(ctx, id)
	if err != nil {
		return Restored{}, err
	}
	defer release()
	if !e.Whole {
		return Restored{}, fmt.Errorf("%q is no repository: %w", id, ErrUnknown)
	}
	defer r.repos.alone(e.Repository)()
	out := Restored{Entry: e}
	ctx = context.WithoutCancel(ctx)
	if err := r.bringBack(ctx, &out); err != nil {
		return out, err
	}
	if err := r.split(ctx, &out); err != nil {
		return out, err
	}
	return out, r.bin.remove(ctx, e)
}

// bringBack relinks what the entry holds: what has no tag first, as it may be
// what the others need. The repository is locked.
func (r *Registry) bringBack(ctx context.Context, out *Restored) error {
	var contents []Manifest
	for m, err := range r.bin.Contents(ctx, out.Entry) {
		if err != nil {
			return err
		}
		contents = append(contents, m)
	}
	var failed []error
	if lost := out.Entry.Manifests - len(contents); lost > 0 {
		failed = append(failed, fmt.Errorf("restore %s: %d of the %d manifests on record cannot be read", out.Entry.Repository, lost, out.Entry.Manifests))
	}
	for _, tagged := range []bool{false, true} {
		var some []Manifest
		for _, m := range contents {
			if len(m.Tags) > 0 == tagged {
				some = append(some, m)
			}
		}
		failed = append(failed, r.relinkAll(ctx, some, out))
	}
	return errors.Join(failed...)
}

func (r *Registry) relinkAll(ctx context.Context, contents []Manifest, out *Restored) error {
	work := make(chan Manifest)
	var mu sync.Mutex // guards out and failed
	var failed []error
	var group sync.WaitGroup
	for range min(workers, len(contents)) {
		group.Go(func() {
			for m := range work {
				free, conflicts, err := r.relinkOne(ctx, out.Entry, m)
				mu.Lock()
				switch {
				case err != nil && len(failed) < 10:
					failed = append(failed, err)
				case err == nil && len(free.Tags) > 0:
					out.Back = append(out.Back, free)
				}
				out.Conflicts = append(out.Conflicts, conflicts...)
				mu.Unlock()
			}
		})
	}
	for _, m := range contents {
		work <- m
	}
	close(work)
	group.Wait()
	return errors.Join(failed...)
}

// relinkOne brings back a manifest and those of its tags that are free.
func (r *Registry) relinkOne(ctx context.Context, e Entry, m Manifest) (free Manifest, conflicts []*ConflictError, err error) {
	free.Digest = m.Digest
	var names []string
	for _, t := range m.Tags {
		now, err := r.ResolveTag(ctx, e.Repository, t.Name)
		switch {
		case err == nil && now.Digest != m.Digest:
			conflicts = append(conflicts, &ConflictError{Entry: single(e, m, t), Tag: t.Name, Names: now.Digest})
			continue
		case err != nil && !unknown(err):
			return free, nil, err
		case err != nil:
			names = append(names, t.Name)
			free.Tags = append(free.Tags, t)
		}
	}
	if err := r.keeper.Relink(ctx, e.Repository, m.Digest, names...); err != nil {
		return free, nil, fmt.Errorf("restore %s@%s: %w", e.Repository, m.Digest, err)
	}
	r.bin.pushes.forget(e.Repository, names...)
	return free, conflicts, nil
}

// single is the entry of one tag of a repository that was deleted.
func single(e Entry, m Manifest, t Tag) Entry {
	return Entry{
		Repository: e.Repository, Tag: t.Name, Digest: m.Digest, Why: e.Why, By: e.By, At: e.At, Until: e.Until,
		Pushed: t.Pushed, PushedBy: t.PushedBy,
	}
}

// split gives the tags that could not come back entries of their own.
func (r *Registry) split(ctx context.Context, out *Restored) error {
	slices.SortFunc(out.Conflicts, func(x, y *ConflictError) int { return strings.Compare(x.Tag, y.Tag) })
	entries := make([]Entry, 0, len(out.Conflicts))
	for _, c := range out.Conflicts {
		stamped, err := r.bin.stamp(ctx, c.Entry.Repository, c.Entry.Why)
		if err != nil {
			return err
		}
		c.Entry.ID = stamped.ID
		if d, err := r.StatManifest(ctx, c.Entry.Repository, c.Entry.Digest); err == nil {
			c.Entry.MediaType, c.Entry.Size = d.MediaType, d.Size
		}
		if c.Suggest, err = r.free(ctx, c.Entry.Repository, c.Tag); err != nil {
			return err
		}
		entries = append(entries, c.Entry)
	}
	return r.bin.add(ctx, entries...)
}
