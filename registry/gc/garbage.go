package gc

import (
	"context"
	"slices"

	"berth/registry"
)

// keepAll keeps whatever a repository links, and whatever can be reached from
// it: something in it is not understood. What no tag needs waits for that.
func (r *repository) keepAll(ctx context.Context) error {
	for id, why := range r.live {
		r.live[id] = max(why, doubtful)
	}
	for _, rev := range r.revisions {
		r.queue = append(r.queue, rev.id)
	}
	r.now = doubtful
	if err := r.follow(ctx); err != nil {
		return err
	}
	t := r.m.table
	for _, l := range r.links {
		t.keepAs(l.id, doubtful)
		t.keepAs(l.target, doubtful)
	}
	for _, rev := range r.revisions {
		t.keepAs(rev.id, doubtful)
	}
	for _, id := range r.tagged {
		t.keep(id)
	}
	r.note()
	return nil
}

// note keeps what lives.
func (r *repository) note() {
	if r.m.o.Marked != nil {
		r.tell()
	}
	for id, why := range r.live {
		r.m.table.keepAs(id, why)
	}
}

// garbage gives what does not live, or nil, and keeps the links that stay.
func (r *repository) garbage() *Repository {
	t, out := r.m.table, &Repository{Name: r.name, Empty: len(r.tags) == 0}
	out.Manifests.of, out.Blobs.of = t, t
	var dead []int
	for i, rev := range r.revisions {
		if rev.live {
			out.Empty = false
			continue
		}
		dead = append(dead, i)
	}
	for _, group := range r.group(dead) {
		for _, i := range group {
			if rev := &r.revisions[i]; rev.subject != 0 {
				out.refers(rev.subject - 1)
			}
			out.Manifests.ids = append(out.Manifests.ids, r.revisions[i].id)
		}
		out.groups = append(out.groups, out.Manifests.Len())
	}
	for _, l := range r.links {
		_, live := r.live[l.id]
		_, also := r.live[l.target]
		why := max(r.live[l.id], r.live[l.target])
		switch {
		case live || also:
			r.m.ripensToo(why, l.linked)
		case l.young:
			r.m.plan.YoungLinks++
			r.m.ripens(young, l.linked, r.m.grace())
			why = young
		case r.m.promised(l.id) || l.target != l.id && r.m.promised(l.target):
			why = promised
		}
		if why != lifeless {
			out.Empty = false
			t.keepAs(l.id, why)
			t.keepAs(l.target, why)
			continue
		}
		if l.target != l.id {
			if out.targets == nil {
				out.targets = map[int]registry.Digest{}
			}
			out.targets[out.Blobs.Len()] = t.digest(l.target)
		}
		out.Blobs.ids = append(out.Blobs.ids, l.id)
	}
	if !out.Empty && out.Manifests.Len() == 0 && out.Blobs.Len() == 0 {
		return nil
	}
	out.Blobs.ids = slices.Clip(out.Blobs.ids)
	if r.m.o.Marked != nil {
		out.tags = r.tags
	}
	return out
}

// refers notes the subject of the manifest that comes next.
func (r *Repository) refers(subject uint32) {
	for len(r.subjects) < r.Manifests.Len() {
		r.subjects = append(r.subjects, 0)
	}
	r.subjects = append(r.subjects, subject+1)
}

// link gives the link of a manifest. Where that refers to another one it goes
// only as long as the other one does not come.
func (r *Repository) link(i int) registry.Link {
	d := r.Manifests.At(i)
	l := registry.Link{Kind: registry.ManifestLink, Digest: d, Target: d}
	if i < len(r.subjects) && r.subjects[i] != 0 {
		l.Target = r.Manifests.of.digest(r.subjects[i] - 1)
	}
	return l
}

// tell reports what lives, in the order in which distribution comes to it.
func (r *repository) tell() {
	r.m.o.Marked(Mark{Repository: r.name})
	tagged := map[uint32]struct{}{}
	for _, id := range r.tagged {
		tagged[id] = struct{}{}
	}
	for _, rev := range r.revisions {
		if _, ok := tagged[rev.id]; ok || !r.m.o.Untagged {
			r.tellManifest(rev)
		}
	}
	for _, rev := range r.revisions {
		if rev.live && !r.m.table.keeps(rev.id) { // young, in the trash, or a referrer
			r.tellManifest(rev)
		}
	}
}

func (r *repository) tellManifest(rev revision) {
	t := r.m.table
	r.m.o.Marked(Mark{Repository: r.name, Digest: t.digest(rev.id), Manifest: true})
	t.keep(rev.id)
	r.tellEdges(rev.edges)
}

func (r *repository) tellEdges(e marked) {
	t := r.m.table
	for _, ids := range [][]uint32{e.children, e.blobs} {
		for _, id := range ids {
			id &^= sparse
			if t.keeps(id) {
				continue
			}
			t.keep(id)
			r.m.o.Marked(Mark{Repository: r.name, Digest: t.digest(id)})
			if i, ok := r.at[id]; ok {
				r.tellEdges(r.revisions[i].edges)
			}
		}
	}
}

// group puts together the manifests that go together or not at all: an index
// and its children, an image and what refers to it. Within a group what names
// comes before what it names, so that a crash leaves nothing that names what
// is gone.
func (r *repository) group(dead []int) [][]int {
	parent := make(map[int]int, len(dead))
	for _, i := range dead {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	join := func(i int, id uint32) {
		if j, ok := r.at[id&^sparse]; ok {
			if _, dead := parent[j]; dead {
				parent[find(j)] = find(i)
			}
		}
	}
	about := map[uint32]int{} // what is not linked, and a place that names it
	joinAbout := func(i int, id uint32) {
		join(i, id)
		if j, ok := about[id]; ok {
			parent[find(j)] = find(i)
		} else if _, linked := r.at[id]; !linked {
			about[id] = i
		}
	}
	for _, i := range dead {
		for _, id := range r.revisions[i].edges.children {
			joinAbout(i, id&^sparse)
		}
		for _, id := range r.revisions[i].edges.blobs {
			join(i, id)
		}
		if s := r.revisions[i].subject; s != 0 {
			joinAbout(i, s-1)
		}
	}
	var out [][]int
	place := map[int]int{}
	for _, i := range r.namersFirst(dead) {
		root := find(i)
		at, ok := place[root]
		if !ok {
			at = len(out)
			place[root], out = at, append(out, nil)
		}
		out[at] = append(out[at], i)
	}
	return out
}

// namersFirst sorts manifests so that each comes before its children. What is
// named by its hash cannot name in turn, so there is no circle.
func (r *repository) namersFirst(dead []int) []int {
	named := map[int]int{}
	for _, i := range dead {
		named[i] += 0
		for _, id := range r.revisions[i].edges.children {
			if j, ok := r.at[id&^sparse]; ok && j != i {
				named[j]++
			}
		}
	}
	var ready, out []int
	for _, i := range dead {
		if named[i] == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		i := ready[0]
		ready, out = ready[1:], append(out, i)
		for _, id := range r.revisions[i].edges.children {
			j, ok := r.at[id&^sparse]
			if !ok || j == i {
				continue
			}
			if named[j]--; named[j] == 0 && !r.revisions[j].live {
				ready = append(ready, j)
			}
		}
	}
	return out
}
