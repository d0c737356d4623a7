package model

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"berth/app"
)

// Images is the model of the Images page. Selection, focus and check boxes are
// held by name, so that they survive every refresh.
type Images struct {
	Signal
	*env
	feed   *feed
	shell  *Shell
	docker *Docker

	cached atomic.Pointer[ImagesState]

	mu       sync.Mutex // guards what follows
	known    bool       // a snapshot has come
	repos    []app.Repository
	filter   string
	repoSort RepoSort
	selected string
	table    table
	look     inspection
	dimmed   map[string]bool // "repository:tag", and "repository" when all of it goes
	undo     []undoStep
}

func newImages(e *env, f *feed, s *Shell) *Images {
	m := &Images{env: e, feed: f, shell: s, repoSort: ReposByPushed, dimmed: map[string]bool{}}
	m.table = newTable()
	m.look.tab = TabLayers
	m.cached.Store(&ImagesState{Phase: PhaseLoading, RepoSort: m.repoSort, Selected: -1})
	return m
}

// State gives what to draw. It returns at once.
func (m *Images) State() ImagesState { return *m.cached.Load() }

// SetFilter keeps the repositories whose name contains text, ignoring case.
func (m *Images) SetFilter(text string) {
	m.change(func() { m.filter = text })
}

// SortRepositories orders the list of repositories.
func (m *Images) SortRepositories(by RepoSort) {
	m.change(func() { m.repoSort = by })
}

// SelectRepository shows the tags of a repository.
func (m *Images) SelectRepository(name string) {
	m.mu.Lock()
	same := m.selected == name
	m.selectLocked(name)
	m.mu.Unlock()
	m.refresh()
	if !same {
		m.fetchTags()
	}
}

// MoveRepository selects the row that is by rows further in the list; far moves
// stop at the ends.
func (m *Images) MoveRepository(by int) {
	st := m.State()
	if len(st.Repositories) == 0 {
		return
	}
	i := min(max(st.Selected+by, 0), len(st.Repositories)-1)
	m.SelectRepository(st.Repositories[i].Name)
}

// Refresh fetches repositories and tags again.
func (m *Images) Refresh() {
	m.feed.refresh()
	m.changed("")
}

// ShowDocker leads from the empty state to the Docker page.
func (m *Images) ShowDocker() { m.shell.Go(PageDocker) }

// Copy puts text on the clipboard, and says so.
func (m *Images) Copy(text string) { m.shell.Copy(text, "Copied "+text) }

// CopyPull copies the pull command of the focused tag, as Ctrl+C does.
func (m *Images) CopyPull() {
	if r := m.State().Repo; r != nil && r.Pull != "" {
		m.Copy(r.Pull)
	}
}

// change runs f under the lock and builds the state again.
func (m *Images) change(f func()) {
	m.mu.Lock()
	f()
	m.mu.Unlock()
	m.refresh()
}

// snapshot takes in what the registry holds now.
func (m *Images) snapshot() {
	m.mu.Lock()
	before := m.selected
	if s, _ := m.feed.current(); s != nil {
		m.known, m.repos = true, s.Repositories
	}
	if m.known {
		m.reselectLocked()
	}
	fetch := m.selected != before && m.selected != ""
	m.mu.Unlock()
	m.refresh()
	if fetch {
		m.fetchTags()
	}
}

// reselectLocked keeps something selected: the neighbour of a repository that
// went away, else the first.
func (m *Images) reselectLocked() {
	has := func(name string) bool {
		return slices.ContainsFunc(m.repos, func(r app.Repository) bool { return r.Name == name })
	}
	if m.selected != "" && has(m.selected) {
		return
	}
	rows := m.cached.Load().Repositories
	at := max(0, slices.IndexFunc(rows, func(r RepoRow) bool { return r.Name == m.selected }))
	next := ""
	for i := range rows {
		if r := rows[(at+i)%len(rows)]; has(r.Name) {
			next = r.Name
			break
		}
	}
	if ordered := m.orderedLocked(); next == "" && len(ordered) > 0 {
		next = ordered[0].Name
	}
	m.selectLocked(next)
}

func (m *Images) selectLocked(name string) {
	if m.selected == name {
		return
	}
	m.selected = name
	m.table.reset()
	m.look = inspection{tab: m.look.tab}
}

// changed looks at the tags again when repository is the selected one, or is
// empty, which means any.
func (m *Images) changed(repository string) {
	m.mu.Lock()
	mine := m.selected != "" && (repository == "" || repository == m.selected)
	m.look.stale = true // who shares a layer may have changed anywhere
	m.mu.Unlock()
	if mine {
		m.fetchTags()
	} else {
		m.inspect()
	}
}

// fetchTags asks for the tags of the selected repository.
func (m *Images) fetchTags() {
	m.mu.Lock()
	repo := m.selected
	m.mu.Unlock()
	if repo == "" {
		return
	}
	m.tasks.run("tags", func(ctx context.Context) {
		r, err := m.Service.Tags(ctx, app.TagsRequest{Repository: repo})
		m.mu.Lock()
		if ctx.Err() != nil || m.selected != repo {
			m.mu.Unlock()
			return
		}
		if err != nil {
			m.table.problem = m.problemOf(err, "Listing the tags of "+repo)
		} else {
			m.table.fill(r)
		}
		m.mu.Unlock()
		m.refresh()
		m.inspect()
	})
}

// matchLocked are the repositories that the filter lets through.
func (m *Images) matchLocked() []app.Repository {
	want := strings.ToLower(strings.TrimSpace(m.filter))
	if want == "" {
		return slices.Clone(m.repos)
	}
	var out []app.Repository
	for _, r := range m.repos {
		if strings.Contains(strings.ToLower(r.Name), want) {
			out = append(out, r)
		}
	}
	return out
}

// orderedLocked keeps a namespace together: namespaces stand in the order of
// their first repository, and repositories in order within.
func (m *Images) orderedLocked() []app.Repository {
	list := m.matchLocked()
	order := func(a, b app.Repository) int {
		c := 0
		switch m.repoSort {
		case ReposByPushed:
			c = b.Pushed.Compare(a.Pushed)
		case ReposBySize:
			c = cmp.Compare(b.Size, a.Size)
		case ReposByTags:
			c = cmp.Compare(b.Tags, a.Tags)
		}
		return cmp.Or(c, CompareNatural(a.Name, b.Name))
	}
	slices.SortFunc(list, order)
	rank := map[string]int{}
	for i, r := range list {
		ns, _ := namespace(r.Name)
		if _, ok := rank[ns]; !ok {
			rank[ns] = i
		}
	}
	slices.SortStableFunc(list, func(a, b app.Repository) int {
		x, _ := namespace(a.Name)
		y, _ := namespace(b.Name)
		return cmp.Compare(rank[x], rank[y])
	})
	return list
}

// namespace parts "acme/app" into "acme" and "app".
func namespace(name string) (ns, base string) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", name
	}
	return name[:i], name[i+1:]
}
