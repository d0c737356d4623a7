package gc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"berth/registry"
	"berth/registry/manifest"
)

// marker marks one repository after the other. What lives anywhere is kept in
// the table; all else is of the repository at hand.
type marker struct {
	keeper registry.Keeper
	o      Options
	young  time.Time // what was written after is young
	table  *table
	plan   *Plan
	blind  bool      // some links could not be read: any blob may be linked there
	ahead  time.Time // the last date in the future; zero for none
}

// revision is a manifest that a repository links.
type revision struct {
	id      uint32
	age     life // lifeless when it is old enough
	linked  time.Time
	live    bool
	edges   marked
	subject uint32 // 0: none; else number + 1
}

// marked is what a manifest refers to, by number.
type marked struct{ blobs, children []uint32 }

// repository is what is known of the repository at hand.
type repository struct {
	m         *marker
	name      string
	tags      []string
	tagged    []uint32
	revisions []revision
	at        map[uint32]int // number of a digest → place in revisions
	links     []link
	linked    map[uint32]struct{} // what is linked as a blob
	live      map[uint32]life
	followed  map[uint32]struct{} // manifests that it does not link, and needs
	now       life                // for which reason what is reached lives
	referrers map[uint32][]int    // subject → places
	queue     []uint32
	doubts    []Problem
}

type link struct {
	id, target uint32
	young      bool
	linked     time.Time
}

// promised reports whether a client was promised something.
func (m *marker) promised(id uint32) bool { return m.plan.census.Promised(m.table.digest(id)) }

// age says whether a manifest without a tag that was linked or used at a moment
// is too young to go, and by what.
func (m *marker) age(at time.Time) life {
	switch {
	case m.o.UntaggedAfter > m.grace() && at.After(m.plan.Began.Add(-m.o.UntaggedAfter)):
		return untagged
	case at.After(m.young):
		return young
	}
	return lifeless
}

func (m *marker) grace() time.Duration { return m.plan.Began.Sub(m.young) }

// ripens notes that something that nothing needs is too young until it is old.
func (m *marker) ripens(why life, written time.Time, old time.Duration) {
	m.dated(written)
	ripe := &m.plan.Ripe
	if why == untagged {
		ripe = &m.plan.UntaggedRipe
	}
	if at := written.Add(old); at.After(*ripe) {
		*ripe = at
	}
}

// ripensToo notes that what stays with something young is younger than the grace
// by itself.
func (m *marker) ripensToo(why life, written time.Time) {
	if (why == young || why == untagged) && written.After(m.young) {
		m.ripens(why, written, m.grace())
	}
}

// repo marks what lives in a repository, and gives what does not. roots are
// the manifests that must live although nothing in it may name them.
func (m *marker) repo(ctx context.Context, name string, roots []registry.Root) (*Repository, error) {
	r := &repository{
		m: m, name: name, at: map[uint32]int{}, linked: map[uint32]struct{}{}, live: map[uint32]life{}, followed: map[uint32]struct{}{}, referrers: map[uint32][]int{},
	}
	if err := r.read(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		m.blind = true
		m.plan.problem(name, "", fmt.Sprintf("its links cannot be read (%v), so no blob is freed", err))
		return nil, nil
	}
	if err := r.resolve(ctx); err != nil {
		return nil, err
	}
	if err := r.mark(ctx, roots); err != nil {
		return nil, err
	}
	if len(r.doubts) > 0 || m.plan.unsure(name) {
		for _, d := range r.doubts {
			m.plan.problem(name, d.Digest, d.Text)
		}
		return nil, r.keepAll(ctx)
	}
	r.note()
	return r.garbage(), nil
}

// read reads the links.
func (r *repository) read(ctx context.Context) error {
	t := r.m.table
	for l, err := range r.m.keeper.Contents(ctx, r.name) {
		if err != nil {
			return err
		}
		switch l.Kind {
		case registry.TagLink:
			if l.Digest == "" {
				r.doubt("", "the tag "+l.Tag+" cannot be read")
				continue
			}
			r.tags, r.tagged = append(r.tags, l.Tag), append(r.tagged, t.id(l.Digest))
		case registry.ManifestLink:
			id := t.id(l.Digest)
			if _, twice := r.at[id]; twice {
				continue
			}
			r.at[id] = len(r.revisions)
			r.revisions = append(r.revisions, revision{id: id, age: r.m.age(l.Linked), linked: l.Linked})
		case registry.BlobLink:
			id := t.id(l.Digest)
			r.links = append(r.links, link{id, t.id(l.Target), l.Linked.After(r.m.young), l.Linked})
			r.linked[id] = struct{}{}
		}
	}
	return nil
}

func (r *repository) doubt(d registry.Digest, text string) {
	r.doubts = append(r.doubts, Problem{Repository: r.name, Digest: d, Text: text})
}

