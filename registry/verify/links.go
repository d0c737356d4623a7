package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"berth/registry"

	"github.com/opencontainers/go-digest"
)

const (
	// batch is how many suspects wait for one second look.
	batch = 256
	// maxKnown bounds what is remembered of one repository.
	maxKnown = 50_000
)

// links looks at every link of every repository.
func (r *run) links(ctx context.Context) error {
	for repo, err := range r.store.AllRepositories(ctx) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.found(unlisted("", err))
			continue
		}
		if repo <= r.at.Repository {
			continue
		}
		if err := r.repository(ctx, repo); err != nil {
			return err
		}
		r.at.Repository = repo
		r.at.Repositories++
		r.at.Before = maps.Clone(r.at.Found)
		r.tellSometimes(0)
	}
	return ctx.Err()
}

// suspect is a link, and what looks wrong about it.
type suspect struct {
	link  registry.RawLink
	found []Finding
}

// look is what is known of one repository while its links are looked at.
type look struct {
	*run
	repo  string
	known map[registry.Digest]layer // blobs that manifests need
	lost  map[registry.Digest]bool  // blobs of which a manifest's finding tells
}

// layer is what is known of a blob of a repository.
type layer struct {
	linked, stored bool
	target         registry.Digest
	size           int64
}

func (r *run) repository(ctx context.Context, repo string) error {
	l := &look{run: r, repo: repo, known: map[registry.Digest]layer{}, lost: map[registry.Digest]bool{}}
	var suspects []suspect
	links := int64(0)
	for link, err := range r.store.LinksOf(ctx, repo) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.found(unlisted(repo, err))
			continue
		}
		links++
		found, err := l.examine(ctx, link)
		if err != nil {
			if ctx.Err() == nil {
				r.found(unlisted(repo, err))
			}
			continue
		}
		if len(found) > 0 {
			suspects = append(suspects, suspect{link, found})
		}
		if len(suspects) >= batch {
			if err := l.confirm(ctx, suspects); err != nil {
				return err
			}
			suspects = suspects[:0]
		}
		r.tellSometimes(0)
	}
	r.at.Links += links
	return l.confirm(ctx, suspects)
}

// looks is how often a suspect must look wrong after the first time.
const looks = 2

// confirm looks at suspects again, and tells what is wrong still, of links that
// are still there: pushes and deletes go on meanwhile, a blob is there before
// its link, and goes after it; and a link that is being written may be empty.
func (l *look) confirm(ctx context.Context, suspects []suspect) error {
	for range looks {
		if len(suspects) == 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, l.o.Settle); err != nil {
			return err
		}
		var still []suspect
		for _, s := range suspects {
			if again := l.again(ctx, s); len(again.found) > 0 {
				still = append(still, again)
			}
		}
		suspects = still
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, s := range suspects {
		for _, f := range s.found {
			if f.Kind == BlobMissing && f.Manifest == "" && l.lost[f.Digest] {
				continue // a manifest that needs it was told of
			}
			if f.Tag == "" {
				f.Tag = l.tagOf(ctx, f)
			}
			if f.Manifest != "" && len(l.lost) < maxKnown {
				l.lost[f.Digest] = true
			}
			l.found(f)
		}
	}
	return nil
}

// again looks at a suspect anew, and gives what was found before and is found
// now. An error that comes only now is no damage.
func (l *look) again(ctx context.Context, s suspect) suspect {
	clear(l.known)
	link, ok, err := l.store.ReadLink(ctx, l.repo, s.link)
	if err != nil || !ok {
		return suspect{}
	}
	found, err := l.examine(ctx, link)
	if err != nil {
		return suspect{}
	}
	if now, ok, err := l.store.ReadLink(ctx, l.repo, s.link); err != nil || !ok || now != link {
		return suspect{}
	}
	return suspect{link, slices.DeleteFunc(found, func(f Finding) bool { return !slices.ContainsFunc(s.found, f.same) })}
}

