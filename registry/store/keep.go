package store

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/manifest"

	"github.com/opencontainers/go-digest"
)

// AllRepositories lists every repository on disk; see registry.Keeper.
func (s *Store) AllRepositories(ctx context.Context) iter.Seq2[string, error] {
	return s.reposOnDisk(ctx, "")
}

// Revisions lists the manifests of a repository; see registry.Keeper. One that
// cannot be read has no media type.
func (s *Store) Revisions(ctx context.Context, repo string) iter.Seq2[registry.Descriptor, error] {
	return func(yield func(registry.Descriptor, error) bool) {
		if err := check(ctx, repo); err != nil {
			yield(registry.Descriptor{}, err)
			return
		}
		for d, err := range s.digests(ctx, revisionsRoot(repo), "link") {
			if err != nil {
				yield(registry.Descriptor{}, fmt.Errorf("list revisions of %s: %w", repo, err))
				return
			}
			if !yield(s.describeRevision(ctx, d), nil) {
				return
			}
		}
	}
}

func (s *Store) describeRevision(ctx context.Context, d registry.Digest) registry.Descriptor {
	if s.trusts() {
		// What a digest means cannot change, so the index may be asked.
		if row, err := s.ix.Manifest(ctx, d); err == nil {
			return row.Descriptor
		}
	}
	r, _, ok := s.referrer(ctx, d)
	if !ok {
		return registry.Descriptor{Digest: d}
	}
	return r
}

// Links lists the blobs of a repository; see registry.Keeper. What distribution
// keeps under an alias is listed under both digests.
func (s *Store) Links(ctx context.Context, repo string) iter.Seq2[registry.Digest, error] {
	return func(yield func(registry.Digest, error) bool) {
		if err := check(ctx, repo); err != nil {
			yield("", err)
			return
		}
		for d, err := range s.digests(ctx, layersRoot(repo), "link") {
			if err != nil {
				yield("", fmt.Errorf("list blobs of %s: %w", repo, err))
				return
			}
			if !yield(d, nil) {
				return
			}
			if target, err := s.layer(ctx, repo, d); err == nil && target != d && !yield(target, nil) {
				return
			}
		}
	}
}

// Stored lists every blob on disk; see registry.Keeper.
func (s *Store) Stored(ctx context.Context) iter.Seq2[registry.Stored, error] {
	return func(yield func(registry.Stored, error) bool) {
		for algorithm, err := range s.children(ctx, blobsRoot) {
			if err != nil {
				yield(registry.Stored{}, fmt.Errorf("list blobs: %w", err))
				return
			}
			for two, err := range s.children(ctx, blobsRoot+"/"+algorithm) {
				if err != nil {
					yield(registry.Stored{}, fmt.Errorf("list blobs: %w", err))
					return
				}
				if !s.storedIn(ctx, algorithm, two, yield) {
					return
				}
			}
		}
	}
}

func (s *Store) storedIn(ctx context.Context, algorithm, two string, yield func(registry.Stored, error) bool) bool {
	for hex, err := range s.children(ctx, blobsRoot+"/"+algorithm+"/"+two) {
		if err != nil {
			yield(registry.Stored{}, fmt.Errorf("list blobs: %w", err))
			return false
		}
		d, ok := digestAt(algorithm, hex)
		if !ok {
			continue
		}
		info, err := s.drv.Stat(ctx, blobKey(d))
		if missing(err) || err == nil && info.Dir {
			continue
		}
		if err != nil {
			yield(registry.Stored{}, fmt.Errorf("list blobs: %w", err))
			return false
		}
		if !yield(registry.Stored{Digest: d, Size: info.Size, Modified: info.Modified}, nil) {
			return false
		}
	}
	return true
}

