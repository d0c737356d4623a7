package trash

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

// Registry is a registry whose deletes and overwrites can be undone.
type Registry struct {
	registry.Registry
	keeper registry.Keeper
	bin    *Bin
	acts   *stripes
	repos  *stripes
	tags   *stripes
	drops  drops
}

// Wrap puts a trash before a registry. keeper is the store below, which brings
// links back. Whatever changes tags must go through the result.
func Wrap(reg registry.Registry, keeper registry.Keeper, bin *Bin) *Registry {
	return &Registry{Registry: reg, keeper: keeper, bin: bin, acts: newStripes(), repos: newStripes(), tags: newStripes()}
}

// ConflictError means that a tag names something else by now.
type ConflictError struct {
	Entry Entry
	// Tag that was asked for, and what it names.
	Tag   string
	Names registry.Digest
	// Suggest is a free tag, such as "v1-restored".
	Suggest string
}

// Error says what is in the way.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s:%s names %s by now", e.Entry.Repository, e.Tag, e.Names)
}

// PutManifest records what a tag named before, unless it is the same; see
// registry.Writer.
func (r *Registry) PutManifest(ctx context.Context, repo string, m registry.Manifest, tags ...string) (registry.Descriptor, error) {
	if len(tags) == 0 {
		return r.Registry.PutManifest(ctx, repo, m, tags...)
	}
	defer r.lock(repo, tags)()
	d := m.Digest
	if d == "" {
		d = digest.FromBytes(m.Content)
	}
	var entries []Entry
	for _, tag := range slices.Compact(slices.Sorted(slices.Values(tags))) {
		was, err := r.ResolveTag(ctx, repo, tag)
		if unknown(err) || err == nil && was.Digest == d {
			continue
		}
		if err != nil {
			return registry.Descriptor{}, err
		}
		e, err := r.bin.entry(ctx, repo, tag, was, Overwritten)
		if err != nil {
			return registry.Descriptor{}, err
		}
		entries = append(entries, e)
	}
	at := time.Now()
	ctx = registry.WithMoment(ctx, at)
	var put registry.Descriptor
	err := r.change(ctx, entries, func() (err error) {
		put, err = r.Registry.PutManifest(ctx, repo, m, tags...)
		return err
	})
	if err != nil {
		return put, err
	}
	for _, tag := range tags {
		r.bin.pushes.note(repo, tag, push{put.Digest, at, registry.CallerFrom(ctx).User})
	}
	return put, nil
}

// DeleteTag records what the tag names, then removes it; see registry.Deleter.
// One that names nothing, and whose bytes are gone, leaves nothing to restore.
// Tags that are deleted beside each other share their flushes.
func (r *Registry) DeleteTag(ctx context.Context, repo, tag string) error {
	defer r.lock(repo, []string{tag})()
	e, ok, err := r.going(ctx, repo, tag)
	if err != nil {
		return err
	}
	if !ok {
		return r.Registry.DeleteTag(ctx, repo, tag)
	}
	return r.drop(ctx, e)
}

// DeleteManifest records the manifest and each tag that names it, then removes
// them; see registry.Deleter.
func (r *Registry) DeleteManifest(ctx context.Context, repo string, d registry.Digest) error {
	defer r.repos.alone(repo)()
	was, err := r.StatManifest(ctx, repo, d)
	if err != nil {
		if unknown(err) {
			// One that is damaged cannot be restored, and goes all the same.
			return r.Registry.DeleteManifest(ctx, repo, d)
		}
		return err
	}
	e, err := r.bin.entry(ctx, repo, "", was, Deleted)
	if err != nil {
		return err
	}
	entries := []Entry{e}
	tags, err := r.keeper.TagsOf(ctx, repo, d)
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if e, err = r.bin.entry(ctx, repo, tag, was, Deleted); err != nil {
			return err
		}
		entries = append(entries, e)
	}
	return r.change(ctx, entries, func() error { return r.Registry.DeleteManifest(ctx, repo, d) })
}

