package model

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"berth/app"
	"berth/app/apptest"
)

func TestDeletingDimsAtOnceThenOffersUndo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := apptest.NewAt(time.Now)
		m := live(t, f)
		m.Images.SelectRepository("acme/checkout")
		synctest.Wait()
		release := f.Hold("Delete")
		m.Images.Focus("v2.4.1")
		m.Images.Delete()
		synctest.Wait()
		s := m.Images.State()
		if !s.Repo.Tags[slices.Index(tagNames(s), "v2.4.1")].Dimmed {
			t.Fatal("the row is not dimmed while it is deleted")
		}
		m.Images.Delete() // Delete again on a dimmed row
		release()
		synctest.Wait()
		if n := len(f.Calls("Delete")); n != 1 {
			t.Errorf("deleted %d times, want once", n)
		}
		s = m.Images.State()
		if slices.Contains(tagNames(s), "v2.4.1") || !slices.Contains(tagNames(s), "latest") {
			t.Errorf("after it: %v; want v2.4.1 gone and its sibling there", tagNames(s))
		}
		toasts := m.Shell.State().Toasts
		if len(toasts) != 1 || toasts[0].Action != "Undo" || !strings.Contains(toasts[0].Text(), "latest stays, with the same digest") {
			t.Fatalf("toasts: %+v", toasts)
		}
		m.Shell.Act(toasts[0].ID)
		synctest.Wait()
		s = m.Images.State()
		if s.Repo.Focus < 0 || s.Repo.Tags[s.Repo.Focus].Name != "v2.4.1" {
			t.Errorf("after Undo the focus is on %d of %v, want v2.4.1", s.Repo.Focus, tagNames(s))
		}
	})
}

func TestUndoTakesDeletesBackOneByOneNewestFirst(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	m.Images.SelectRepository("acme/checkout")
	m.Images.DeleteTag("pr-318")
	m.Images.Toggle("pr-317")
	m.Images.Toggle("pr-311")
	m.Images.Delete()
	if got := m.Shell.State().Toasts; !strings.HasPrefix(got[len(got)-1].Text(), "Deleted pr-317 and 1 more") {
		t.Errorf("says %q", got[len(got)-1].Text())
	}
	m.Shell.Undo()
	if n := tagNames(m.Images.State()); !slices.Contains(n, "pr-317") || !slices.Contains(n, "pr-311") || slices.Contains(n, "pr-318") {
		t.Errorf("after one undo: %v", n)
	}
	m.Shell.Undo()
	if n := tagNames(m.Images.State()); !slices.Contains(n, "pr-318") {
		t.Errorf("after two: %v", n)
	}
	m.Shell.Undo()
	if got := m.Shell.State().Toasts; got[len(got)-1].Text() != "Nothing to undo" {
		t.Errorf("the third says %q", got[len(got)-1].Text())
	}
}

func TestARefusedDeleteLightsTheRowsAgain(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	f.Fail("Delete", &app.Problem{Code: "locked", Title: "The tag is locked", Fix: "Unlock it"})
	m.Images.Delete()
	s := m.Images.State()
	if s.Repo.Tags[0].Dimmed {
		t.Error("the row stays dim")
	}
	if got := m.Shell.State().Toasts[0]; got.Tone != ToneDanger || got.Text() != "The tag is locked. Unlock it" {
		t.Errorf("toast %+v", got)
	}
}

func TestARepositoryWithoutTagsGoesAndComesBack(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	m.Images.SelectRepository("ml/embedder")
	m.Images.SelectAll()
	m.Images.Delete()
	s := m.Images.State()
	if slices.Contains(repoNames(s), "ml/embedder") || s.Repo == nil || s.Repo.Name == "ml/embedder" {
		t.Errorf("the empty repository is still there: %v, showing %+v", repoNames(s), s.Repo)
	}
	m.Shell.Undo()
	if s = m.Images.State(); !slices.Contains(repoNames(s), "ml/embedder") || s.Repo.Name != "ml/embedder" || len(s.Repo.Tags) != 2 {
		t.Errorf("after Undo: %v, showing %+v", repoNames(s), s.Repo)
	}
	m.Images.DeleteRepository("ml/embedder")
	if s = m.Images.State(); slices.Contains(repoNames(s), "ml/embedder") {
		t.Errorf("Delete repository left it there")
	}
}

func TestATakenNameIsOfferedAsAnother(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	m.Images.SelectRepository("acme/checkout")
	m.Images.DeleteTag("pr-318")
	f.Change(func(d *apptest.Data) {
		for i := range d.Repositories {
			if r := &d.Repositories[i]; r.Name == "acme/checkout" {
				r.Rows = append(r.Rows, app.Tag{Name: "pr-318", Digest: "sha256:other"})
			}
		}
	})
	m.Shell.Undo()
	toasts := m.Shell.State().Toasts
	last := toasts[len(toasts)-1]
	if !strings.HasPrefix(last.Action, "Restore as pr-318-") {
		t.Fatalf("toast %+v", last)
	}
	m.Shell.Act(last.ID)
	if n := tagNames(m.Images.State()); !slices.Contains(n, strings.TrimPrefix(last.Action, "Restore as ")) {
		t.Errorf("tags are %v", n)
	}
}
