package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"berth/registry"
	"berth/registry/manifest"
)

// manifest looks whether a manifest is there, and everything that it needs.
func (l *look) manifest(ctx context.Context, d registry.Digest) ([]Finding, error) {
	content, err := l.content(ctx, d)
	lost := Finding{Kind: ManifestMissing, Repository: l.repo, Digest: d, Fixes: []Fix{Refetch}}
	switch {
	case gone(err):
		lost.Text = fmt.Sprintf("%s has the manifest %s, %s", l.repo, short(d), l.missing(ctx, d))
		return []Finding{lost}, nil
	case err != nil && l.damaged[d]:
		lost.Text = fmt.Sprintf("%s has the manifest %s, which cannot be read", l.repo, short(d))
		return []Finding{lost}, nil
	case err != nil:
		return nil, err
	case d.Algorithm().FromBytes(content) != d:
		lost.Kind, lost.Size = BlobDamaged, int64(len(content))
		lost.Text = fmt.Sprintf("the manifest %s of %s is damaged", short(d), l.repo)
		return []Finding{lost}, nil
	}
	p, err := manifest.Parse("", content)
	if err != nil {
		text := fmt.Sprintf("the manifest %s of %s is whole, but cannot be served: %v", short(d), l.repo, err)
		return []Finding{{Kind: ManifestUnknown, Repository: l.repo, Digest: d, Size: int64(len(content)), Text: text}}, nil
	}
	var found []Finding
	for _, b := range p.Blobs {
		f, err := l.blobOf(ctx, d, b)
		if err != nil {
			return nil, err
		}
		if f.Kind != "" {
			found = append(found, f)
		}
	}
	for _, c := range p.Children {
		f, err := l.childOf(ctx, d, c)
		if err != nil {
			return nil, err
		}
		if f.Kind != "" {
			found = append(found, f)
		}
	}
	return found, nil
}

// content reads a manifest from the disk; of what is too large for one, enough
// to see that it is.
func (l *look) content(ctx context.Context, d registry.Digest) ([]byte, error) {
	f, err := l.store.OpenStored(ctx, d)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = l.read(ctx, io.LimitReader(f, registry.MaxManifestSize+1), &b)
	return b.Bytes(), errors.Join(err, f.Close())
}

// blobOf looks whether a repository has a blob that a manifest needs.
func (l *look) blobOf(ctx context.Context, of registry.Digest, b manifest.Blob) (Finding, error) {
	got, err := l.layer(ctx, b.Digest)
	if err != nil {
		return Finding{}, err
	}
	f := Finding{Repository: l.repo, Manifest: of, Digest: b.Digest, Size: b.Size, Fixes: []Fix{Refetch}}
	needs := fmt.Sprintf("the manifest %s of %s needs %s", short(of), l.repo, short(b.Digest))
	switch {
	case b.Elsewhere && !got.linked:
		return Finding{}, nil
	case !got.stored:
		f.Kind, f.Text = BlobMissing, needs+", "+l.missing(ctx, got.target)
	case !got.linked:
		f.Kind, f.Fixes, f.Text = BlobUnlinked, []Fix{Relink}, needs+", which is on disk, but not in this repository"
	case l.damaged[got.target]:
		f.Kind, f.Text = BlobDamaged, needs+", which is damaged"
	case got.size != b.Size:
		f.Kind, f.Fixes = SizeWrong, nil
		f.Text = fmt.Sprintf("the manifest %s of %s says that %s has %d bytes, and it has %d; its content is whole", short(of), l.repo, short(b.Digest), b.Size, got.size)
	default:
		return Finding{}, nil
	}
	return f, nil
}

// missing says what became of content that is not on disk. What an earlier run
// moved aside lies in the quarantine still.
func (r *run) missing(ctx context.Context, d registry.Digest) string {
	if r.aside == nil {
		r.aside = map[registry.Digest]bool{}
		for st, err := range r.store.Quarantined(ctx) {
			if err == nil { // what cannot be listed is told as missing only
				r.aside[st.Digest] = true
			}
		}
	}
	switch {
	case r.aside[d]:
		return "which was damaged and lies in the quarantine"
	case r.damaged[d]:
		return "which was damaged and is not on disk"
	}
	return "which is not on disk"
}

// layer looks for a blob in the repository and on disk.
func (l *look) layer(ctx context.Context, d registry.Digest) (layer, error) {
	if known, ok := l.known[d]; ok {
		return known, nil
	}
	got := layer{target: d}
	link, ok, err := l.store.ReadLink(ctx, l.repo, registry.RawLink{Kind: registry.RawLayer, Digest: d})
	if err != nil {
		return layer{}, err
	}
	if got.linked = ok; ok && link.Target != "" {
		got.target = link.Target
	}
	st, err := l.store.StatStored(ctx, got.target)
	if err != nil && !gone(err) {
		return layer{}, err
	}
	got.stored, got.size = err == nil, st.Size
	if len(l.known) >= maxKnown {
		clear(l.known)
	}
	l.known[d] = got
	return got, nil
}

// childOf looks whether a repository has a child of an index. Caches of builds
// are indexes of layers, so a blob will do.
func (l *look) childOf(ctx context.Context, of registry.Digest, c registry.Descriptor) (Finding, error) {
	if l.o.Optional != nil && l.o.Optional(c) {
		return Finding{}, nil
	}
	_, ok, err := l.store.ReadLink(ctx, l.repo, registry.RawLink{Kind: registry.RawRevision, Digest: c.Digest})
	if err != nil || ok {
		return Finding{}, err // whether it is there is told with its own link
	}
	got, err := l.layer(ctx, c.Digest)
	if err != nil || got.linked {
		return Finding{}, err
	}
	f := Finding{Kind: ChildMissing, Repository: l.repo, Manifest: of, Digest: c.Digest, Size: c.Size, Fixes: []Fix{Refetch}}
	what := "a manifest"
	if c.Platform != nil {
		what = c.Platform.OS + "/" + c.Platform.Architecture
	}
	f.Text = fmt.Sprintf("the index %s of %s lists %s as %s, which %s does not have", short(of), l.repo, short(c.Digest), what, l.repo)
	if got.stored {
		f.Fixes = []Fix{Relink, Refetch}
	}
	return f, nil
}
