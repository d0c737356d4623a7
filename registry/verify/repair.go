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
// finding. Links that lead to it lead somewhere again. What a manifest needs
// that is missing comes with it. Findings that Refetch does not help, or that
// name no repository, are passed over. reg is the Registry that clients push to.
func Repair(ctx context.Context, reg registry.Writer, from Source, findings []Finding) []Repaired {
	var out []Repaired
	done := map[[2]string]bool{}
	for _, f := range findings {
		key := [2]string{f.Repository, string(f.Digest)}
		if f.Repository == "" || !slices.Contains(f.Fixes, Refetch) || done[key] {
			continue
		}
		done[key] = true
		p := repair{reg: reg, from: from, repo: f.Repository}
		fetch := p.blob
		if isManifest(f) {
			fetch = p.either
		}
		out = append(out, Repaired{f, fetch(ctx, f.Digest, 0)})
	}
	return out
}

// maxDepth is how deep indexes may lie in each other.
const maxDepth = 10

// repair is that of one repository.
type repair struct {
	reg  registry.Writer
	from Source
	repo string
}

// either fetches a manifest or, where the source has none of that digest, a
// blob: caches of builds are indexes of layers.
func (p repair) either(ctx context.Context, d registry.Digest, depth int) error {
	m, err := p.from.Manifest(ctx, p.repo, d)
	if gone(err) {
		if p.blob(ctx, d, depth) == nil {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("fetch %s of %s: %w", short(d), p.repo, err)
	}
	m.Digest = d
	_, err = p.reg.PutManifest(ctx, p.repo, m)
	if lacks := lacking(err); len(lacks) > 0 && depth < maxDepth {
		for _, d := range lacks {
			if err := p.either(ctx, d, depth+1); err != nil {
				return err
			}
		}
		_, err = p.reg.PutManifest(ctx, p.repo, m)
	}
	if err != nil {
		return fmt.Errorf("repair %s of %s: %w", short(d), p.repo, err)
	}
	return nil
}

// lacking gives what a registry misses for a manifest, also across the wire.
func lacking(err error) (out []registry.Digest) {
	for _, e := range registry.AsErrors(err) {
		if !errors.Is(e, registry.ErrManifestBlobUnknown) {
			continue
		}
		if d, err := registry.ParseDigest(fmt.Sprint(e.Detail)); err == nil {
			out = append(out, d)
		}
	}
	return out
}

func (p repair) blob(ctx context.Context, d registry.Digest, _ int) error {
	b, err := p.from.OpenBlob(ctx, p.repo, d)
	if err != nil {
		return fmt.Errorf("fetch %s of %s: %w", short(d), p.repo, err)
	}
	defer b.Close()
	up, err := p.reg.StartUpload(registry.WithAlgorithm(ctx, d.Algorithm()), p.repo)
	if err != nil {
		return fmt.Errorf("repair %s of %s: %w", short(d), p.repo, err)
	}
	if _, err = io.CopyBuffer(struct{ io.Writer }{up}, struct{ io.Reader }{b}, make([]byte, chunk)); err == nil {
		_, err = up.Commit(ctx, d)
	}
	if err != nil {
		return fmt.Errorf("repair %s of %s: %w", short(d), p.repo, errors.Join(err, up.Cancel(context.WithoutCancel(ctx))))
	}
	return nil
}

func isManifest(f Finding) bool {
	return f.Kind == ManifestMissing || f.Kind == ChildMissing || f.Kind == BlobDamaged && f.Manifest == ""
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
