package page_test

import (
	"slices"
	"strings"
	"testing"

	"berth/app"
	"berth/app/apptest"
	"berth/ui/model"
	"berth/ui/page"
	"berth/ui/theme"
	"berth/ui/uitest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

func TestAClickOnARepositoryShowsItsTags(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageImages)
	click(t, c, "payments")
	w.refresh()
	if !has(c, "acme/payments") || !has(c, "v1.22.0") || has(c, "pr-318") {
		t.Errorf("the page reads %q", texts(c))
	}
}

func TestAClickOnATagInspectsIt(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageImages)
	click(t, c, "pr-318")
	w.refresh()
	if !has(c, "docker pull localhost:5000/acme/checkout:pr-318") || !has(c, "COPY app /usr/local/bin/app") {
		t.Errorf("the page reads %q", texts(c))
	}
	click(t, c, "Config")
	w.refresh()
	if !has(c, "Command") {
		t.Error("the tab Config does not show the command")
	}
}

func TestTypingInTheFilterNarrowsTheList(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageImages)
	w.images.FocusFilter()
	test.Type(c.Focused(), "front")
	w.refresh()
	if !has(c, "frontend") || has(c, "payments") {
		t.Errorf("the page reads %q", texts(c))
	}
	test.Type(c.Focused(), "zz")
	w.refresh()
	if !has(c, "Nothing matches") || !has(c, "No repository is called «frontzz».") {
		t.Errorf("the page reads %q", texts(c))
	}
}

func TestDeletingWhatIsCheckedOffersUndo(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageImages)
	at := where(t, c, "pr-318")
	test.TapCanvas(c, fyne.NewPos(at.X-40, at.Y))
	w.refresh()
	if !has(c, "1 selected") {
		t.Fatalf("the page reads %q", texts(c))
	}
	press(t, c, "Delete")
	w.models.Refresh()
	w.refresh()
	if has(c, "pr-318") || len(w.fake.Calls("Delete")) != 1 {
		t.Fatalf("it was not deleted: %q", texts(c))
	}
	press(t, c, "Undo")
	w.models.Refresh()
	w.refresh()
	if !has(c, "pr-318") || len(w.fake.Calls("Restore")) != 1 {
		t.Errorf("it did not come back: %q", texts(c))
	}
}

func TestTheMenuOfATagCopiesRetagsAndDeletes(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageImages)
	menu := second(t, c, "pr-317")
	menu["Copy pull command"]()
	if !slices.Contains(w.copied, "docker pull localhost:5000/acme/checkout:pr-317") {
		t.Errorf("copied %q", w.copied)
	}
	second(t, c, "pr-317")["Delete pr-317"]()
	calls := w.fake.Calls("Delete")
	if len(calls) != 1 || !slices.Equal(calls[0].Request.(app.DeleteRequest).Tags, []string{"pr-317"}) {
		t.Errorf("calls %+v", calls)
	}
	second(t, c, "pr-311")["Retag…"]()
	w.refresh()
	entry := c.Focused()
	test.Type(entry, "bad tag")
	press(t, c, "Retag")
	if n := len(w.fake.Calls("Retag")); n != 0 {
		t.Fatal("a bad tag was sent")
	}
	for range "bad tag" {
		entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
	}
	test.Type(entry, "stable")
	entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	retags := w.fake.Calls("Retag")
	if len(retags) != 1 || retags[0].Request.(app.RetagRequest).To != "stable" || retags[0].Request.(app.RetagRequest).From != "pr-311" {
		t.Errorf("calls %+v", retags)
	}
}

func TestTheMenuOfARepositoryDeletesIt(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageImages)
	second(t, c, "embedder")["Delete repository"]()
	w.models.Refresh()
	w.refresh()
	if has(c, "embedder") {
		t.Error("it is still there")
	}
}

func TestKeysThatNoWidgetUsesReachTheWindow(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageImages)
	w.images.Enter()
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	if !slices.Equal(w.keys, []fyne.KeyName{fyne.KeyDelete}) {
		t.Errorf("the window heard %v", w.keys)
	}
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	if f := w.models.Images.State().Repo.Focus; f != 1 {
		t.Errorf("the focus is on row %d", f)
	}
}

