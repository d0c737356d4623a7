package apptest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"berth/app"
)

// Snapshot shows the data.
func (f *Fake) Snapshot(ctx context.Context, r app.SnapshotRequest) (app.Snapshot, error) {
	if err := f.enter(ctx, "Snapshot", r); err != nil {
		return app.Snapshot{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := app.Snapshot{
		Status: f.status(), Usage: f.usage(), Problems: slices.Clone(f.data.Problems),
		Jobs: []app.Job{}, Repositories: []app.Repository{}, Indexing: f.data.Indexing,
	}
	if f.data.LastPush != nil {
		last := *f.data.LastPush
		s.LastPush = &last
	}
	for _, j := range f.data.Jobs {
		if j.State == app.JobRunning {
			s.Jobs = append(s.Jobs, cloneJob(j))
		}
	}
	for _, repo := range f.data.Repositories {
		if len(repo.Rows) > 0 && contains(repo.Name, r.Search) {
			s.Repositories = append(s.Repositories, repo.row())
		}
	}
	slices.SortStableFunc(s.Repositories, func(a, b app.Repository) int {
		switch r.Sort {
		case "name":
			return strings.Compare(a.Name, b.Name)
		case "size":
			return cmp.Or(cmp.Compare(b.Size, a.Size), strings.Compare(a.Name, b.Name))
		case "tags":
			return cmp.Or(cmp.Compare(b.Tags, a.Tags), strings.Compare(a.Name, b.Name))
		}
		return cmp.Or(b.Pushed.Compare(a.Pushed), strings.Compare(a.Name, b.Name))
	})
	return s, nil
}

func (r Repository) row() app.Repository {
	row := r.Repository
	row.Tags = len(r.Rows)
	return row
}

// usage needs f.mu.
func (f *Fake) usage() app.Usage {
	u := f.data.Disk
	var used int64
	repos, tags := 0, 0
	for _, r := range f.data.Repositories {
		if len(r.Rows) > 0 {
			repos++
		}
		tags += len(r.Rows)
		used += r.Size
	}
	u.Repositories, u.Tags, u.Used = cmp.Or(u.Repositories, repos), cmp.Or(u.Tags, tags), cmp.Or(u.Used, used)
	return u
}

// Tags lists the rows of a repository.
func (f *Fake) Tags(ctx context.Context, r app.TagsRequest) (app.TagsReply, error) {
	if err := f.enter(ctx, "Tags", r); err != nil {
		return app.TagsReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	repo, err := f.repository(r.Repository)
	if err != nil {
		return app.TagsReply{}, err
	}
	reply := app.TagsReply{Repository: repo.row(), Tags: []app.Tag{}}
	for _, t := range repo.Rows {
		if contains(t.Name, r.Search) {
			t.Same = same(repo.Rows, t)
			reply.Tags = append(reply.Tags, t)
		}
	}
	slices.SortStableFunc(reply.Tags, func(a, b app.Tag) int { return compareTags(r.Sort, a, b) })
	if r.Sort == "name" && r.Descending || r.Sort != "name" && r.Ascending {
		slices.Reverse(reply.Tags)
	}
	return reply, nil
}

func compareTags(sort string, a, b app.Tag) int {
	switch sort {
	case "name":
		return strings.Compare(a.Name, b.Name)
	case "size":
		return cmp.Compare(b.Size, a.Size)
	case "frees":
		return cmp.Compare(b.Frees, a.Frees)
	}
	return b.Pushed.Compare(a.Pushed)
}

func same(rows []app.Tag, t app.Tag) []string {
	var out []string
	for _, other := range rows {
		if other.Digest == t.Digest && other.Name != t.Name {
			out = append(out, other.Name)
		}
	}
	return out
}

func contains(name, search string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(search))
}

// repository needs f.mu.
func (f *Fake) repository(name string) (*Repository, error) {
	for i := range f.data.Repositories {
		if r := &f.data.Repositories[i]; r.Name == name && len(r.Rows) > 0 {
			return r, nil
		}
	}
	return nil, NotFound(name)
}

// NotFound is the problem of a repository or tag that is not there.
func NotFound(what string) *app.Problem {
	return &app.Problem{
		Code: "not_found", Severity: "error", Title: what + " is not here", Text: "Nothing has that name.",
		Fix: "Look at the list of repositories.", Command: "berth ls", Exit: 3,
	}
}

// row needs f.mu. Reference is a tag or a digest.
func (r *Repository) find(reference string) (app.Tag, error) {
	for _, t := range r.Rows {
		if t.Name == reference || t.Digest == reference {
			return t, nil
		}
	}
	return app.Tag{}, NotFound(r.Name + ":" + reference)
}

// Inspect gives the details of a tag, made up where Data.Details has none.
func (f *Fake) Inspect(ctx context.Context, r app.InspectRequest) (app.InspectReply, error) {
	if err := f.enter(ctx, "Inspect", r); err != nil {
		return app.InspectReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	repo, err := f.repository(r.Repository)
	if err != nil {
		return app.InspectReply{}, err
	}
	t, err := repo.find(r.Reference)
	if err != nil {
		return app.InspectReply{}, err
	}
	reply, ok := f.data.Details[t.Digest]
	if !ok {
		reply = details(t)
	}
	reply.Repository, reply.Reference, reply.Pulls = repo.Name, r.Reference, t.Pulls
	if r.Platform != "" {
		reply.Platform = r.Platform
	}
	return reply, nil
}

// Retag adds or moves a tag.
func (f *Fake) Retag(ctx context.Context, r app.RetagRequest) (app.RetagReply, error) {
	if err := f.enter(ctx, "Retag", r); err != nil {
		return app.RetagReply{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	repo, err := f.repository(r.Repository)
	if err != nil {
		return app.RetagReply{}, err
	}
	t, err := repo.find(r.From)
	if err != nil {
		return app.RetagReply{}, err
	}
	t.Name, t.Pushed, t.Frees = r.To, f.now(), 0
	f.put(repo.Name, t)
	return app.RetagReply{Digest: t.Digest}, nil
}

// put needs f.mu: it makes a tag the newest of its repository, sends what it
// replaces to the trash, and tells the watchers.
func (f *Fake) put(name string, t app.Tag) {
	i := slices.IndexFunc(f.data.Repositories, func(r Repository) bool { return r.Name == name })
	if i < 0 {
		f.data.Repositories = append(f.data.Repositories, Repository{Repository: app.Repository{Name: name, Size: t.Size}})
		i = len(f.data.Repositories) - 1
	}
	repo := &f.data.Repositories[i]
	if old, err := repo.find(t.Name); err == nil && old.Name == t.Name {
		if old.Digest != t.Digest {
			f.discard(name, old, "overwritten")
		}
		repo.Rows = slices.DeleteFunc(repo.Rows, func(row app.Tag) bool { return row.Name == t.Name })
	}
	repo.Rows = slices.Insert(repo.Rows, 0, t)
	repo.Pushed = t.Pushed
	f.changed(name)
}

// changed needs f.mu.
func (f *Fake) changed(repo string) {
	for w := range f.watchers {
		w.push(app.Notice{Kind: app.NoticeImages, Repository: repo})
	}
}

// discard needs f.mu.
func (f *Fake) discard(repo string, t app.Tag, why string) app.TrashEntry {
	f.serial++
	e := app.TrashEntry{
		ID: fmt.Sprintf("trash-%d", f.serial), Repository: repo, Tag: t.Name, Digest: t.Digest, Why: why,
		By: t.By, At: f.now(), Until: f.now().Add(7 * 24 * time.Hour), Size: t.Size,
	}
	f.data.Trash = slices.Insert(f.data.Trash, 0, e)
	return e
}
