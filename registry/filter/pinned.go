package filter

import (
	"context"

	"berth/registry"
)

type pinned struct {
	registry.Registry
	by func(ctx context.Context, repo string, d registry.Digest) (tag string, release func(), err error)
}

// Pinned refuses, with ErrDenied, to delete a manifest that a pin holds. Tags
// come and go as they like: a pin is of what its tag named.
//
// by names the tag whose pin holds the manifest, or gives "". Until release,
// which Pinned calls unless there was an error, no pin may come.
func Pinned(reg registry.Registry, by func(ctx context.Context, repo string, d registry.Digest) (tag string, release func(), err error)) registry.Registry {
	return &pinned{Registry: reg, by: by}
}

func (f *pinned) DeleteManifest(ctx context.Context, repo string, d registry.Digest) error {
	tag, release, err := f.by(ctx, repo, d)
	if err != nil {
		return err
	}
	defer release()
	if tag != "" {
		if _, err := f.StatManifest(ctx, repo, d); err != nil {
			return err // it went behind the back of the registry
		}
		return registry.ErrDenied.WithMessage("%s@%s is pinned as %s:%s and cannot be deleted; unpin it first", repo, d, repo, tag).
			WithDetail(map[string]string{"name": repo, "pin": tag, "digest": d.String()})
	}
	return f.Registry.DeleteManifest(ctx, repo, d)
}
