package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"berth/registry"
	"berth/registry/index"
)

// Snapshot shows the whole; see [Service].
func (c *Core) Snapshot(ctx context.Context, r SnapshotRequest) (Snapshot, error) {
	s := Snapshot{Repositories: []Repository{}, Jobs: []Job{}, Indexing: c.indexing.Load()}
	order, ok := repositoryOrders[r.Sort]
	if !ok {
		return s, BadRequest(fmt.Errorf("sort by %q: there are name, pushed, size and tags", r.Sort))
	}
	order.Search = r.Search
	rows, err := c.ix.Repositories(ctx, order)
	if err != nil {
		return s, fmt.Errorf("list repositories: %w", err)
	}
	for _, row := range rows {
		s.Repositories = append(s.Repositories, repositoryRow(row))
	}
	if s.Usage, err = c.usage(ctx); err != nil {
		return s, err
	}
	if s.LastPush, err = c.lastPush(ctx); err != nil {
		return s, err
	}
	for _, j := range c.jobs.List() {
		if job := c.jobRow(j); job.State == JobRunning {
			s.Jobs = append(s.Jobs, job)
		}
	}
	s.Problems = c.problems(ctx)
	s.Status = c.status(s.Problems)
	return s, nil
}

var repositoryOrders = map[string]index.Query{
	"":       {Order: index.ByPushed, Descending: true},
	"pushed": {Order: index.ByPushed, Descending: true},
	"name":   {Order: index.ByName},
	"size":   {Order: index.BySize, Descending: true},
	"tags":   {Order: index.ByTags, Descending: true},
}

func repositoryRow(r index.Repository) Repository {
	return Repository{Name: r.Name, Tags: r.Tags, Size: r.Size, Shared: r.Size - r.Frees, Frees: r.Frees, Pushed: r.Pushed}
}

func (c *Core) lastPush(ctx context.Context) (*Pushed, error) {
	newest, err := c.ix.Repositories(ctx, index.Query{Order: index.ByPushed, Descending: true, Limit: 1})
	if err != nil || len(newest) == 0 {
		return nil, err
	}
	tags, err := c.ix.Tags(ctx, newest[0].Name, index.Query{Order: index.ByPushed, Descending: true, Limit: 1})
	if errors.Is(err, index.ErrUnknown) || len(tags) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the last push: %w", err)
	}
	return &Pushed{
		Repository: newest[0].Name, Tag: tags[0].Name, Digest: tags[0].Descriptor.Digest.String(), At: tags[0].Pushed,
		PullCommand: c.pullCommand(newest[0].Name, tags[0].Name),
	}, nil
}

// pullCommand gives the line to paste for a tag or a digest.
func (c *Core) pullCommand(repo, reference string) string {
	return "docker pull " + c.addressForPeople() + "/" + repo + separator(reference) + reference
}

func separator(reference string) string {
	if strings.Contains(reference, ":") {
		return "@"
	}
	return ":"
}

// Tags lists the tags of a repository; see [Service].
func (c *Core) Tags(ctx context.Context, r TagsRequest) (TagsReply, error) {
	reply := TagsReply{Tags: []Tag{}}
	q, err := tagQuery(r)
	if err != nil {
		return reply, err
	}
	if err := registry.ParseName(r.Repository); err != nil {
		return reply, AsProblem(err)
	}
	rows, err := c.ix.Tags(ctx, r.Repository, q)
	switch {
	case errors.Is(err, index.ErrUnknown) && c.indexing.Load():
		return c.tagsFromDisk(ctx, r)
	case errors.Is(err, index.ErrUnknown):
		return reply, notFound(r.Repository)
	case err != nil:
		return reply, fmt.Errorf("list tags of %s: %w", r.Repository, err)
	}
	if reply.Repository, err = c.repository(ctx, r.Repository); err != nil {
		return reply, err
	}
	for _, row := range rows {
		reply.Tags = append(reply.Tags, tagRow(row))
	}
	if r.Measured {
		if err := c.measureTags(ctx, rows, &reply); err != nil {
			return reply, err
		}
	}
	return reply, c.markPinned(ctx, r.Repository, reply.Tags)
}