// Relink brings back a revision and tags; see registry.Keeper.
func (s *Store) Relink(ctx context.Context, repo string, d registry.Digest, tags ...string) error {
	if err := check(ctx, repo, d); err != nil {
		return err
	}
	tags, err := distinctTags(tags)
	if err != nil {
		return err
	}
	defer s.locks.shared(repo)()
	defer s.lockTags(repo, tags)()
	defer s.gate.refer()()
	s.censuses.note(repo, d)
	// The cache may know more than the disk, and what is being swept is not there.
	s.flights.shared(blobKey(d))()
	if _, err := s.stored(ctx, d); missing(err) {
		return registry.ErrManifestUnknown.WithDetail(d)
	} else if err != nil {
		return fmt.Errorf("relink %s in %s: %w", d, repo, err)
	}
	m, err := s.content(ctx, d)
	if err != nil {
		return err
	}
	p, err := manifest.Parse(m.MediaType, m.Content)
	if err != nil {
		return err
	}
	s.refers(repo, d, p)
	ctx = context.WithoutCancel(ctx)
	b := s.newBatch()
	defer b.done()
	if err := s.linkManifest(ctx, b, repo, d, tags); err != nil {
		s.tellWhatStayed(ctx, repo, m, p, tags)
		return fmt.Errorf("relink %s in %s: %w", d, repo, err)
	}
	s.tell(ctx, repo, s.manifestChanges(ctx, repo, m, p, tags, time.Now())...)
	return nil
}

