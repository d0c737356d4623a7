package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"berth/app"
	"berth/app/apptest"
)

func repoNames(s ImagesState) []string {
	var out []string
	for _, r := range s.Repositories {
		out = append(out, r.Name)
	}
	return out
}

func tagNames(s ImagesState) []string {
	var out []string
	for _, r := range s.Repo.Tags {
		out = append(out, r.Name)
	}
	return out
}

func checkedNames(s ImagesState) []string {
	var out []string
	for _, r := range s.Repo.Tags {
		if r.Checked {
			out = append(out, r.Name)
		}
	}
	return out
}

func TestTheImagesPageShowsTheMockup(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	m.Images.SelectRepository("acme/checkout")
	s := m.Images.State()
	r := s.Repo
	if want := "14 tags · 612 MB on disk · 240 MB shared"; r.Facts != want {
		t.Errorf("facts %q, want %q", r.Facts, want)
	}
	if want := "docker pull localhost:5000/acme/checkout:v2.4.1"; r.Pull != want {
		t.Errorf("pull %q, want %q", r.Pull, want)
	}
	row := r.Tags[slices.Index(tagNames(s), "latest")]
	if row.Same != "same as v2.4.1" || row.Short != "9f2c41d7" || row.Platforms != "amd64 arm64" || row.Size != "212 MB" || row.Frees != "0 B" {
		t.Errorf("latest is shown as %+v", row)
	}
	if v := r.Tags[slices.Index(tagNames(s), "v2.4.1")]; v.Same != "same as latest" {
		t.Errorf("v2.4.1 says %q; want the other tag", v.Same)
	}
	i := r.Inspector
	if i == nil || len(i.Layers) != 3 || i.Layers[0].Shared != "shared by 11 tags" || !i.Layers[2].Only || i.Pulled != "Pulled 41×" {
		t.Fatalf("inspector: %+v", i)
	}
	if i.Tabs[3].Label != "Attached 3" {
		t.Errorf("last tab is %q", i.Tabs[3].Label)
	}
}

func TestANamespaceStaysTogetherInEveryOrder(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	for _, by := range []RepoSort{ReposByName, ReposByPushed, ReposBySize, ReposByTags} {
		m.Images.SortRepositories(by)
		seen := map[string]bool{}
		for _, r := range m.Images.State().Repositories {
			if r.First == seen[r.Namespace] {
				t.Errorf("by %s: %s: First is %v, but its namespace was seen: %v", by, r.Name, r.First, seen[r.Namespace])
			}
			seen[r.Namespace] = true
		}
	}
	m.Images.SortRepositories(ReposByPushed)
	if got := repoNames(m.Images.State())[0]; got != "acme/checkout" {
		t.Errorf("newest first begins with %s", got)
	}
}

func TestTheFilterIgnoresCaseAndKeepsTheSelection(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	m.Images.SelectRepository("tools/migrate")
	m.Images.SetFilter(" ACME/ ")
	s := m.Images.State()
	for _, n := range repoNames(s) {
		if !strings.HasPrefix(n, "acme/") {
			t.Errorf("%s was let through", n)
		}
	}
	if s.Selected != -1 || s.Repo.Name != "tools/migrate" {
		t.Errorf("selection is %d, %s; want none in the list, tools/migrate beside it", s.Selected, s.Repo.Name)
	}
	m.Images.SetFilter("no such")
	if got := m.Images.State().Phase; got != PhaseNoMatch {
		t.Errorf("phase %s, want nomatch", got)
	}
	m.Images.SetFilter("")
	if s := m.Images.State(); s.Repositories[s.Selected].Name != "tools/migrate" {
		t.Errorf("the selection was lost")
	}
}

func TestColumnsSortAndTurnRound(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	m.Images.SelectRepository("acme/checkout")
	m.Images.SortBy(ColumnTag)
	up := tagNames(m.Images.State())
	if !slices.IsSortedFunc(up, CompareNatural) {
		t.Errorf("by tag: %v", up)
	}
	m.Images.SortBy(ColumnTag)
	down := tagNames(m.Images.State())
	slices.Reverse(down)
	if !slices.Equal(up, down) || !m.Images.State().Repo.Reverse {
		t.Errorf("the second click did not turn it round: %v", down)
	}
	m.Images.SortBy(ColumnSize)
	if got := m.Images.State().Repo; got.Tags[0].Size != "212 MB" || got.Reverse {
		t.Errorf("by size begins with %s", got.Tags[0].Size)
	}
}

func TestShiftChecksARangeAndCtrlOneMore(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	m.Images.SelectRepository("acme/checkout")
	names := tagNames(m.Images.State())
	m.Images.Focus(names[3])
	m.Images.Range(names[5])
	if got := checkedNames(m.Images.State()); !slices.Equal(got, names[3:6]) {
		t.Errorf("range down: %v", got)
	}
	m.Images.Range(names[1])
	if got := checkedNames(m.Images.State()); !slices.Equal(got, names[1:4]) {
		t.Errorf("range up from the same start: %v", got)
	}
	m.Images.Toggle(names[6])
	s := m.Images.State()
	if got := checkedNames(s); !slices.Equal(got, append(slices.Clone(names[1:4]), names[6])) || s.Repo.CheckedText != "4 selected" {
		t.Errorf("one more: %v, %s", got, s.Repo.CheckedText)
	}
	if s.Repo.Inspector != nil {
		t.Errorf("the inspector is open beside a selection")
	}
	m.Images.SelectAll()
	if !m.Images.State().Repo.AllChecked {
		t.Errorf("not every row is checked")
	}
	if !m.Images.ClearSelection() || m.Images.ClearSelection() {
		t.Errorf("Esc says wrongly whether it did something")
	}
}

