package sqlite

import (
	"context"
	"fmt"

	"berth/registry"
	"berth/registry/index"
)

// RepositoryNames lists repositories that hold a manifest, by name.
func (x *Index) RepositoryNames(ctx context.Context, after string, limit int) ([]string, error) {
	decided, doubtful := x.queuedRepositories(after)
	return page(after, limit, decided, itself, func(after string, limit int) ([]string, error) {
		names, err := column(ctx, x, text, `SELECT name FROM repo WHERE manifests > 0 AND name > ? ORDER BY name LIMIT ?`, after, all(limit))
		for _, name := range names {
			gone, ok := doubtful[name]
			if !ok || err != nil {
				continue
			}
			var some bool
			if some, err = x.holdsMore(ctx, name, gone); !some {
				decided[name] = verdict[string]{}
			}
		}
		return names, err
	})
}

// queuedRepositories says what the queue decides of repositories behind after,
// and which of them may hold something or not: they lost the manifests given.
func (x *Index) queuedRepositories(after string) (decided map[string]verdict[string], doubtful map[string]map[string]verdict[registry.Digest]) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for name, r := range x.pending.repos {
		if name <= after || len(r.manifests) == 0 && r.dropped == 0 {
			continue
		}
		if decided == nil {
			decided = map[string]verdict[string]{}
		}
		switch {
		case r.held():
			decided[name] = verdict[string]{there: true, value: name}
		case r.dropped != 0:
			decided[name] = verdict[string]{}
		default:
			if doubtful == nil {
				doubtful = map[string]map[string]verdict[registry.Digest]{}
			}
			doubtful[name] = r.manifestVerdicts("")
		}
	}
	return decided, doubtful
}

func (r *pendingRepo) manifestVerdicts(after registry.Digest) map[string]verdict[registry.Digest] {
	out := make(map[string]verdict[registry.Digest], len(r.manifests))
	for d, m := range r.manifests {
		if d > after {
			out[string(d)] = verdict[registry.Digest]{m.m != nil, d}
		}
	}
	return out
}

// holdsMore reports whether the database has a manifest of a repository that is
// not among those that are decided.
func (x *Index) holdsMore(ctx context.Context, repo string, decided map[string]verdict[registry.Digest]) (bool, error) {
	some, err := x.manifestPage(ctx, repo, "", len(decided)+1)
	for _, d := range some {
		if _, ok := decided[string(d)]; !ok {
			return true, err
		}
	}
	return false, err
}

// queuedTags says what the queue decides of the tags of a repository behind
// after. fresh: nothing in the database counts. some: there is something
// whatever the database says.
func (x *Index) queuedTags(repo, after string) (decided map[string]verdict[string], fresh, some bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.pending.repos[repo]
	if r == nil {
		return nil, false, false
	}
	decided = make(map[string]verdict[string], len(r.tags))
	for name, t := range r.tags {
		some = some || t.digest != ""
		if name > after {
			decided[name] = verdict[string]{t.digest != "", name}
		}
	}
	return decided, r.dropped != 0, some || r.held()
}

// TagNames lists tags by name.
func (x *Index) TagNames(ctx context.Context, repo, after string, limit int) ([]string, error) {
	decided, fresh, some := x.queuedTags(repo, after)
	names, err := page(after, limit, decided, itself, func(after string, limit int) ([]string, error) {
		if fresh {
			return nil, nil
		}
		return x.tagPage(ctx, repo, after, limit)
	})
	if err != nil || len(names) > 0 || some {
		return names, err
	}
	return nil, x.hasAny(ctx, repo)
}

func (x *Index) tagPage(ctx context.Context, repo, after string, limit int) ([]string, error) {
	return column(ctx, x, text, `SELECT t.name FROM repo r CROSS JOIN tag t ON t.repo = r.id
		WHERE r.name = ? AND t.name > ? ORDER BY t.name LIMIT ?`, repo, after, all(limit))
}

// hasAny gives ErrUnknown for a repository without manifests and tags. It is
// asked when there is no tag to show.
func (x *Index) hasAny(ctx context.Context, repo string) error {
	unknown := fmt.Errorf("repository %s: %w", repo, index.ErrUnknown)
	x.mu.Lock()
	var manifests map[string]verdict[registry.Digest]
	r := x.pending.repos[repo]
	if r != nil {
		manifests = r.manifestVerdicts("")
	}
	fresh := r != nil && r.dropped != 0
	held := r != nil && r.held()
	x.mu.Unlock()
	if held {
		return nil
	}
	if fresh {
		return unknown
	}
	if r == nil {
		_, err := x.repository(ctx, repo)
		return err
	}
	if some, err := x.holdsMore(ctx, repo, manifests); some || err != nil {
		return err
	}
	decided, _, _ := x.queuedTags(repo, "")
	names, err := page("", 1, decided, itself, func(after string, limit int) ([]string, error) {
		return x.tagPage(ctx, repo, after, limit)
	})
	if err == nil && len(names) == 0 {
		return unknown
	}
	return err
}