// resolve finds out what each manifest refers to.
func (r *repository) resolve(ctx context.Context) error {
	for i := range r.revisions {
		rev := &r.revisions[i]
		d := r.m.table.digest(rev.id)
		e, err := r.edges(ctx, d)
		if errors.Is(err, errUnread) {
			r.doubt(d, "the manifest is linked, but it is not there or cannot be read")
			continue
		}
		if err != nil {
			return err
		}
		rev.edges = r.number(e)
		if e.subject != "" {
			id := r.m.table.id(e.subject)
			rev.subject = id + 1
			r.referrers[id] = append(r.referrers[id], i)
		}
	}
	return nil
}

// edges reads a manifest. An error of the disk is a doubt like any other.
func (r *repository) edges(ctx context.Context, d registry.Digest) (edges, error) {
	e, err := edgesOf(ctx, r.m.keeper, r.m.o.Source, d)
	if err != nil && ctx.Err() != nil {
		return edges{}, ctx.Err()
	}
	if err != nil {
		return edges{}, errUnread
	}
	return e, nil
}

// number tells the children from the blobs: what the repository has as a
// manifest is one, and what it has as a blob is not read, since it may be any
// layer.
func (r *repository) number(e edges) (out marked) {
	for _, d := range e.blobs {
		out.blobs = append(out.blobs, r.m.table.id(d))
	}
	for _, c := range e.children {
		id := r.m.table.id(c.Digest)
		_, isRevision := r.at[id]
		_, isBlob := r.linked[id]
		switch {
		case isRevision:
			out.children = append(out.children, id)
		case isBlob || c.MediaType == guessed || !isManifest(c.MediaType):
			out.blobs = append(out.blobs, id)
		case r.m.o.Sparse != nil && r.m.o.Sparse(c):
			out.children = append(out.children, id|sparse)
		default:
			out.children = append(out.children, id)
		}
	}
	return out
}

// sparse marks the number of a child that need not be there.
const sparse = 1 << 31

func isManifest(mediaType string) bool { return slices.Contains(manifest.MediaTypes(), mediaType) }

// mark goes down from the roots to what they need, and up to what refers to it.
func (r *repository) mark(ctx context.Context, roots []registry.Root) error {
	r.queue = append(r.queue, r.tagged...)
	for _, root := range roots {
		r.queue = append(r.queue, r.m.table.id(root.Digest))
	}
	if !r.m.o.Untagged {
		for _, rev := range r.revisions {
			r.queue = append(r.queue, rev.id)
		}
	}
	r.now = needed
	if err := r.follow(ctx); err != nil || !r.m.o.Untagged {
		return err
	}
	if err := r.used(ctx); err != nil {
		return err
	}
	// What lives for no other reason than these is told apart.
	for _, why := range []life{untagged, young, promised} {
		for i := range r.revisions {
			rev := &r.revisions[i]
			if _, already := r.live[rev.id]; already || why != promised && rev.age != why || why == promised && !r.m.promised(rev.id) {
				continue
			}
			if why != promised {
				r.m.ripens(why, rev.linked, max(r.m.grace(), r.m.o.UntaggedAfter))
			}
			r.queue = append(r.queue, rev.id)
		}
		r.now = why
		if err := r.follow(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *repository) follow(ctx context.Context) error {
	for i := 0; i < len(r.queue); i++ {
		if err := r.reach(ctx, r.queue[i]); err != nil {
			return err
		}
	}
	r.queue = r.queue[:0]
	return nil
}

// reach marks a manifest.
func (r *repository) reach(ctx context.Context, id uint32) error {
	optional := id&sparse != 0
	id &^= sparse
	i, linked := r.at[id]
	if _, already := r.followed[id]; already || linked && r.revisions[i].live {
		return nil
	}
	var e marked
	if linked {
		r.revisions[i].live = true
		e = r.revisions[i].edges
	} else {
		// Deleted and in the trash, or a link is missing: its bytes may be there.
		d := r.m.table.digest(id)
		found, err := r.edges(ctx, d)
		if errors.Is(err, errUnread) {
			if !optional {
				r.doubt(d, "a manifest that is needed is not there or cannot be read")
			}
			return nil
		}
		if err != nil {
			return err
		}
		e = r.number(found)
		r.followed[id] = struct{}{} // it may live as a layer already
	}
	r.live[id] = max(r.live[id], r.now)
	for _, b := range e.blobs {
		if _, ok := r.at[b]; ok {
			// What is needed as a blob, and is a manifest as well.
			r.queue = append(r.queue, b)
		} else {
			r.live[b] = max(r.live[b], r.now)
		}
	}
	r.queue = append(r.queue, e.children...)
	for _, i := range r.referrers[id] {
		r.queue = append(r.queue, r.revisions[i].id)
	}
	return nil
}
