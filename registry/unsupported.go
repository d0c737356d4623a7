package registry

import (
	"context"
	"iter"
)

// Unsupported is a base for partial registries: embed it, and every method
// that is not overridden fails with [ErrUnsupported].
type Unsupported struct{}

var _ Registry = Unsupported{}

// OpenBlob fails.
func (Unsupported) OpenBlob(context.Context, string, Digest) (Blob, error) {
	return nil, ErrUnsupported
}

// StatBlob fails.
func (Unsupported) StatBlob(context.Context, string, Digest) (Descriptor, error) {
	return Descriptor{}, ErrUnsupported
}

// Manifest fails.
func (Unsupported) Manifest(context.Context, string, Digest) (Manifest, error) {
	return Manifest{}, ErrUnsupported
}

// StatManifest fails.
func (Unsupported) StatManifest(context.Context, string, Digest) (Descriptor, error) {
	return Descriptor{}, ErrUnsupported
}

// ResolveTag fails.
func (Unsupported) ResolveTag(context.Context, string, string) (Descriptor, error) {
	return Descriptor{}, ErrUnsupported
}

// StartUpload fails.
func (Unsupported) StartUpload(context.Context, string) (Upload, error) {
	return nil, ErrUnsupported
}

// ResumeUpload fails.
func (Unsupported) ResumeUpload(context.Context, string, string) (Upload, error) {
	return nil, ErrUnsupported
}

// MountBlob fails.
func (Unsupported) MountBlob(context.Context, string, string, Digest) (Descriptor, error) {
	return Descriptor{}, ErrUnsupported
}

// PutManifest fails.
func (Unsupported) PutManifest(context.Context, string, Manifest, ...string) (Descriptor, error) {
	return Descriptor{}, ErrUnsupported
}

// DeleteTag fails.
func (Unsupported) DeleteTag(context.Context, string, string) error { return ErrUnsupported }

// DeleteManifest fails.
func (Unsupported) DeleteManifest(context.Context, string, Digest) error { return ErrUnsupported }

// DeleteBlob fails.
func (Unsupported) DeleteBlob(context.Context, string, Digest) error { return ErrUnsupported }

// Repositories yields the error.
func (Unsupported) Repositories(context.Context, string) iter.Seq2[string, error] {
	return failing[string]
}

// Tags yields the error.
func (Unsupported) Tags(context.Context, string, string) iter.Seq2[string, error] {
	return failing[string]
}

// Referrers yields the error.
func (Unsupported) Referrers(context.Context, string, Digest, string) iter.Seq2[Descriptor, error] {
	return failing[Descriptor]
}

func failing[T any](yield func(T, error) bool) {
	var zero T
	yield(zero, ErrUnsupported)
}
