package gc

import (
	"context"
	"errors"

	"berth/registry"
)

// readRoots reads what must live beside the tags, by repository, and gives what
// of it cannot be read.
func readRoots(ctx context.Context, rooters []registry.Rooter) (map[string][]registry.Root, []registry.UnreadRoot, error) {
	out := map[string][]registry.Root{}
	var unread []registry.UnreadRoot
	for _, rooter := range rooters {
		for root, err := range rooter.Roots(ctx) {
			if one, ok := errors.AsType[*registry.UnreadRoot](err); ok {
				unread = append(unread, *one)
				continue
			}
			if err != nil {
				return nil, nil, err
			}
			out[root.Repository] = append(out[root.Repository], root)
		}
	}
	return out, unread, nil
}

// doubtRoots takes care of roots that cannot be read. They may name manifests
// that no repository links any more, so no blob can go; and the blobs that these
// need must stay linked where they are to come back.
func (m *marker) doubtRoots(unread []registry.UnreadRoot) {
	for _, one := range unread {
		if _, known := m.plan.unread[one]; known {
			continue
		}
		m.blind = true
		m.plan.unread[one] = struct{}{}
		m.plan.problem(one.Repository, "", one.Error()+"; until then no blob is freed")
	}
}

// unsure reports whether a root that cannot be read may be of a repository.
func (p *Plan) unsure(repo string) bool {
	for one := range p.unread {
		if one.Repository == "" || one.Repository == repo {
			return true
		}
	}
	return false
}

// doubt keeps all that is left from here on, when there are roots that the plan
// could still read, or that were not there.
func (x *execution) doubt(unread []registry.UnreadRoot) {
	for _, one := range unread {
		if _, known := x.p.unread[one]; !known {
			x.problem(one.Repository, "", &one)
			x.unsure = true
		}
	}
}
