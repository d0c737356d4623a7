package model

import (
	"strings"
	"testing"

	"berth/app"
	"berth/app/apptest"
)

func TestTheTrashSaysWhatWhoWhenAndWhy(t *testing.T) {
	t.Parallel()
	st := cleaning(t, mixed()).Trash.State()
	if st.Phase != PhaseReady || st.Keep != "kept 7 days" {
		t.Fatalf("%+v", st)
	}
	var got []string
	for _, r := range st.Rows {
		got = append(got, r.Name+" | "+r.Detail+" | "+r.Size)
	}
	want := []string{
		"acme/checkout:pr-302 | you · 4 min ago | 14 MB", "acme/checkout:pr-299 | you · 4 min ago | 13 MB",
		"acme/frontend:latest | overwritten · 31 min ago | 88 MB", "tools/migrate:old | rule pr-* · 11 h ago | 9 MB",
		"acme/legacy | 12 tags · grace · 2 days ago | 276 MB",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestATakenTagComesBackUnderTheNameThatIsOffered(t *testing.T) {
	t.Parallel()
	f := mixed()
	f.Change(func(d *apptest.Data) {
		d.Repositories[1].Rows = append(d.Repositories[1].Rows, app.Tag{Name: "latest", Digest: "sha256:other"})
	})
	m := cleaning(t, f)
	m.Trash.Restore("trash-acme/frontend-latest")
	row := m.Trash.State().Rows[2]
	if !row.Taken || row.As != "latest-restored" || !strings.Contains(toasts(m), "names another image by now") {
		t.Fatalf("%+v, %q", row, toasts(m))
	}
	if !row.Tag || row.Detail != "the name is taken: back as latest-restored" {
		t.Errorf("%+v", row)
	}
	m.Trash.Restore(row.ID)
	if n := len(m.Trash.State().Rows); n != 4 {
		t.Errorf("%d rows are left", n)
	}
	if !strings.Contains(toasts(m), "Restored acme/frontend:latest-restored") {
		t.Errorf("%q", toasts(m))
	}
}

func TestATagComesBackUnderAnyNameThatIsAskedFor(t *testing.T) {
	t.Parallel()
	m := cleaning(t, mixed())
	m.Trash.RestoreAs("trash-acme/frontend-latest", "before")
	if !strings.Contains(toasts(m), "Restored acme/frontend:before") {
		t.Errorf("%q", toasts(m))
	}
}

func TestMarkedEntriesComeBackTogetherAndMarksSurviveARefresh(t *testing.T) {
	t.Parallel()
	f := mixed()
	m := cleaning(t, f)
	m.Trash.Toggle("trash-acme/checkout-pr-302")
	m.Trash.Toggle("trash-tools/migrate-old")
	m.Trash.Refresh()
	if st := m.Trash.State(); st.Checked != 2 || st.CheckedText != "2 selected" {
		t.Fatalf("%+v", st)
	}
	m.Trash.RestoreChecked()
	if st := m.Trash.State(); len(st.Rows) != 3 || st.Checked != 0 {
		t.Errorf("%d rows, %d marked", len(st.Rows), st.Checked)
	}
	if _, err := f.Inspect(t.Context(), app.InspectRequest{Repository: "tools/migrate", Reference: "old"}); err != nil {
		t.Error(err)
	}
}

func TestEmptyingAsksAndSaysWhatItFrees(t *testing.T) {
	t.Parallel()
	f := mixed()
	m := cleaning(t, f)
	m.Trash.Empty()
	m.Trash.AskEmpty()
	c := m.Trash.State().Confirm
	if c == nil || !strings.Contains(c.Text, "cannot be undone") || !strings.Contains(c.Text, "400 MB") || len(m.Trash.State().Rows) != 5 {
		t.Fatalf("%+v", c)
	}
	if !m.Trash.Escape() || m.Trash.State().Confirm != nil || len(m.Trash.State().Rows) != 5 {
		t.Fatal("Esc is no answer")
	}
	f.Change(func(d *apptest.Data) { d.Waits = "it must be older than the grace of 1h" })
	m.Trash.AskEmpty()
	if c := m.Trash.State().Confirm; c == nil || !strings.Contains(c.Text, "400 MB; it must be older than the grace of 1h.") {
		t.Errorf("%+v", c)
	}
	m.Trash.Empty()
	if st := m.Trash.State(); st.Phase != PhaseEmpty || st.Confirm != nil {
		t.Errorf("%+v", st)
	}
}

func TestOnlyMarkedEntriesGoForGood(t *testing.T) {
	t.Parallel()
	m := cleaning(t, mixed())
	m.Trash.Toggle("trash-acme/legacy-")
	m.Trash.AskEmpty()
	if c := m.Trash.State().Confirm; c == nil || c.Verb != "Delete for good" {
		t.Fatalf("%+v", c)
	}
	m.Trash.Empty()
	if n := len(m.Trash.State().Rows); n != 4 {
		t.Errorf("%d rows are left", n)
	}
}

func TestADeletedRepositoryComesBackWithCtrlZ(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	m.Images.DeleteRepository("acme/frontend")
	if !strings.Contains(toasts(m), "Deleted acme/frontend with 9 tags") {
		t.Fatalf("%q", toasts(m))
	}
	for _, r := range m.Images.State().Repositories {
		if r.Name == "acme/frontend" {
			t.Error("it is still listed")
		}
	}
	m.Shell.Undo()
	if r, err := f.Tags(t.Context(), app.TagsRequest{Repository: "acme/frontend"}); err != nil || len(r.Tags) != 9 {
		t.Errorf("%v, %d tags", err, len(r.Tags))
	}
	if !strings.Contains(toasts(m), "Restored acme/frontend with 9 tags") {
		t.Errorf("%q", toasts(m))
	}
}

func TestAPinHasASignAndCanBeTakenBack(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	m.Images.SelectRepository("acme/checkout")
	m.Images.Focus("v2.4.0")
	m.Images.TogglePin()
	pinned := func() string {
		for _, r := range m.Images.State().Repo.Tags {
			if r.Name == "v2.4.0" {
				return r.Pinned
			}
		}
		return "gone"
	}
	if pinned() == "" {
		t.Fatal("no sign")
	}
	m.Images.TogglePin()
	if got := pinned(); got != "" {
		t.Errorf("still %q", got)
	}
}

func TestALongNameIsCutAtItsBeginning(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]app.TrashEntry{
		"…/with-more:v1": {Repository: "acme/its-service/with-more", Tag: "v1"},
		"…/with-more":    {Repository: "acme/with-more", Kind: app.TrashRepository},
		"":               {Repository: "app", Tag: "v1"},
	} {
		if got := shortName(e); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWhatCouldNotBeRestoredIsTold(t *testing.T) {
	t.Parallel()
	f := mixed()
	m := cleaning(t, f)
	old := app.TrashEntry{ID: "old", Kind: app.TrashTag, Repository: "a", Tag: "old"}
	m.Trash.notRestored(app.RestoreReply{
		Gone:   []app.TrashEntry{old},
		Failed: []app.RestoreFailure{{Entry: old, Problem: &app.Problem{Severity: "error", Title: "Its bytes are gone"}}, {Entry: old, Problem: &app.Problem{Severity: "error"}}},
	})
	for _, want := range []string{"a:old is not in the trash any more", "2 entries could not be restored", "Its bytes are gone"} {
		if !strings.Contains(toasts(m), want) {
			t.Errorf("%q is not in %q", want, toasts(m))
		}
	}
}
