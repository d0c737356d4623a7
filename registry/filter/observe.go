package filter

import (
	"context"
	"time"

	"berth/registry"
	"berth/registry/event"
)

type observe struct {
	registry.Registry
	bus *event.Bus
}

// Observe publishes what succeeded: push, pull, mount and delete. A HEAD is a
// pull too, as in distribution: who counts pulls looks at Caller.Method, and
// takes what is not HEAD. Faces on this machine, which have no method, pull by
// reading, not by asking what is there.
func Observe(reg registry.Registry, bus *event.Bus) registry.Registry {
	return &observe{Registry: reg, bus: bus}
}

func (o *observe) publish(ctx context.Context, e event.Event) {
	e.Time = time.Now()
	e.Caller = registry.CallerFrom(ctx)
	o.bus.Publish(e)
}

func isHead(ctx context.Context) bool { return registry.CallerFrom(ctx).Method == "HEAD" }

func (o *observe) OpenBlob(ctx context.Context, repo string, d registry.Digest) (registry.Blob, error) {
	b, err := o.Registry.OpenBlob(ctx, repo, d)
	if err == nil {
		o.publish(ctx, event.Event{Kind: event.Pull, Repository: repo, Target: b.Descriptor()})
	}
	return b, err
}

func (o *observe) StatBlob(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	desc, err := o.Registry.StatBlob(ctx, repo, d)
	if err == nil && isHead(ctx) {
		o.publish(ctx, event.Event{Kind: event.Pull, Repository: repo, Target: desc})
	}
	return desc, err
}

func (o *observe) Manifest(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, error) {
	m, err := o.Registry.Manifest(ctx, repo, d)
	if err == nil {
		desc := registry.Descriptor{MediaType: m.MediaType, Digest: d, Size: int64(len(m.Content))}
		o.publish(ctx, event.Event{Kind: event.Pull, Repository: repo, Tag: registry.TagFrom(ctx), Target: desc, Manifest: true})
	}
	return m, err
}

func (o *observe) StatManifest(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	desc, err := o.Registry.StatManifest(ctx, repo, d)
	if err == nil && isHead(ctx) {
		o.publish(ctx, event.Event{Kind: event.Pull, Repository: repo, Tag: registry.TagFrom(ctx), Target: desc, Manifest: true})
	}
	return desc, err
}

func (o *observe) MountBlob(ctx context.Context, from, to string, d registry.Digest) (registry.Descriptor, error) {
	desc, err := o.Registry.MountBlob(ctx, from, to, d)
	if err == nil {
		o.publish(ctx, event.Event{Kind: event.Mount, Repository: to, From: from, Target: desc})
	}
	return desc, err
}

// PutManifest publishes one push for each tag, and one without where there is
// none.
func (o *observe) PutManifest(ctx context.Context, repo string, m registry.Manifest, tags ...string) (registry.Descriptor, error) {
	desc, err := o.Registry.PutManifest(ctx, repo, m, tags...)
	if err != nil {
		return desc, err
	}
	e := event.Event{Kind: event.Push, Repository: repo, Target: desc, Manifest: true}
	if len(tags) == 0 {
		o.publish(ctx, e)
	}
	for _, e.Tag = range tags {
		o.publish(ctx, e)
	}
	return desc, nil
}

func (o *observe) StartUpload(ctx context.Context, repo string) (registry.Upload, error) {
	up, err := o.Registry.StartUpload(ctx, repo)
	return o.watch(up, err, repo)
}

func (o *observe) ResumeUpload(ctx context.Context, repo, id string) (registry.Upload, error) {
	up, err := o.Registry.ResumeUpload(ctx, repo, id)
	return o.watch(up, err, repo)
}