func TestDeleteOverTheListOfRepositoriesDeletesNoTag(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageImages)
	click(t, c, "frontend")
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	if len(w.keys) != 0 {
		t.Errorf("the window heard %v", w.keys)
	}
}

func TestANewTagAppearsWithoutMovingWhatOneLooksAt(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageImages)
	click(t, c, "pr-311")
	w.refresh()
	w.fake.Change(func(d *apptest.Data) {
		r := &d.Repositories[0]
		fresh := r.Rows[0]
		fresh.Name, fresh.Pushed = "v2.5.0", apptest.Now
		r.Rows = append([]app.Tag{fresh}, r.Rows...)
	})
	w.models.Refresh()
	w.refresh()
	st := w.models.Images.State()
	if !has(c, "v2.5.0") || st.Repo.Tags[st.Repo.Focus].Name != "pr-311" || !has(c, "docker pull localhost:5000/acme/checkout:pr-311") {
		t.Errorf("focus %d, the page reads %q", st.Repo.Focus, texts(c))
	}
}

func TestTheFirstRunLeadsToTheDockerPage(t *testing.T) {
	w := newWindow(t, empty())
	c := show(t, w, model.PageImages)
	if !has(c, "Your registry is running") || !has(c, "docker push localhost:5000/my-app") {
		t.Errorf("the page reads %q", texts(c))
	}
	press(t, c, w.models.Images.State().FirstRun.Choose)
	if p := w.models.Shell.State().Page; p != model.PageDocker {
		t.Errorf("the page is %s", p)
	}
}

func TestWhatIsWrongIsSaidWithItsFix(t *testing.T) {
	f := sample()
	f.Fail("Snapshot", &app.Problem{Code: "gone", Title: "Berth does not answer", Text: "Its process has ended.", Fix: "Start it again:", Command: "berth"})
	w := newWindow(t, f)
	c := show(t, w, model.PageImages)
	for _, want := range []string{"Berth does not answer", "Its process has ended.", "Start it again:", "berth"} {
		if !has(c, want) {
			t.Errorf("it does not say %q: %q", want, texts(c))
		}
	}
	f.Fail("Snapshot", nil)
	press(t, c, "Try again")
	w.refresh()
	if !has(c, "checkout") {
		t.Error("Try again did not help")
	}
}

func TestTheFrameNavigatesAndShrinksToIcons(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageImages)
	click(t, c, "Docker")
	if p := w.models.Shell.State().Page; p != model.PageDocker {
		t.Errorf("the page is %s", p)
	}
	w.frame.Object().Resize(small)
	if has(c, "Docker") || has(c, "localhost:5000") {
		t.Errorf("a narrow window still reads %q", texts(c))
	}
}

func TestAProblemOfTheProgramStaysAboveThePageUntilItIsHidden(t *testing.T) {
	w := newWindow(t, fullDisk())
	c := show(t, w, model.PageImages)
	if !has(c, "The disk is nearly full") {
		t.Fatalf("the page reads %q", texts(c))
	}
	w.models.Shell.DismissProblem("disk_full")
	w.refresh()
	if has(c, "The disk is nearly full") {
		t.Error("it was hidden and still stands there")
	}
}

func TestALongListOfRepositoriesMakesOnlyTheRowsOneSees(t *testing.T) {
	f := sample()
	f.Change(func(d *apptest.Data) {
		one := d.Repositories[7]
		for i := range 3000 {
			r := one
			r.Name = "bulk/" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + "-" + model.Count(i, "n")
			d.Repositories = append(d.Repositories, r)
		}
	})
	w := newWindow(t, f)
	c := show(t, w, model.PageImages)
	if n := len(texts(c)); n > 400 {
		t.Errorf("%d texts are alive", n)
	}
}

func BenchmarkImagesRefresh(b *testing.B) {
	uitest.App(theme.Dark)
	m := model.New(model.Options{Service: sample(), Spawn: func(f func()) { f() }})
	defer m.Close()
	m.Refresh()
	p := page.NewImages(m.Images, page.Options{})
	win := test.NewWindow(p.Object())
	defer win.Close()
	win.Resize(usual)
	for b.Loop() {
		p.Refresh()
	}
}