// change writes the records, then does it. Records of what is still as it was
// are withdrawn when that failed.
func (r *Registry) change(ctx context.Context, entries []Entry, do func() error) error {
	if len(entries) > 0 {
		if err := r.bin.add(ctx, entries...); err != nil {
			return err
		}
	}
	err := do()
	if err != nil {
		entries = r.withdraw(context.WithoutCancel(ctx), entries)
	}
	record(ctx, entries)
	return err
}

// withdraw drops the records of what is still there, and gives the others: a
// change that failed half-way must stay reversible.
func (r *Registry) withdraw(ctx context.Context, entries []Entry) []Entry {
	return slices.DeleteFunc(entries, func(e Entry) bool {
		var now registry.Descriptor
		var err error
		switch {
		case e.Dangling:
			now.Digest, err = r.target(ctx, e.Repository, e.Tag)
		case e.Tag == "":
			now, err = r.StatManifest(ctx, e.Repository, e.Digest)
		default:
			now, err = r.ResolveTag(ctx, e.Repository, e.Tag)
		}
		return err == nil && now.Digest == e.Digest && r.bin.remove(ctx, e) == nil
	})
}

// Restore brings an entry back, under the tag `as` when that is not empty, and
// takes it out of the trash. A tag that already names the same manifest is
// fine. A repository comes back by [Registry.RestoreRepository].
// Errors: [ErrUnknown]; *[ConflictError] when the tag names something
// else, and then nothing was changed; registry.ErrTagInvalid;
// registry.ErrManifestUnknown when the bytes are gone.
func (r *Registry) Restore(ctx context.Context, id, as string) (Entry, error) {
	e, release, err := r.bin.hold(ctx, id)
	if err != nil {
		return Entry{}, err
	}
	defer release()
	if e.Whole {
		return Entry{}, fmt.Errorf("%q is a repository: %w", id, ErrUnknown)
	}
	tag := e.Tag
	if as != "" {
		tag = as
	}
	if tag == "" {
		defer r.lock(e.Repository, nil)()
		return e, r.relink(ctx, e)
	}
	if err := registry.ParseTag(tag); err != nil {
		return Entry{}, err
	}
	defer r.lock(e.Repository, []string{tag})()
	now, err := r.ResolveTag(ctx, e.Repository, tag)
	switch {
	case err == nil && now.Digest != e.Digest:
		suggest, err := r.free(ctx, e.Repository, tag)
		if err != nil {
			return Entry{}, err
		}
		return Entry{}, &ConflictError{Entry: e, Tag: tag, Names: now.Digest, Suggest: suggest}
	case err == nil:
		return e, r.bin.remove(ctx, e)
	case !unknown(err):
		return Entry{}, err
	}
	return e, r.relink(ctx, e, tag)
}

func (r *Registry) relink(ctx context.Context, e Entry, tags ...string) error {
	// Two restores of one entry: the second finds nothing.
	if _, err := r.bin.Get(ctx, e.ID); err != nil {
		return err
	}
	if err := r.keeper.Relink(ctx, e.Repository, e.Digest, tags...); err != nil {
		return fmt.Errorf("restore %s: %w", e.Name(), err)
	}
	r.bin.pushes.forget(e.Repository, tags...)
	return r.bin.remove(context.WithoutCancel(ctx), e)
}

// free finds a tag that names nothing: "v1-restored", "v1-restored-2", ….
func (r *Registry) free(ctx context.Context, repo, tag string) (string, error) {
	for n := 1; ; n++ {
		end := "-restored"
		if n > 1 {
			end = fmt.Sprintf("-restored-%d", n)
		}
		name := strings.TrimRight(tag[:min(len(tag), 128-len(end))], "-") + end
		_, err := r.ResolveTag(ctx, repo, name)
		if unknown(err) {
			return name, nil
		}
		if err != nil {
			return "", err
		}
	}
}

func (r *Registry) lock(repo string, tags []string) (unlock func()) {
	leave := r.repos.shared(repo)
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = repo + ":" + tag
	}
	release := r.tags.alone(names...)
	return func() { release(); leave() }
}

func unknown(err error) bool {
	return errors.Is(err, registry.ErrManifestUnknown) || errors.Is(err, registry.ErrNameUnknown)
}
