package verify

import (
	"context"
	"fmt"
	"time"

	"berth/registry"
)

// Check says which findings still stand, in their order and with the words of
// now. It looks at the links that they are about, once; with read set, it also
// reads the blobs again that were found damaged or missing, as a repair wants
// it. What it cannot look at still stands. Of o it uses Rate, Limit, Busy and
// Optional. The error is that of ctx.
func Check(ctx context.Context, store Store, o Options, findings []Finding, read bool) ([]Finding, error) {
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	r := &run{store: store, o: o, report: func(Report) {}, pace: newPace(o), since: time.Now(), buffer: make([]byte, chunk), damaged: map[registry.Digest]bool{}}
	for _, f := range findings {
		if f.Kind == BlobDamaged || f.Kind == BlobUnreadable {
			r.damaged[f.Digest] = true
		}
	}
	if read {
		if err := r.readAgain(ctx, findings); err != nil {
			return nil, err
		}
	}
	looks := map[string]*look{}
	var still []Finding
	for _, f := range findings {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		l := looks[f.Repository]
		if l == nil {
			l = &look{run: r, repo: f.Repository, known: map[registry.Digest]layer{}}
			looks[f.Repository] = l
		}
		if now, stands := l.stands(ctx, f); stands {
			still = append(still, now)
		}
	}
	return still, ctx.Err()
}

// readAgain finds out which blobs are damaged, of those that findings are about.
func (r *run) readAgain(ctx context.Context, findings []Finding) error {
	done := map[registry.Digest]bool{}
	for _, f := range findings {
		if f.Digest == "" || done[f.Digest] || f.Kind == Unlisted || f.Kind == LinkDamaged {
			continue
		}
		done[f.Digest] = true
		sound, err := r.sound(ctx, f.Digest)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if r.damaged[f.Digest] = err != nil || !sound; !r.damaged[f.Digest] {
			delete(r.damaged, f.Digest)
		}
	}
	return nil
}

// stands looks whether a finding is true still.
func (l *look) stands(ctx context.Context, f Finding) (Finding, bool) {
	if f.Repository == "" {
		return f, l.blobStands(ctx, f)
	}
	for _, link := range f.links() {
		now, ok, err := l.store.ReadLink(ctx, l.repo, link)
		if err != nil {
			return f, true
		}
		if !ok {
			continue
		}
		found, err := l.examine(ctx, now)
		if err != nil {
			return f, true
		}
		for _, again := range found {
			if again.is(f) {
				again.Tag, again.Quarantined = f.Tag, f.Quarantined
				return again, true
			}
		}
	}
	return f, f.Kind == Unlisted
}

// blobStands is about what was found without a repository.
func (l *look) blobStands(ctx context.Context, f Finding) bool {
	if f.Kind == Unlisted {
		return true
	}
	_, err := l.store.StatStored(ctx, f.Digest)
	switch {
	case err == nil && f.Quarantined:
		return l.damaged[f.Digest] && f.Kind == BlobUnreadable // it was pushed again
	case err == nil:
		return l.damaged[f.Digest]
	}
	return f.Quarantined || !gone(err)
}

// is reports whether two findings are about the same; which of its tags a
// manifest is told of by does not matter.
func (f Finding) is(o Finding) bool {
	if f.Kind != TagDangling && f.Link != registry.RawHistory {
		f.Tag, o.Tag = "", ""
	}
	// What was damaged may have been moved aside meanwhile.
	if f.Manifest == o.Manifest && f.lost() && o.lost() {
		f.Kind, o.Kind = "", ""
	}
	return f.same(o)
}

// lost reports that content is not there as it was.
func (f Finding) lost() bool {
	return f.Kind == BlobDamaged || f.Kind == BlobMissing || f.Kind == BlobUnreadable || f.Kind == ManifestMissing
}

// links are those that a finding may be seen from.
func (f Finding) links() []registry.RawLink {
	switch {
	case f.Manifest != "":
		return []registry.RawLink{{Kind: registry.RawRevision, Digest: f.Manifest}}
	case f.Kind == TagDangling:
		return []registry.RawLink{{Kind: registry.RawTag, Tag: f.Tag}}
	case f.Kind == LinkDamaged && f.Link == registry.RawHistory:
		return []registry.RawLink{{Kind: registry.RawHistory, Tag: f.Tag, Digest: f.Digest}, {Kind: registry.RawTag, Tag: f.Tag}}
	case f.Kind == LinkDamaged:
		return []registry.RawLink{{Kind: f.Link, Digest: f.Digest}}
	case f.Digest == "":
		return nil
	}
	return []registry.RawLink{{Kind: registry.RawRevision, Digest: f.Digest}, {Kind: registry.RawLayer, Digest: f.Digest}}
}

// Needing gives the first repository that has a link to a blob or a manifest;
// empty when none has.
func Needing(ctx context.Context, store Store, d registry.Digest) (repo string, err error) {
	for repo, err := range store.AllRepositories(ctx) {
		if err != nil {
			if ctx.Err() != nil {
				return "", ctx.Err()
			}
			continue
		}
		for _, kind := range []registry.RawKind{registry.RawRevision, registry.RawLayer} {
			if _, ok, err := store.ReadLink(ctx, repo, registry.RawLink{Kind: kind, Digest: d}); err == nil && ok {
				return repo, nil
			}
		}
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("look for who needs %s: %w", short(d), ctx.Err())
	}
	return "", nil
}
