package model

import (
	"context"
	"slices"

	"berth/app"
)

// TogglePin pins the focused tag, which every rule then keeps, or unpins it.
func (m *Images) TogglePin() {
	if r := m.State().Repo; r != nil && r.Focus >= 0 {
		m.SetPin(r.Tags[r.Focus].Name, r.Tags[r.Focus].Pinned == "")
	}
}

// SetPin pins or unpins a tag of the shown repository.
func (m *Images) SetPin(tag string, on bool) {
	m.mu.Lock()
	repo := m.selected
	m.mu.Unlock()
	if repo != "" && tag != "" {
		m.setPin(repo, tag, on)
	}
}

func (m *Images) setPin(repo, tag string, on bool) {
	m.tasks.run("", func(ctx context.Context) {
		_, err := m.Service.Pin(ctx, app.PinRequest{Repository: repo, Tag: tag, Off: !on})
		if err != nil {
			m.shell.failed(m.problemOf(err, "Pinning "+repo+":"+tag))
			return
		}
		t := Toast{Tone: ToneOK, Lead: "Pinned ", Strong: repo + ":" + tag, Rest: ", which every rule keeps"}
		if !on {
			t.Lead, t.Rest = "Unpinned ", ""
		}
		t.Action, t.Hint, t.act = "Undo", "Ctrl Z", func() { m.setPin(repo, tag, !on) }
		m.shell.Toast(t)
		m.reload(ctx, repo)
	})
}

// DeleteRepository moves a repository with everything in it to the trash at once;
// the snackbar offers to undo it.
func (m *Images) DeleteRepository(repo string) {
	m.dim(repo, nil, true)
	m.tasks.run("", func(ctx context.Context) {
		defer m.dim(repo, nil, false)
		r, err := m.Service.DeleteRepository(ctx, app.DeleteRepositoryRequest{Repository: repo})
		if err != nil {
			m.shell.failed(m.problemOf(err, "Deleting "+repo))
			return
		}
		step := undoStep{repo: repo, entries: []string{r.Deleted.ID}}
		t := repositoryToast(r)
		t.act = func() { m.undoStep(r.Deleted.ID) }
		step.toast = m.shell.Toast(t)
		m.change(func() {
			m.undo = append(m.undo, step)
			m.undo = m.undo[max(0, len(m.undo)-undoMax):]
		})
		m.feed.fetchSnapshot(ctx)
	})
}

// repositoryToast says what went, and what stays although its name begins the
// same.
func repositoryToast(r app.DeleteRepositoryReply) Toast {
	t := Toast{Tone: ToneInfo, Lead: "Deleted ", Strong: r.Deleted.Repository, Rest: " with " + Count(r.Deleted.Tags, "tag"), Action: "Undo", Hint: "Ctrl Z"}
	if r.Frees > 0 {
		t.Rest += " — frees " + Size(r.Frees) + " once the trash lets go"
	}
	switch n := len(r.Stay); {
	case n == 1:
		t.Rest += ". " + r.Stay[0] + " stays"
	case n > 1:
		t.Rest += ". " + Number(n) + " repositories below it stay"
	}
	return t
}

// signs says in words what keeps a tag.
func signs(g app.Tag) (pinned, immutable string) {
	if g.Pinned {
		pinned = "Pinned: every rule keeps it"
	}
	if g.Immutable != "" {
		immutable = "Immutable by " + g.Immutable + ": it cannot be moved or deleted"
	}
	return pinned, immutable
}

// sizeTip says how much of a size is shared.
func sizeTip(g app.Tag) string {
	if g.Shared <= 0 {
		return ""
	}
	return Size(g.Shared) + " of it stays when only this tag is deleted: others need it too"
}

// restoredTag is the name of what is back, for the focus.
func restoredTag(list []app.TrashEntry) string {
	i := slices.IndexFunc(list, func(e app.TrashEntry) bool { return e.Tag != "" })
	if i < 0 {
		return ""
	}
	return list[i].Tag
}
