package filter

import (
	"context"
	"io"

	"berth/registry"
	"berth/registry/event"
)

func (o *observe) DeleteTag(ctx context.Context, repo, tag string) error {
	err := o.Registry.DeleteTag(ctx, repo, tag)
	if err == nil {
		o.publish(ctx, event.Event{Kind: event.Delete, Repository: repo, Tag: tag, Manifest: true})
	}
	return err
}

func (o *observe) DeleteManifest(ctx context.Context, repo string, d registry.Digest) error {
	err := o.Registry.DeleteManifest(ctx, repo, d)
	if err == nil {
		o.publish(ctx, event.Event{Kind: event.Delete, Repository: repo, Target: registry.Descriptor{Digest: d}, Manifest: true})
	}
	return err
}

func (o *observe) DeleteBlob(ctx context.Context, repo string, d registry.Digest) error {
	err := o.Registry.DeleteBlob(ctx, repo, d)
	if err == nil {
		o.publish(ctx, event.Event{Kind: event.Delete, Repository: repo, Target: registry.Descriptor{Digest: d}})
	}
	return err
}

// observedUpload tells of its commit.
type observedUpload struct {
	registry.Upload
	o    *observe
	repo string
}

func (o *observe) watch(up registry.Upload, err error, repo string) (registry.Upload, error) {
	if err != nil {
		return nil, err
	}
	watched := &observedUpload{up, o, repo}
	if whole, ok := up.(io.ReaderFrom); ok { // its own way of taking a stream stays visible
		return struct {
			*observedUpload
			io.ReaderFrom
		}{watched, whole}, nil
	}
	return watched, nil
}

func (u *observedUpload) Commit(ctx context.Context, want registry.Digest) (registry.Descriptor, error) {
	desc, err := u.Upload.Commit(ctx, want)
	if err == nil {
		u.o.publish(ctx, event.Event{Kind: event.Push, Repository: u.repo, Target: desc})
	}
	return desc, err
}
