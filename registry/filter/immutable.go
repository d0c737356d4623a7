package filter

import (
	"context"
	"errors"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

type immutable struct {
	registry.Registry
	above Above
	rule  func(repo, tag string) (rule string, ok bool)
	repos *stripes // shared by a push of an immutable tag, alone for a delete of a manifest or a blob
	tags  *stripes // by repository and tag; taken after repos
}

// Above gives the first of those tags of a repository for which of answers true
// that cannot be pulled whole without a manifest or a blob; "" for none.
type Above func(ctx context.Context, repo string, d registry.Digest, of func(tag string) bool) (tag string, err error)

// Immutable keeps the tags for which rule answers true where they are: the
// first push of such a tag decides, the same digest again is taken, another one
// is refused with ErrDenied, and so is deleting the tag or its manifest. A tag
// that names nothing can be pushed and deleted.
//
// rule names, for the message, the rule that holds the tag; it is asked at each
// call, so that settings act at once. Of two first pushes at once exactly one wins: the locks
// for that are here, so all writers must come through one Immutable.
func Immutable(reg registry.Registry, above Above, rule func(repo, tag string) (rule string, ok bool)) registry.Registry {
	return &immutable{Registry: reg, above: above, rule: rule, repos: newStripes(), tags: newStripes()}
}

// lock is for those of the tags that are immutable, which it gives.
func (f *immutable) lock(repo string, tags []string) (held map[string]string, unlock func()) {
	var names []string
	for _, tag := range tags {
		rule, ok := f.rule(repo, tag)
		if !ok {
			continue
		}
		if held == nil {
			held = map[string]string{}
		}
		held[tag] = rule
		names = append(names, repo+":"+tag)
	}
	if held == nil {
		return nil, func() {}
	}
	all := f.repos.of(repo)
	all.RLock()
	release := f.tags.alone(names)
	return held, func() { release(); all.RUnlock() }
}

func (f *immutable) PutManifest(ctx context.Context, repo string, m registry.Manifest, tags ...string) (registry.Descriptor, error) {
	held, unlock := f.lock(repo, tags)
	defer unlock()
	if held != nil && m.Digest == "" {
		m.Digest = digest.FromBytes(m.Content)
	}
	for _, tag := range tags {
		rule, ok := held[tag]
		if !ok {
			continue
		}
		was, err := f.ResolveTag(ctx, repo, tag)
		switch {
		case errors.Is(err, registry.ErrManifestUnknown), errors.Is(err, registry.ErrNameUnknown), err == nil && was.Digest == m.Digest:
		case err != nil:
			return registry.Descriptor{}, err
		default:
			return registry.Descriptor{}, registry.ErrDenied.WithMessage(
				"the tag %s of %s is immutable (%s) and names %s; push under another tag", tag, repo, rule, was.Digest).WithDetail(refused(repo, tag, rule, was.Digest))
		}
	}
	return f.Registry.PutManifest(ctx, repo, m, tags...)
}

func (f *immutable) DeleteTag(ctx context.Context, repo, tag string) error {
	held, unlock := f.lock(repo, []string{tag})
	defer unlock()
	if rule, ok := held[tag]; ok {
		if was, err := f.ResolveTag(ctx, repo, tag); err == nil {
			return undeletable(repo, tag, rule, was.Digest)
		} else if registry.AsErrors(err) == nil {
			return err
		}
	}
	return f.Registry.DeleteTag(ctx, repo, tag)
}

func (f *immutable) DeleteManifest(ctx context.Context, repo string, d registry.Digest) error {
	// A tag that is pushed meanwhile would go with the manifest.
	all := f.repos.of(repo)
	all.Lock()
	defer all.Unlock()
	if err := f.needed(ctx, repo, d, f.StatManifest); err != nil {
		return err
	}
	return f.Registry.DeleteManifest(ctx, repo, d)
}

func (f *immutable) DeleteBlob(ctx context.Context, repo string, d registry.Digest) error {
	all := f.repos.of(repo)
	all.Lock()
	defer all.Unlock()
	if err := f.needed(ctx, repo, d, f.StatBlob); err != nil {
		return err
	}
	return f.Registry.DeleteBlob(ctx, repo, d)
}

// needed refuses for what an immutable tag needs. What is not there may be
// asked for: it is for the registry below to say so.
func (f *immutable) needed(ctx context.Context, repo string, d registry.Digest, stat func(context.Context, string, registry.Digest) (registry.Descriptor, error)) error {
	tag, err := f.above(ctx, repo, d, func(tag string) bool { _, ok := f.rule(repo, tag); return ok })
	if err != nil || tag == "" {
		return err
	}
	if _, err := stat(ctx, repo, d); registry.AsErrors(err) != nil {
		return nil
	}
	rule, ok := f.rule(repo, tag)
	if !ok {
		return nil // it was taken away in this moment
	}
	if now, err := f.ResolveTag(ctx, repo, tag); err == nil && now.Digest == d {
		return undeletable(repo, tag, rule, d)
	}
	return registry.ErrDenied.WithMessage("%s is part of %s:%s, which is immutable (%s), and cannot be deleted", d, repo, tag, rule).
		WithDetail(refused(repo, tag, rule, d))
}

func undeletable(repo, tag, rule string, d registry.Digest) error {
	return registry.ErrDenied.WithMessage("the tag %s of %s is immutable (%s) and cannot be deleted", tag, repo, rule).WithDetail(refused(repo, tag, rule, d))
}

func refused(repo, tag, rule string, d registry.Digest) map[string]string {
	return map[string]string{"name": repo, "tag": tag, "rule": rule, "digest": d.String()}
}
