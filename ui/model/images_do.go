package model

import (
	"context"
	"path/filepath"

	"berth/app"
)

// ChooseImport lets a person choose a tar or an OCI folder, and imports it.
func (m *Images) ChooseImport() {
	if m.ChooseFile == nil {
		m.shell.Toast(Toast{Tone: ToneInfo, Lead: "Drop a tar or an OCI folder anywhere in this window"})
		return
	}
	m.tasks.run("choose", func(ctx context.Context) {
		path, err := m.ChooseFile(ctx)
		if err != nil {
			m.shell.failed(m.problemOf(err, "Choosing a file"))
			return
		}
		if path != "" {
			m.Import(path)
		}
	})
}

// Import reads a tar or an OCI folder, as dropping it on the window does.
func (m *Images) Import(path string) {
	m.start("Importing "+filepath.Base(path), func(ctx context.Context) (app.JobReply, error) {
		return m.Service.Import(ctx, app.ImportRequest{Path: path})
	})
}

// PullToDocker pulls the focused tag into the container engine.
func (m *Images) PullToDocker() {
	r := m.State().Repo
	if r == nil || r.Focus < 0 {
		return
	}
	repo, tag := r.Name, r.Tags[r.Focus].Name
	m.start("Pulling "+repo+":"+tag, func(ctx context.Context) (app.JobReply, error) {
		return m.Service.Pull(ctx, app.PullRequest{Repository: repo, Reference: tag})
	})
}

// start begins a job and tells when it could not begin.
func (m *Images) start(doing string, begin func(context.Context) (app.JobReply, error)) {
	m.tasks.run("", func(ctx context.Context) {
		r, err := begin(ctx)
		if err != nil {
			m.shell.failed(m.problemOf(err, doing))
			return
		}
		m.shell.expect(r.ID)
		m.feed.fetchJobs(ctx)
	})
}

// CheckRetag says what is wrong with a new tag as it is typed; empty means
// nothing.
func (m *Images) CheckRetag(to string) string { return CheckTag(to) }

// Retag points the tag to at what the focused tag names.
func (m *Images) Retag(to string) {
	r := m.State().Repo
	if r == nil || r.Focus < 0 || CheckTag(to) != "" {
		return
	}
	repo, from := r.Name, r.Tags[r.Focus].Name
	m.tasks.run("", func(ctx context.Context) {
		_, err := m.Service.Retag(ctx, app.RetagRequest{Repository: repo, From: from, To: to})
		if err != nil {
			m.shell.failed(m.problemOf(err, "Tagging "+repo+":"+to))
			return
		}
		m.shell.Toast(Toast{Tone: ToneOK, Lead: "Tagged ", Strong: repo + ":" + to})
		m.feed.fetchSnapshot(ctx)
		m.reload(ctx, repo)
	})
}
