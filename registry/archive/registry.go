package archive

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"slices"

	"berth/registry"
)

// known checks a repository's name and that the archive has it.
func (a *Archive) known(ctx context.Context, repo string) error {
	if err := registry.ParseName(repo); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if a.repos[repo] == nil {
		return registry.ErrNameUnknown.WithDetail(repo)
	}
	return nil
}

func (a *Archive) find(ctx context.Context, repo string, d registry.Digest) error {
	if _, err := registry.ParseDigest(string(d)); err != nil {
		return errors.Join(registry.ParseName(repo), err)
	}
	return a.known(ctx, repo)
}

// blob is an open member under its digest.
type blob struct {
	member
	desc registry.Descriptor
}

// Descriptor says what it is.
func (b blob) Descriptor() registry.Descriptor { return b.desc }

// OpenBlob opens a blob in place.
func (a *Archive) OpenBlob(ctx context.Context, repo string, d registry.Digest) (registry.Blob, error) {
	if err := a.find(ctx, repo, d); err != nil {
		return nil, err
	}
	name, ok := a.at[d]
	if !ok {
		name = blobPath(d)
	}
	m, err := a.src.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, registry.ErrBlobUnknown.WithDetail(d)
	}
	if err != nil {
		return nil, err
	}
	desc := registry.Descriptor{MediaType: "application/octet-stream", Digest: d, Size: m.size}
	return blob{m, desc}, nil
}

// StatBlob describes a blob.
func (a *Archive) StatBlob(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	b, err := a.OpenBlob(ctx, repo, d)
	if err != nil {
		return registry.Descriptor{}, err
	}
	return b.Descriptor(), b.Close()
}

// Manifest gives a manifest of the archive, or one made for it.
func (a *Archive) Manifest(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, error) {
	if err := a.find(ctx, repo, d); err != nil {
		return registry.Manifest{}, err
	}
	m, _, err := a.parsed(d)
	return m, err
}

// manifest gives the bytes, verified.
func (a *Archive) manifest(d registry.Digest) (registry.Manifest, error) {
	if m, ok := a.made[d]; ok {
		return m, nil
	}
	if _, err := registry.ParseDigest(string(d)); err != nil {
		return registry.Manifest{}, err
	}
	content, err := readSmall(a.src, blobPath(d))
	if errors.Is(err, fs.ErrNotExist) {
		return registry.Manifest{}, registry.ErrManifestUnknown.WithDetail(d)
	}
	if err != nil {
		return registry.Manifest{}, err
	}
	if d.Algorithm().FromBytes(content) != d {
		return registry.Manifest{}, registry.ErrDigestInvalid.WithDetail(d)
	}
	return registry.Manifest{Digest: d, Content: content}, nil
}

// StatManifest describes a manifest.
func (a *Archive) StatManifest(ctx context.Context, repo string, d registry.Digest) (registry.Descriptor, error) {
	m, err := a.Manifest(ctx, repo, d)
	if err != nil {
		return registry.Descriptor{}, err
	}
	return registry.Descriptor{MediaType: m.MediaType, Digest: d, Size: int64(len(m.Content))}, nil
}

// ResolveTag says what a tag names.
func (a *Archive) ResolveTag(ctx context.Context, repo, tag string) (registry.Descriptor, error) {
	if err := errors.Join(registry.ParseName(repo), registry.ParseTag(tag)); err != nil {
		return registry.Descriptor{}, err
	}
	if err := a.known(ctx, repo); err != nil {
		return registry.Descriptor{}, err
	}
	desc, ok := a.repos[repo][tag]
	if !ok {
		return registry.Descriptor{}, registry.ErrManifestUnknown.WithDetail(tag)
	}
	return desc, nil
}

// Repositories lists the names.
func (a *Archive) Repositories(ctx context.Context, after string) iter.Seq2[string, error] {
	return keys(ctx, a.repos, after)
}

// Tags lists the tags of a repository.
func (a *Archive) Tags(ctx context.Context, repo, after string) iter.Seq2[string, error] {
	if err := a.known(ctx, repo); err != nil {
		return func(yield func(string, error) bool) { yield("", err) }
	}
	return keys(ctx, a.repos[repo], after)
}

func keys[V any](ctx context.Context, m map[string]V, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if err := ctx.Err(); err != nil {
				yield("", err)
				return
			}
			if k > after && !yield(k, nil) {
				return
			}
		}
	}
}

// Referrers lists what an OCI layout has of them at its top.
func (a *Archive) Referrers(ctx context.Context, repo string, subject registry.Digest, artifactType string) iter.Seq2[registry.Descriptor, error] {
	return func(yield func(registry.Descriptor, error) bool) {
		if err := a.find(ctx, repo, subject); err != nil && !errors.Is(err, registry.ErrNameUnknown) {
			yield(registry.Descriptor{}, err)
			return
		}
		list := slices.Clone(a.referrers[subject])
		slices.SortFunc(list, func(x, y registry.Descriptor) int {
			if x.Digest < y.Digest {
				return -1
			}
			return 1
		})
		for _, d := range list {
			if artifactType != "" && d.ArtifactType != artifactType {
				continue
			}
			if !yield(d, nil) {
				return
			}
		}
	}
}
