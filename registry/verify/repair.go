package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"berth/registry"
)

// Source is where lost content may be found by its digest: an upstream, the
// local engine, another store. Every registry.Reader is one; a source whose
// repositories have other names translates them.
type Source interface {
	OpenBlob(ctx context.Context, repo string, d registry.Digest) (registry.Blob, error)
	Manifest(ctx context.Context, repo string, d registry.Digest) (registry.Manifest, error)
}

// Repaired is what became of one finding.
type Repaired struct {
	Finding Finding
	// Err is nil when its content is back.
	Err error
}

// Repair brings back what findings miss: fetched from a source, checked against
// its digest while it is stored, through an upload into the repository of the
// finding. Links that lead to it lead somewhere again. Blobs come first and then
// manifests, those of indexes last, in whatever order findings are given;
// findings that Refetch does not help, or that name no repository, are passed
// over. reg is the Registry that clients push to.
func Repair(ctx context.Context, reg registry.Writer, from Source, findings []Finding) []Repaired {
	var out []Repaired
	done := map[[2]string]bool{}
	var manifests []Finding
	for _, f := range findings {
		key := [2]string{f.Repository, string(f.Digest)}
		if f.Repository == "" || !slices.Contains(f.Fixes, Refetch) || done[key] {
			continue
		}
		done[key] = true
		if isManifest(f) {
			manifests = append(manifests, f)
			continue
		}
		out = append(out, Repaired{f, fetchBlob(ctx, reg, from, f)})
	}
	// A manifest whose children are missing waits for them.
	for len(manifests) > 0 {
		var waiting []Finding
		var last []Repaired
		for _, f := range manifests {
			err := fetchManifest(ctx, reg, from, f)
			if errors.Is(err, registry.ErrManifestBlobUnknown) {
				waiting = append(waiting, f)
				last = append(last, Repaired{f, err})
				continue
			}
			out = append(out, Repaired{f, err})
		}
		if len(waiting) == len(manifests) {
			return append(out, last...)
		}
		manifests = waiting
	}
	return out
}

func isManifest(f Finding) bool {
	return f.Kind == ManifestMissing || f.Kind == ChildMissing || f.Kind == BlobDamaged && f.Manifest == ""
}

func fetchBlob(ctx context.Context, reg registry.Writer, from Source, f Finding) error {
	b, err := from.OpenBlob(ctx, f.Repository, f.Digest)
	if err != nil {
		return fmt.Errorf("fetch %s of %s: %w", short(f.Digest), f.Repository, err)
	}
	defer b.Close()
	up, err := reg.StartUpload(registry.WithAlgorithm(ctx, f.Digest.Algorithm()), f.Repository)
	if err != nil {
		return fmt.Errorf("repair %s of %s: %w", short(f.Digest), f.Repository, err)
	}
	if _, err = io.CopyBuffer(struct{ io.Writer }{up}, struct{ io.Reader }{b}, make([]byte, chunk)); err == nil {
		_, err = up.Commit(ctx, f.Digest)
	}
	if err != nil {
		return fmt.Errorf("repair %s of %s: %w", short(f.Digest), f.Repository, errors.Join(err, up.Cancel(context.WithoutCancel(ctx))))
	}
	return nil
}

func fetchManifest(ctx context.Context, reg registry.Writer, from Source, f Finding) error {
	m, err := from.Manifest(ctx, f.Repository, f.Digest)
	if gone(err) && f.Kind == ChildMissing {
		// Caches of builds are indexes of layers.
		return fetchBlob(ctx, reg, from, f)
	}
	if err != nil {
		return fmt.Errorf("fetch %s of %s: %w", short(f.Digest), f.Repository, err)
	}
	m.Digest = f.Digest
	if _, err := reg.PutManifest(ctx, f.Repository, m); err != nil {
		return fmt.Errorf("repair %s of %s: %w", short(f.Digest), f.Repository, err)
	}
	return nil
}

// Mend writes a link again for a finding that Relink helps; what it leads to is
// on disk. For a dangling tag that is to say that its manifest comes back, which
// somebody may have deleted on purpose: [RemoveDangling] is the other way. No
// tag is moved. Errors: registry.ErrUnsupported for a finding that it does not
// help; those of Relink and MountBlob.
func Mend(ctx context.Context, keeper registry.Keeper, reg registry.Writer, f Finding) error {
	err := error(registry.ErrUnsupported)
	switch {
	case !slices.Contains(f.Fixes, Relink):
	case f.Kind == BlobUnlinked, f.Kind == LinkDamaged && f.Link == registry.RawLayer:
		_, err = reg.MountBlob(ctx, "", f.Repository, f.Digest)
	default:
		err = keeper.Relink(ctx, f.Repository, f.Digest)
	}
	if err != nil {
		return fmt.Errorf("mend %s of %s: %w", short(f.Digest), f.Repository, err)
	}
	return nil
}

// RemoveDangling removes the tag of a finding, unless it names a manifest by
// now. reg is the Registry that clients use, so that it goes through its trash.
func RemoveDangling(ctx context.Context, store registry.Inspector, reg registry.Deleter, f Finding) (removed bool, err error) {
	link, ok, err := store.ReadLink(ctx, f.Repository, registry.RawLink{Kind: registry.RawTag, Tag: f.Tag})
	if err != nil || !ok {
		return false, err
	}
	if link.Target != "" {
		_, ok, err := store.ReadLink(ctx, f.Repository, registry.RawLink{Kind: registry.RawRevision, Digest: link.Target})
		if err != nil || ok {
			return false, err
		}
	}
	if err := reg.DeleteTag(ctx, f.Repository, f.Tag); err != nil {
		return false, fmt.Errorf("remove the tag %s of %s: %w", f.Tag, f.Repository, err)
	}
	return true, nil
}