// tagOf gives a tag that suffers from a finding; empty when there is none.
func (l *look) tagOf(ctx context.Context, f Finding) string {
	d := f.Manifest
	if d == "" {
		d = f.Digest
	}
	if tags, err := l.store.TagsOf(ctx, l.repo, d); err == nil && len(tags) > 0 {
		return tags[0]
	}
	return ""
}

// examine says what looks wrong about a link; the error is one of the disk.
func (l *look) examine(ctx context.Context, link registry.RawLink) ([]Finding, error) {
	switch link.Kind {
	case registry.RawRevision:
		if link.Target != link.Digest {
			return l.linkDamaged(link, "the link of the manifest "+short(link.Digest), Relink), nil
		}
		return l.manifest(ctx, link.Digest)
	case registry.RawTag:
		return l.tag(ctx, link)
	case registry.RawHistory:
		if link.Target != link.Digest {
			return l.linkDamaged(link, "an entry in the history of the tag "+link.Tag), nil
		}
	case registry.RawLayer:
		// What was pushed by another digest, distribution keeps by its sha256.
		if link.Target == "" || link.Target != link.Digest && link.Digest.Algorithm() == digest.SHA256 {
			return l.linkDamaged(link, "the link of the blob "+short(link.Digest), Relink), nil
		}
		if _, err := l.store.StatStored(ctx, link.Target); gone(err) {
			text := fmt.Sprintf("%s has the blob %s, %s", l.repo, short(link.Digest), l.missing(ctx, link.Target))
			return []Finding{{Kind: BlobMissing, Repository: l.repo, Digest: link.Digest, Fixes: []Fix{Refetch}, Text: text}}, nil
		} else if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (l *look) linkDamaged(link registry.RawLink, what string, fixes ...Fix) []Finding {
	holds := "holds no digest"
	if link.Target != "" {
		holds = "holds " + short(link.Target)
	}
	return []Finding{{
		Kind: LinkDamaged, Link: link.Kind, Repository: l.repo, Tag: link.Tag, Digest: link.Digest, Fixes: fixes,
		Text: fmt.Sprintf("%s in %s %s", what, l.repo, holds),
	}}
}

// tag looks whether a tag names a manifest of its repository.
func (l *look) tag(ctx context.Context, link registry.RawLink) ([]Finding, error) {
	f := Finding{Kind: TagDangling, Repository: l.repo, Tag: link.Tag, Digest: link.Target, Fixes: []Fix{RemoveTag}}
	if link.Missing {
		f.Fixes, f.Text = nil, fmt.Sprintf("the tag %s of %s has lost its link, so it is not listed; pushing it again mends it", link.Tag, l.repo)
		return []Finding{f}, nil
	}
	if link.Target == "" {
		f.Text = fmt.Sprintf("the tag %s of %s names nothing: its link cannot be understood", link.Tag, l.repo)
		return []Finding{f}, nil
	}
	_, linked, err := l.store.ReadLink(ctx, l.repo, registry.RawLink{Kind: registry.RawRevision, Digest: link.Target})
	if err != nil {
		return nil, err
	}
	if linked {
		// Whether the manifest itself is sound is told with its own link.
		_, noted, err := l.store.ReadLink(ctx, l.repo, registry.RawLink{Kind: registry.RawHistory, Tag: link.Tag, Digest: link.Target})
		if err != nil || noted {
			return nil, err
		}
		f.Kind, f.Link, f.Fixes = LinkDamaged, registry.RawHistory, nil
		f.Text = fmt.Sprintf("the history of the tag %s of %s does not have %s, which it names; that hurts nobody, and the next push mends it", link.Tag, l.repo, short(link.Target))
		return []Finding{f}, nil
	}
	f.Text = fmt.Sprintf("the tag %s of %s names %s, which %s does not have", link.Tag, l.repo, short(link.Target), l.repo)
	switch st, err := l.store.StatStored(ctx, link.Target); {
	case err == nil:
		f.Size, f.Fixes = st.Size, []Fix{Relink, RemoveTag}
		f.Text += "; its bytes are still on disk"
	case !gone(err):
		return nil, err
	}
	return []Finding{f}, nil
}