// TagsOf lists the tags that name a manifest, by name.
func (x *Index) TagsOf(ctx context.Context, repo string, d registry.Digest) ([]string, error) {
	x.mu.Lock()
	var decided map[string]verdict[string]
	fresh := false
	if r := x.pending.repos[repo]; r != nil {
		fresh, decided = r.dropped != 0, make(map[string]verdict[string], len(r.tags))
		for name, t := range r.tags {
			decided[name] = verdict[string]{t.digest == d, name}
		}
	}
	x.mu.Unlock()
	return page("", 0, decided, itself, func(string, int) ([]string, error) {
		if fresh {
			return nil, nil
		}
		return column(ctx, x, text, `SELECT t.name FROM repo r CROSS JOIN obj o CROSS JOIN tag t ON t.obj = o.id AND t.repo = r.id
			WHERE r.name = ? AND o.key = ? ORDER BY t.name`, repo, keyOf(d))
	})
}

// Manifests lists the manifests of a repository by digest.
func (x *Index) Manifests(ctx context.Context, repo string, after registry.Digest, limit int) ([]registry.Digest, error) {
	x.mu.Lock()
	var decided map[string]verdict[registry.Digest]
	fresh := false
	if r := x.pending.repos[repo]; r != nil {
		fresh, decided = r.dropped != 0, r.manifestVerdicts(after)
	}
	x.mu.Unlock()
	key := func(d registry.Digest) string { return string(d) }
	return page(string(after), limit, decided, key, func(after string, limit int) ([]registry.Digest, error) {
		if fresh {
			return nil, nil
		}
		return x.manifestPage(ctx, repo, registry.Digest(after), limit)
	})
}

func (x *Index) manifestPage(ctx context.Context, repo string, after registry.Digest, limit int) ([]registry.Digest, error) {
	return column(ctx, x, asDigest, `SELECT h.key FROM repo r CROSS JOIN hold h ON h.repo = r.id
		WHERE r.name = ? AND h.key IS NOT NULL AND h.key > ? ORDER BY h.key LIMIT ?`, repo, keyAfter(after), all(limit))
}

// Referrers lists referrers of a subject by digest.
func (x *Index) Referrers(ctx context.Context, repo string, subject registry.Digest, artifactType string, after registry.Digest, limit int) ([]registry.Descriptor, error) {
	decided, fresh := x.queuedReferrers(repo, subject, artifactType, after)
	key := func(d registry.Descriptor) string { return string(d.Digest) }
	return page(string(after), limit, decided, key, func(after string, limit int) ([]registry.Descriptor, error) {
		if fresh {
			return nil, nil
		}
		return column(ctx, x, asDescriptor, `SELECT m.info FROM obj s CROSS JOIN repo r
			CROSS JOIN obj m ON m.subject = s.id AND m.key > ?
			CROSS JOIN hold h ON h.repo = r.id AND h.obj = m.id AND h.kind >= 2
			WHERE s.key = ? AND r.name = ? AND (? = '' OR m.artifact = ?) ORDER BY m.key LIMIT ?`,
			keyAfter(registry.Digest(after)), keyOf(subject), repo, artifactType, artifactType, all(limit))
	})
}

func (x *Index) queuedReferrers(repo string, subject registry.Digest, artifactType string, after registry.Digest) (decided map[string]verdict[registry.Descriptor], fresh bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r := x.pending.repos[repo]
	if r == nil {
		return nil, false
	}
	decided = make(map[string]verdict[registry.Descriptor], len(r.manifests))
	for d, m := range r.manifests {
		if d <= after || m.m != nil && m.m.Subject != subject {
			continue
		}
		there := m.m != nil && (artifactType == "" || artifactType == m.m.Descriptor.ArtifactType)
		v := verdict[registry.Descriptor]{there: there}
		if there {
			v.value = m.m.Descriptor
		}
		decided[string(d)] = v
	}
	return decided, r.dropped != 0
}
