package registrytest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/opencontainers/go-digest"

	"berth/registry"
	"berth/registry/manifest"
)

// Fake is the smallest registry that keeps the contract, in memory. It is what
// the suite itself is tested with.
type Fake struct {
	mu      sync.Mutex
	repos   map[string]*fakeRepo
	uploads map[string]*fakeUpload
	next    int
}

type fakeRepo struct {
	blobs     map[registry.Digest][]byte
	manifests map[registry.Digest]registry.Manifest
	tags      map[string]registry.Digest
}

var _ registry.Registry = (*Fake)(nil)

// NewFake makes an empty registry.
func NewFake() *Fake {
	return &Fake{repos: map[string]*fakeRepo{}, uploads: map[string]*fakeUpload{}}
}

// repo gives a repository that exists; the caller holds mu.
func (f *Fake) repo(name string) (*fakeRepo, error) {
	if err := registry.ParseName(name); err != nil {
		return nil, err
	}
	if r, ok := f.repos[name]; ok {
		return r, nil
	}
	return nil, registry.ErrNameUnknown.WithDetail(map[string]string{"name": name})
}

// make gives a repository; the caller holds mu.
func (f *Fake) make(name string) *fakeRepo {
	r, ok := f.repos[name]
	if !ok {
		r = &fakeRepo{map[registry.Digest][]byte{}, map[registry.Digest]registry.Manifest{}, map[string]registry.Digest{}}
		f.repos[name] = r
	}
	return r
}

func (f *Fake) blob(ctx context.Context, repo string, d registry.Digest) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkDigest(d)); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.repo(repo)
	if err != nil {
		return nil, err
	}
	if content, ok := r.blobs[d]; ok {
		return content, nil
	}
	return nil, registry.ErrBlobUnknown.WithDetail(d)
}

func checkDigest(d registry.Digest) error {
	_, err := registry.ParseDigest(string(d))
	return err
}

type fakeBlob struct {
	*bytes.Reader
	desc registry.Descriptor
}

func (b fakeBlob) Close() error                    { return nil }
func (b fakeBlob) Descriptor() registry.Descriptor { return b.desc }

func blobDescriptor(d registry.Digest, size int64) registry.Descriptor {
	return registry.Descriptor{MediaType: "application/octet-stream", Digest: d, Size: size}
}

// OpenBlob opens a blob.
func (f *Fake) OpenBlob(ctx context.Context, repo string, d registry.Digest) (registry.Blob, error) {
	content, err := f.blob(ctx, repo, d)
	if err != nil {
		return nil, err
	}
	return fakeBlob{bytes.NewReader(content), blobDescriptor(d, int64(len(content)))}, nil
}

// StatBlob describes a blob.
func (f *Fake) StatBlob(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	content, err := f.blob(ctx, repo, d)
	return blobDescriptor(d, int64(len(content))), err
}

// Manifest gives a manifest.
func (f *Fake) Manifest(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, error) {
	if err := errors.Join(ctx.Err(), checkDigest(d)); err != nil {
		return registry.Manifest{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.repo(repo)
	if err != nil {
		return registry.Manifest{}, err
	}
	if m, ok := r.manifests[d]; ok {
		return m, nil
	}
	return registry.Manifest{}, registry.ErrManifestUnknown.WithDetail(d)
}

// StatManifest describes a manifest.
func (f *Fake) StatManifest(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	m, err := f.Manifest(ctx, repo, d)
	return registry.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Content))}, err
}

// ResolveTag says what a tag names.
func (f *Fake) ResolveTag(ctx context.Context, repo, tag string) (registry.Descriptor, error) {
	d, err := f.tag(repo, tag)
	if err != nil {
		return registry.Descriptor{}, err
	}
	return f.StatManifest(ctx, repo, d)
}

func (f *Fake) tag(repo, tag string) (registry.Digest, error) {
	if err := registry.ParseTag(tag); err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.repo(repo)
	if err != nil {
		return "", err
	}
	if d, ok := r.tags[tag]; ok {
		return d, nil
	}
	return "", registry.ErrManifestUnknown.WithDetail(tag)
}

type fakeUpload struct {
	f        *Fake
	repo, id string
	content  []byte
	held     bool
}

// StartUpload begins an upload.
func (f *Fake) StartUpload(ctx context.Context, repo string) (registry.Upload, error) {
	if err := cmp.Or(ctx.Err(), registry.ParseName(repo)); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	up := &fakeUpload{f: f, repo: repo, id: "upload-" + strconv.Itoa(f.next), held: true}
	f.uploads[repo+" "+up.id] = up
	return up, nil
}

// ResumeUpload goes on with an upload.
func (f *Fake) ResumeUpload(ctx context.Context, repo, id string) (registry.Upload, error) {
	if err := cmp.Or(ctx.Err(), registry.ParseName(repo)); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	up, ok := f.uploads[repo+" "+id]
	switch {
	case !ok:
		return nil, registry.ErrBlobUploadUnknown
	case up.held:
		return nil, registry.ErrBlobUploadInvalid.WithMessage("the upload is in use")
	}
	up.held = true
	return up, nil
}

func (u *fakeUpload) ID() string  { return u.id }
func (u *fakeUpload) Size() int64 { return int64(len(u.content)) }

func (u *fakeUpload) Write(p []byte) (int, error) {
	u.content = append(u.content, p...)
	return len(p), nil
}

