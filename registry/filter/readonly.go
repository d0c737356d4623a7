package filter

import (
	"context"

	"berth/registry"
)

type readOnly struct {
	registry.Registry
	on func() bool
}

// ReadOnly refuses every method of Writer and Deleter with ErrUnsupported while
// on says so; it is asked at each call. Only ResumeUpload goes on, so that one
// can look how far an upload is; what it gives cannot be written. An upload that
// runs when the switch is turned ends as it would have.
func ReadOnly(reg registry.Registry, on func() bool) registry.Registry {
	return &readOnly{Registry: reg, on: on}
}

func (f *readOnly) check() error {
	if f.on() {
		return registry.ErrUnsupported.WithMessage("the registry is read-only")
	}
	return nil
}

func (f *readOnly) StartUpload(ctx context.Context, repo string) (registry.Upload, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.Registry.StartUpload(ctx, repo)
}

func (f *readOnly) ResumeUpload(ctx context.Context, repo, id string) (registry.Upload, error) {
	err := f.check()
	up, resumeErr := f.Registry.ResumeUpload(ctx, repo, id)
	if err == nil || resumeErr != nil {
		return up, resumeErr
	}
	return &shown{Upload: up, err: err}, nil
}

// shown is an upload that can only be looked at.
type shown struct {
	registry.Upload
	err error
}

func (u *shown) Write([]byte) (int, error) { return 0, u.err }

func (u *shown) Commit(context.Context, registry.Digest) (registry.Descriptor, error) {
	return registry.Descriptor{}, u.err
}

func (u *shown) Cancel(context.Context) error { return u.err }

func (f *readOnly) MountBlob(ctx context.Context, from, to string, d registry.Digest) (registry.Descriptor, error) {
	if err := f.check(); err != nil {
		return registry.Descriptor{}, err
	}
	return f.Registry.MountBlob(ctx, from, to, d)
}

func (f *readOnly) PutManifest(ctx context.Context, repo string, m registry.Manifest, tags ...string) (registry.Descriptor, error) {
	if err := f.check(); err != nil {
		return registry.Descriptor{}, err
	}
	return f.Registry.PutManifest(ctx, repo, m, tags...)
}

func (f *readOnly) DeleteTag(ctx context.Context, repo, tag string) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.Registry.DeleteTag(ctx, repo, tag)
}

func (f *readOnly) DeleteManifest(ctx context.Context, repo string, d registry.Digest) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.Registry.DeleteManifest(ctx, repo, d)
}

func (f *readOnly) DeleteBlob(ctx context.Context, repo string, d registry.Digest) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.Registry.DeleteBlob(ctx, repo, d)
}