// TagsOf lists the tags that name a manifest; see registry.Keeper. What the
// index tells is looked up on the disk. A tag that another program wrote, and
// that no reconciliation has met, is then not found: after the manifest is
// deleted it names what is not there, which every reader takes for unknown.
// The time of the tags' folder does not tell that this has happened, as our
// own pushes change it too, and pointing an old tag elsewhere does not.
func (s *Store) TagsOf(ctx context.Context, repo string, d registry.Digest) ([]string, error) {
	if err := check(ctx, repo, d); err != nil {
		return nil, err
	}
	if s.trusts() {
		if found, err := s.ix.TagsOf(ctx, repo, d); err == nil {
			return s.stillNaming(ctx, repo, d, found)
		} else if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	var out []string
	for tag, err := range s.tagsOnDisk(ctx, repo, "") {
		if err != nil {
			return nil, fmt.Errorf("list tags of %s: %w", repo, err)
		}
		if tag.digest == d {
			out = append(out, tag.name)
		}
	}
	return out, nil
}

// stillNaming keeps the tags that name a manifest on disk.
func (s *Store) stillNaming(ctx context.Context, repo string, d registry.Digest, tags []string) ([]string, error) {
	out := tags[:0]
	for _, tag := range tags {
		now, err := s.readLink(ctx, currentLink(repo, tag))
		if err != nil && !missing(err) {
			return nil, fmt.Errorf("resolve %s:%s: %w", repo, tag, err)
		}
		if err != nil || now != d {
			s.doubtRepo(repo) // another program has been at it
			continue
		}
		out = append(out, tag)
	}
	return out, nil
}

// Unlink removes the links of a repository to a digest; see registry.Keeper.
func (s *Store) Unlink(ctx context.Context, repo string, d registry.Digest) error {
	if err := check(ctx, repo, d); err != nil {
		return err
	}
	defer s.locks.alone(repo)()
	defer s.gate.remove()()
	if s.leases.held(d) {
		return fmt.Errorf("unlink %s from %s: %w", d, repo, registry.ErrInUse)
	}
	b := s.newBatch()
	b.remove(revisionDir(repo, d))
	b.remove(layerDir(repo, d))
	if err := b.apply(context.WithoutCancel(ctx)); err != nil {
		s.doubt()
		return fmt.Errorf("unlink %s from %s: %w", d, repo, err)
	}
	s.tell(ctx, repo, index.DropManifest{Repository: repo, Digest: d}, index.DropBlob{Repository: repo, Digest: d})
	return nil
}

// Sweep frees one blob; see registry.Keeper. It also refuses while the store
// has been open for less than the grace, since what clients were promised
// before is not remembered.
func (s *Store) Sweep(ctx context.Context, d registry.Digest, notAfter time.Time) (int64, error) {
	if _, err := registry.ParseDigest(d.String()); err != nil {
		return 0, err
	}
	if s.settling() {
		return 0, nil
	}
	if err := s.meetRepos(ctx); err != nil {
		return 0, fmt.Errorf("sweep %s: %w", d, err)
	}
	defer s.gate.remove()()
	if s.leases.held(d) {
		return 0, nil
	}
	info, err := s.drv.Stat(ctx, blobKey(d))
	if missing(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("sweep %s: %w", d, err)
	}
	if info.Modified.After(notAfter) {
		return 0, nil
	}
	linked, err := s.linkedAnywhere(ctx, d)
	if err != nil || linked {
		return 0, err
	}
	if err := s.drv.Delete(ctx, blobDir(d)); err != nil {
		if missing(err) {
			return 0, nil
		}
		return 0, fmt.Errorf("sweep %s: %w", d, err)
	}
	s.cache.drop(d)
	s.tellFreed(ctx, d)
	return info.Size, nil
}

// known is the set of repositories, so that a sweep need not walk the disk for
// each digest. What we link ourselves is added at once; what another program
// links is seen by the next walk.
type known struct {
	mu      sync.Mutex // guards what follows
	repos   map[string]bool
	aliases map[registry.Digest]bool // what a link of distribution names by another digest
	walked  time.Time
}

// knownFor is how long a walk is believed.
const knownFor = time.Minute

func (k *known) add(repo string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.repos != nil {
		k.repos[repo] = true
	}
}

// meetRepos walks the disk if the last walk was long ago.
func (s *Store) meetRepos(ctx context.Context) error {
	k := &s.known
	k.mu.Lock()
	if k.repos != nil && time.Since(k.walked) < knownFor {
		k.mu.Unlock()
		return nil
	}
	if k.repos == nil {
		k.repos = map[string]bool{}
	}
	k.mu.Unlock()
	repos, aliases := []string{}, map[registry.Digest]bool{}
	for repo, err := range s.reposOnDisk(ctx, "") {
		if err != nil {
			return err
		}
		repos = append(repos, repo)
		for d, err := range s.digests(ctx, layersRoot(repo), "link") {
			if err != nil {
				return err
			}
			if d.Algorithm() == digest.SHA256 {
				continue
			}
			if target, err := s.layer(ctx, repo, d); err == nil && target != d {
				aliases[target] = true
			}
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, repo := range repos {
		k.repos[repo] = true
	}
	k.aliases, k.walked = aliases, time.Now()
	return nil
}

// linkedAnywhere asks every repository on disk. The caller is alone in the gate.
func (s *Store) linkedAnywhere(ctx context.Context, d registry.Digest) (bool, error) {
	s.known.mu.Lock()
	alias := s.known.aliases[d]
	repos := make([]string, 0, len(s.known.repos))
	for repo := range s.known.repos {
		repos = append(repos, repo)
	}
	s.known.mu.Unlock()
	if alias {
		return true, nil
	}
	for _, repo := range repos {
		for _, link := range []string{layerLink(repo, d), revisionLink(repo, d)} {
			ok, err := s.exists(ctx, link)
			if err != nil {
				return false, fmt.Errorf("sweep %s: %w", d, err)
			}
			if ok {
				return true, nil
			}
		}
	}
	return false, nil
}

// PurgeUploads removes the uploads that nobody holds and that were last written
// before olderThan, and counts them.
func (s *Store) PurgeUploads(ctx context.Context, olderThan time.Time) (n int, err error) {
	for repo, err := range s.reposOnDisk(ctx, "") {
		if err != nil {
			return n, fmt.Errorf("purge uploads: %w", err)
		}
		for id, err := range s.children(ctx, uploadsRoot(repo)) {
			if err != nil {
				return n, fmt.Errorf("purge uploads of %s: %w", repo, err)
			}
			purged, err := s.purgeUpload(ctx, repo, id, olderThan)
			if err != nil {
				return n, fmt.Errorf("purge upload %s of %s: %w", id, repo, err)
			}
			if purged {
				n++
			}
		}
	}
	return n, nil
}

func (s *Store) purgeUpload(ctx context.Context, repo, id string, olderThan time.Time) (bool, error) {
	if !s.sessions.claim(repo, id) {
		return false, ctx.Err() // somebody is at it, or was a moment ago
	}
	defer s.sessions.leave(repo, id)
	last, err := s.lastWritten(ctx, repo, id)
	if err != nil || last.IsZero() {
		return false, err
	}
	if !last.Before(olderThan) {
		return false, nil
	}
	if err := s.drv.Delete(ctx, uploadDir(repo, id)); err != nil {
		return true, err
	}
	s.beside.gone(repo, id)
	return true, nil
}