func tagQuery(r TagsRequest) (index.Query, error) {
	q := index.Query{Search: r.Search, Order: index.Order(r.Sort), Descending: !r.Ascending}
	switch r.Sort {
	case "":
		q.Order = index.ByPushed
	case "name":
		q.Descending = r.Descending
	case "pushed", "size", "frees":
	default:
		return q, BadRequest(fmt.Errorf("sort by %q: there are name, pushed, size and frees", r.Sort))
	}
	return q, nil
}

func tagRow(t index.Tag) Tag {
	return Tag{
		Name: t.Name, Digest: t.Descriptor.Digest.String(), MediaType: t.Descriptor.MediaType, Platforms: t.Platforms,
		Size: t.Size, Shared: max(t.Size-t.Frees, 0), Frees: t.Frees, Pushed: t.Pushed, By: t.By, Pulls: t.Pulls, LastPull: t.LastPull, Same: t.Same,
		Attached: t.Referrers,
	}
}

// repository gives the row of one repository, which is without tags when it
// holds manifests only.
func (c *Core) repository(ctx context.Context, name string) (Repository, error) {
	row, err := c.ix.Repository(ctx, name)
	if err != nil && !errors.Is(err, index.ErrUnknown) {
		return Repository{}, fmt.Errorf("look up %s: %w", name, err)
	}
	return repositoryRow(row), nil
}

// tagsFromDisk answers while the index does not know the repository yet: names
// and digests, without dates.
func (c *Core) tagsFromDisk(ctx context.Context, r TagsRequest) (TagsReply, error) {
	reply := TagsReply{Repository: Repository{Name: r.Repository}, Tags: []Tag{}}
	for name, err := range c.reg.Tags(ctx, r.Repository, "") {
		if err != nil {
			return reply, c.problem(err, r.Repository)
		}
		reply.Repository.Tags++
		if !strings.Contains(strings.ToLower(name), strings.ToLower(r.Search)) {
			continue
		}
		d, err := c.reg.ResolveTag(ctx, r.Repository, name)
		if errors.Is(err, registry.ErrManifestUnknown) {
			continue // it went meanwhile
		}
		if err != nil {
			return reply, err
		}
		reply.Tags = append(reply.Tags, Tag{Name: name, Digest: d.Digest.String(), MediaType: d.MediaType, Platforms: []string{}})
	}
	return reply, nil
}

// problem gives the problem of err; what is not there is called by its name.
func (c *Core) problem(err error, what string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, registry.ErrNameUnknown) || errors.Is(err, registry.ErrManifestUnknown) {
		return notFound(what)
	}
	return AsProblem(err)
}

// resolve gives the digest that a tag or a digest of a repository names.
func (c *Core) resolve(ctx context.Context, repo, reference string) (registry.Descriptor, error) {
	ref, err := registry.ParseReference(reference)
	if err != nil {
		return registry.Descriptor{}, AsProblem(err)
	}
	var d registry.Descriptor
	if ref.Digest != "" {
		d, err = c.reg.StatManifest(ctx, repo, ref.Digest)
	} else {
		d, err = c.reg.ResolveTag(ctx, repo, ref.Tag)
	}
	return d, c.problem(err, repo+separator(reference)+reference)
}

// Retag points a tag at what another names; see [Service].
func (c *Core) Retag(ctx context.Context, r RetagRequest) (RetagReply, error) {
	ctx = c.as(ctx, "")
	if c.readOnly.Load() {
		return RetagReply{}, c.whyReadOnly()
	}
	if err := registry.ParseTag(r.To); err != nil {
		return RetagReply{}, AsProblem(err)
	}
	d, err := c.resolve(ctx, r.Repository, r.From)
	if err != nil {
		return RetagReply{}, err
	}
	m, err := c.reg.Manifest(ctx, r.Repository, d.Digest)
	if err != nil {
		return RetagReply{}, c.problem(err, r.Repository+separator(r.From)+r.From)
	}
	if _, err := c.reg.PutManifest(ctx, r.Repository, m, r.To); err != nil {
		return RetagReply{}, AsProblem(err)
	}
	return RetagReply{Digest: d.Digest.String()}, nil
}