func (u *fakeUpload) Close() error {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	u.held = false
	return nil
}

func (u *fakeUpload) Cancel(context.Context) error {
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	delete(u.f.uploads, u.repo+" "+u.id)
	return nil
}

func (u *fakeUpload) Commit(ctx context.Context, want registry.Digest) (registry.Descriptor, error) {
	if err := errors.Join(u.Cancel(ctx), checkDigest(want)); err != nil {
		return registry.Descriptor{}, err
	}
	if want.Algorithm().FromBytes(u.content) != want {
		return registry.Descriptor{}, registry.ErrDigestInvalid.WithDetail(want)
	}
	u.f.mu.Lock()
	defer u.f.mu.Unlock()
	u.f.make(u.repo).blobs[want] = u.content
	return blobDescriptor(want, u.Size()), nil
}

// MountBlob makes a blob part of another repository.
func (f *Fake) MountBlob(ctx context.Context, from, to string, d registry.Digest) (registry.Descriptor, error) {
	if err := errors.Join(ctx.Err(), registry.ParseName(to), checkDigest(d)); err != nil {
		return registry.Descriptor{}, err
	}
	if from != "" {
		if err := registry.ParseName(from); err != nil {
			return registry.Descriptor{}, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, r := range f.repos {
		if content, ok := r.blobs[d]; ok && (from == "" || from == name) {
			f.make(to).blobs[d] = content
			return blobDescriptor(d, int64(len(content))), nil
		}
	}
	return registry.Descriptor{}, registry.ErrBlobUnknown.WithDetail(d)
}

// PutManifest stores a manifest and points tags at it.
func (f *Fake) PutManifest(ctx context.Context, repo string, m registry.Manifest, tags ...string) (registry.Descriptor, error) {
	var none registry.Descriptor
	if err := cmp.Or(ctx.Err(), registry.ParseName(repo)); err != nil {
		return none, err
	}
	for _, tag := range tags {
		if err := registry.ParseTag(tag); err != nil {
			return none, err
		}
	}
	if len(m.Content) > registry.MaxManifestSize {
		return none, registry.ErrSizeInvalid
	}
	d := cmp.Or(m.Digest, digest.FromBytes(m.Content))
	if err := checkDigest(d); err != nil {
		return none, err
	}
	if d.Algorithm().FromBytes(m.Content) != d {
		return none, registry.ErrDigestInvalid.WithDetail(d)
	}
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		return none, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.make(repo)
	if missing := r.missing(p); len(missing) > 0 {
		return none, missing
	}
	r.manifests[d] = registry.Manifest{MediaType: p.MediaType, Digest: d, Content: bytes.Clone(m.Content)}
	for _, tag := range tags {
		r.tags[tag] = d
	}
	return registry.Descriptor{MediaType: p.MediaType, Digest: d, Size: int64(len(m.Content))}, nil
}

func (r *fakeRepo) missing(p manifest.Parsed) (missing registry.Errors) {
	for _, b := range p.Blobs {
		if _, ok := r.blobs[b.Digest]; !ok && !b.Elsewhere {
			missing = append(missing, registry.ErrManifestBlobUnknown.WithDetail(b.Digest))
		}
	}
	for _, c := range p.Children {
		if _, ok := r.manifests[c.Digest]; !ok {
			missing = append(missing, registry.ErrManifestBlobUnknown.WithDetail(c.Digest))
		}
	}
	return missing
}

// DeleteTag removes one tag.
func (f *Fake) DeleteTag(_ context.Context, repo, tag string) error {
	if _, err := f.tag(repo, tag); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.repos[repo].tags, tag)
	return nil
}

// DeleteManifest removes a manifest and its tags.
func (f *Fake) DeleteManifest(ctx context.Context, repo string, d registry.Digest) error {
	if _, err := f.Manifest(ctx, repo, d); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.repos[repo]
	delete(r.manifests, d)
	maps.DeleteFunc(r.tags, func(_ string, of registry.Digest) bool { return of == d })
	return nil
}

// DeleteBlob removes a blob from a repository.
func (f *Fake) DeleteBlob(ctx context.Context, repo string, d registry.Digest) error {
	if _, err := f.blob(ctx, repo, d); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.repos[repo].blobs, d)
	return nil
}

// Repositories lists repositories with a manifest.
func (f *Fake) Repositories(ctx context.Context, after string) iter.Seq2[string, error] {
	f.mu.Lock()
	defer f.mu.Unlock()
	names := map[string]bool{}
	for name, r := range f.repos {
		if len(r.manifests) > 0 {
			names[name] = true
		}
	}
	return sorted(ctx, names, after)
}

// Tags lists tags.
func (f *Fake) Tags(ctx context.Context, repo, after string) iter.Seq2[string, error] {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.repo(repo)
	if err != nil {
		return func(yield func(string, error) bool) { yield("", err) }
	}
	return sorted(ctx, r.tags, after)
}

func sorted[V any](ctx context.Context, m map[string]V, after string) iter.Seq2[string, error] {
	names := slices.Sorted(maps.Keys(m))
	return func(yield func(string, error) bool) {
		if err := ctx.Err(); err != nil {
			yield("", err)
			return
		}
		for _, name := range names {
			if name > after && !yield(name, nil) {
				return
			}
		}
	}
}
