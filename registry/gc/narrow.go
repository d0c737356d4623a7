package gc

import "berth/registry"

// narrow takes out of a plan what was not in an older one: only what a person
// was shown is removed. What stays for that reason keeps what it needs.
func (p *Plan) narrow(old *Plan) {
	was := map[string]*Repository{}
	for i := range old.Repositories {
		was[old.Repositories[i].Name] = &old.Repositories[i]
	}
	stay := set{}
	p.Manifests, p.Links = 0, 0
	repositories := p.Repositories[:0]
	for _, r := range p.Repositories {
		before := was[r.Name]
		if before == nil {
			before = &Repository{}
		}
		now := r.narrow(before, func(d registry.Digest) {
			p.spared = append(p.spared, registry.Root{Repository: r.Name, Digest: d})
		}, stay)
		p.Manifests += now.Manifests.Len()
		p.Links += now.Blobs.Len()
		repositories = append(repositories, now)
	}
	p.Repositories = repositories
	had := old.Blobs.members()
	blobs := p.Blobs
	p.Blobs, p.Garbage = Blobs{Digests: Digests{of: blobs.of}}, Count{}
	for i, d := range blobs.All() {
		if size := blobs.Size(i); had(d) && !stay.has(d) {
			p.Garbage.add(size)
			p.Blobs.ids = append(p.Blobs.ids, blobs.ids[i])
			p.Blobs.sizes = append(p.Blobs.sizes, size)
		} else {
			p.Young.add(size)
		}
	}
}

func (r *Repository) narrow(old *Repository, spare func(registry.Digest), stay set) Repository {
	now := Repository{Name: r.Name, Empty: r.Empty && old.Empty}
	now.Manifests.of, now.Blobs.of = r.Manifests.of, r.Blobs.of
	manifests, from := old.Manifests.members(), 0
	for _, to := range r.groups {
		all := true
		for i := from; i < to; i++ {
			all = all && manifests(r.Manifests.At(i))
		}
		for i := from; i < to; i++ {
			if all {
				if i < len(r.subjects) && r.subjects[i] != 0 {
					now.refers(r.subjects[i] - 1)
				}
				now.Manifests.ids = append(now.Manifests.ids, r.Manifests.ids[i])
			} else {
				spare(r.Manifests.At(i))
			}
		}
		if from = to; all {
			now.groups = append(now.groups, now.Manifests.Len())
		}
	}
	links := old.Blobs.members()
	for i, d := range r.Blobs.All() {
		target, other := r.targets[i]
		if !links(d) {
			stay.add(d)
			if other {
				stay.add(target)
			}
			continue
		}
		if other {
			if now.targets == nil {
				now.targets = map[int]registry.Digest{}
			}
			now.targets[now.Blobs.Len()] = target
		}
		now.Blobs.ids = append(now.Blobs.ids, r.Blobs.ids[i])
	}
	return now
}