func TestArrowsMoveTheFocusAndStopAtTheEnds(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New())
	m.Images.SelectRepository("acme/checkout")
	last := len(tagNames(m.Images.State())) - 1
	for _, c := range []struct{ by, want int }{{1, 1}, {2, 3}, {1000, last}, {-1, last - 1}, {-1000, 0}} {
		m.Images.MoveFocus(c.by, false)
		if got := m.Images.State().Repo.Focus; got != c.want {
			t.Errorf("by %d: focus on %d, want %d", c.by, got, c.want)
		}
	}
	m.Images.MoveFocus(2, true)
	if got := len(checkedNames(m.Images.State())); got != 3 {
		t.Errorf("Shift and two down checked %d rows, want 3", got)
	}
}

func TestTheFirstRunLeadsToTheFirstPush(t *testing.T) {
	t.Parallel()
	f := apptest.Empty(func() time.Time { return apptest.Now })
	m := inline(t, f)
	s := m.Images.State()
	if s.Phase != PhaseEmpty || s.FirstRun.Commands[1] != "docker push localhost:5000/my-app" || s.FirstRun.Choose != "Choose a local image" {
		t.Errorf("%+v", s)
	}
	f.Change(func(d *apptest.Data) {
		for i := range 12 {
			d.Local.Images = append(d.Local.Images, app.LocalImage{ID: fmt.Sprint(i), Name: fmt.Sprint("a:", i)})
		}
	})
	m.Refresh()
	if got := m.Images.State().FirstRun.Choose; got != "Choose from 12 local images" {
		t.Errorf("button says %q", got)
	}
	m.Images.ShowDocker()
	if m.Shell.State().Page != PageDocker {
		t.Error("the button leads nowhere")
	}
}

func TestEveryWayToPullIsALine(t *testing.T) {
	t.Parallel()
	var copied string
	m := inline(t, apptest.New(), func(o *Options) { o.Copy = func(s string) error { copied = s; return nil } })
	m.Images.SelectRepository("acme/checkout")
	m.Images.CopyPull()
	if copied != "docker pull localhost:5000/acme/checkout:v2.4.1" {
		t.Errorf("copied %q", copied)
	}
	for _, l := range m.Images.State().Repo.PullLines {
		byDigest := strings.Contains(l.Label, "digest")
		if !strings.HasPrefix(l.Line, strings.TrimSuffix(l.Label, ", by digest")+" pull ") || byDigest != strings.Contains(l.Line, "@sha256:") {
			t.Errorf("%s: %s", l.Label, l.Line)
		}
	}
}

func TestAClipboardThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	m := inline(t, apptest.New(), func(o *Options) { o.Copy = func(string) error { return errors.New("no clipboard") } })
	m.Shell.CopyAddress()
	if got := m.Shell.State().Toasts[0]; got.Tone != ToneDanger || !strings.Contains(got.Text(), "no clipboard") {
		t.Errorf("toast %+v", got)
	}
}

func TestTheInspectorFollowsTheFocusAndShowsItsTrouble(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	m.Images.SelectRepository("acme/checkout")
	m.Images.SetTab(TabConfig)
	m.Images.SetPlatform("linux/arm64")
	calls := f.Calls("Inspect")
	if got := calls[len(calls)-1].Request.(app.InspectRequest).Platform; got != "linux/arm64" {
		t.Errorf("asked for platform %q", got)
	}
	f.Fail("Inspect", errors.New("disk on fire"))
	m.Images.Focus("pr-317")
	i := m.Images.State().Repo.Inspector
	if i.Phase != PhaseFailed || !strings.Contains(i.Problem.Text, "disk on fire") || i.Tab != TabConfig || i.Tag != "pr-317" {
		t.Errorf("inspector %+v", i)
	}
	f.Fail("Inspect", nil)
	m.Images.Focus("pr-317")
	if got := m.Images.State().Repo.Inspector.Phase; got != PhaseReady {
		t.Errorf("a second look shows %s", got)
	}
}

func TestRetagAndPullAndImportReachTheService(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	m.Images.SelectRepository("acme/checkout")
	m.Images.Retag("bad tag")
	m.Images.Retag("stable")
	m.Images.PullToDocker()
	m.Images.Import("/tmp/x.tar")
	if n := len(f.Calls("Retag")); n != 1 {
		t.Errorf("tagged %d times, want once", n)
	}
	if !slices.Contains(tagNames(m.Images.State()), "stable") {
		t.Error("the new tag is not shown")
	}
	var busy int
	for _, toast := range m.Shell.State().Toasts {
		if toast.Progress >= 0 && toast.Action == "Cancel" {
			busy++
		}
	}
	if len(f.Calls("Pull")) != 1 || len(f.Calls("Import")) != 1 || busy != 2 {
		t.Errorf("%d pulls, %d imports, %d toasts with progress", len(f.Calls("Pull")), len(f.Calls("Import")), busy)
	}
}

func TestTheInspectorLooksAgainWhenImagesChangeAnywhere(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := inline(t, f)
	m.Images.SelectRepository("acme/checkout")
	for _, repository := range []string{"acme/checkout", "tools/migrate", ""} {
		before := len(f.Calls("Inspect"))
		m.Images.changed(repository)
		if got := len(f.Calls("Inspect")); got != before+1 {
			t.Errorf("after a change of %q the inspector asked %d times, want once", repository, got-before)
		}
		if got := m.Images.State().Repo.Inspector.Phase; got != PhaseReady {
			t.Errorf("after a change of %q the inspector is %s", repository, got)
		}
	}
}
