package model

import (
	"fmt"
	"time"

	"berth/app"
)

// refresh builds the state again and says so.
func (m *Images) refresh() {
	local := -1
	if m.docker != nil {
		local = int(m.docker.known.Load())
	}
	m.mu.Lock()
	snap, lost := m.feed.current()
	m.cached.Store(m.buildLocked(snap, lost, local))
	m.mu.Unlock()
	m.emit()
}

func (m *Images) buildLocked(snap *app.Snapshot, lost *app.Problem, local int) *ImagesState {
	st := &ImagesState{Filter: m.filter, RepoSort: m.repoSort, Selected: -1, Phase: PhaseReady}
	address := ""
	if snap != nil {
		address = snap.Status.Address
		if snap.Indexing {
			st.Note = "Collecting sizes and dates…"
		}
	}
	switch {
	case !m.known && lost != nil:
		st.Phase, st.Problem = PhaseFailed, lost
		return st
	case !m.known:
		st.Phase = PhaseLoading
		return st
	case len(m.repos) == 0:
		st.Phase, st.FirstRun = PhaseEmpty, firstRun(address, local)
		if lost != nil {
			st.FirstRun.Title = "Your registry does not answer"
		} else if snap != nil && snap.Status.State == app.StateStopped {
			st.FirstRun.Title = "Your registry is stopped"
		}
		return st
	}
	st.Repositories = m.repoRowsLocked()
	if len(st.Repositories) == 0 {
		st.Phase = PhaseNoMatch
	}
	for i := range st.Repositories {
		if st.Repositories[i].Selected {
			st.Selected = i
		}
	}
	if m.selected != "" {
		st.Repo = m.repoViewLocked(address)
	}
	return st
}

func (m *Images) repoRowsLocked() []RepoRow {
	now := m.Now()
	ordered := m.orderedLocked()
	rows := make([]RepoRow, 0, len(ordered))
	last := ""
	for i, r := range ordered {
		ns, base := namespace(r.Name)
		rows = append(rows, RepoRow{
			Name: r.Name, Namespace: ns, Base: base, First: i == 0 || ns != last,
			Facts:  Count(r.Tags, "tag") + " · " + Size(r.Size),
			Pushed: Ago(r.Pushed, now), PushedExact: Absolute(r.Pushed, now),
			Selected: r.Name == m.selected, Dimmed: m.dimmed[r.Name],
		})
		last = ns
	}
	return rows
}

func (m *Images) repoViewLocked(address string) *RepoView {
	v := &RepoView{Name: m.selected, Sort: m.table.sort, Reverse: m.table.reverse, Focus: -1}
	t := &m.table
	repo := t.repo
	if !t.loaded {
		for _, r := range m.repos {
			if r.Name == m.selected {
				repo = r
			}
		}
	}
	v.Facts = Count(repo.Tags, "tag") + " · " + Size(repo.Size) + " on disk"
	if repo.Shared > 0 {
		v.Facts += " · " + Size(repo.Shared) + " shared"
	}
	switch {
	case !t.loaded && t.problem != nil:
		v.Phase, v.Problem = PhaseFailed, t.problem
	case !t.loaded:
		v.Phase = PhaseLoading
	case len(t.tags) == 0:
		v.Phase = PhaseEmpty
	default:
		v.Phase = PhaseReady
	}
	v.Tags = m.tagRowsLocked(m.Now())
	for i, r := range v.Tags {
		if r.Focused {
			v.Focus = i
		}
		if r.Checked {
			v.Checked++
		}
	}
	v.AllChecked = v.Checked > 0 && v.Checked == len(v.Tags)
	if v.Checked > 0 {
		v.CheckedText = fmt.Sprintf("%d selected", v.Checked)
	}
	if v.Focus >= 0 {
		row := v.Tags[v.Focus]
		v.PullLines = pullLines(address, m.selected, row.Name, row.Digest)
		v.Pull = v.PullLines[0].Line
		if v.Checked == 0 {
			v.Inspector = m.inspectorLocked(row)
		}
	}
	return v
}

func (m *Images) tagRowsLocked(now time.Time) []TagRow {
	t := &m.table
	rows := make([]TagRow, 0, len(t.tags))
	for _, g := range t.tags {
		row := TagRow{
			Name: g.Name, Digest: g.Digest, Short: ShortDigest(g.Digest),
			Platforms: Platforms(g.Platforms), PlatformsFull: joined(g.Platforms),
			Size: Size(g.Size), Frees: Size(g.Frees),
			Pushed: Ago(g.Pushed, now), PushedExact: Absolute(g.Pushed, now),
			Checked: t.checked[g.Name], Focused: g.Name == t.focus,
			Dimmed: m.dimmed[m.selected] || m.dimmed[m.selected+":"+g.Name],
		}
		if g.By != "" && row.PushedExact != "" {
			row.PushedExact += " by " + g.By
		}
		if g.Attached > 0 {
			row.Attached = fmt.Sprintf("%d attached", g.Attached)
		}
		row.Same, row.SameFull = t.sameAs(g)
		row.SizeTip = sizeTip(g)
		row.Pinned, row.Immutable = signs(g)
		rows = append(rows, row)
	}
	return rows
}

func joined(list []string) string {
	out := ""
	for _, p := range list {
		if out != "" {
			out += ", "
		}
		out += p
	}
	return out
}

// pullLines are the ways to pull a tag; the first is docker's, by tag.
func pullLines(address, repo, tag, digest string) []PullLine {
	byTag := address + "/" + repo + ":" + tag
	byDigest := address + "/" + repo + "@" + digest
	var out []PullLine
	for _, tool := range []struct{ name, line string }{
		{"docker", "docker pull "},
		{"podman", "podman pull --tls-verify=false "},
		{"nerdctl", "nerdctl pull --insecure-registry "},
		{"crane", "crane pull --insecure "},
	} {
		end := ""
		if tool.name == "crane" {
			_, base := namespace(repo)
			end = " " + base + ".tar"
		}
		out = append(out, PullLine{tool.name, tool.line + byTag + end})
		if digest != "" {
			out = append(out, PullLine{tool.name + ", by digest", tool.line + byDigest + end})
		}
	}
	return out
}

func firstRun(address string, local int) FirstRun {
	f := FirstRun{
		Title: "Your registry is running", Text: "Push the first image with one click, or from a terminal:",
		Commands: []string{"docker tag my-app " + address + "/my-app", "docker push " + address + "/my-app"},
		Choose:   "Choose a local image", Import: "Import a tar or OCI folder", Drop: "or drop a file anywhere in this window",
	}
	if local > 0 {
		f.Choose = "Choose from " + Count(local, "local image")
	}
	return f
}
