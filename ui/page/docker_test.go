package page_test

import (
	"slices"
	"testing"

	"berth/app"
	"berth/app/apptest"
	"berth/ui/model"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

func TestOneClickPushesAnImageAndShowsItsLayers(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageDocker)
	press(t, c, "Push") // the last one: redis
	calls := w.fake.Calls("Push")
	if len(calls) != 1 || calls[0].Request.(app.PushRequest).As != "library/redis:7" {
		t.Fatalf("calls %+v", calls)
	}
	w.fake.Progress("job-1", func(j *app.Job) {
		j.Done, j.Rate = j.Total/2, 52e6
		j.Layers = []app.JobLayer{{ID: "5c90d7e1", State: "active", Done: 31e6, Total: 48e6}, {ID: "a2abf6c4", State: "exists", Done: 1, Total: 1}}
	})
	w.models.Refresh()
	w.refresh()
	for _, want := range []string{"50%", "5c90d7e1", "31 of 48 MB", "exists"} {
		if !has(c, want) {
			t.Errorf("it does not read %q: %q", want, texts(c))
		}
	}
	w.fake.Finish("job-1")
	w.models.Refresh()
	w.refresh()
	if has(c, "31 of 48 MB") || has(c, "50%") {
		t.Errorf("the row did not close: %q", texts(c))
	}
}

func TestAFailedPushSaysWhyBelowItsRow(t *testing.T) {
	w := newWindow(t, fullDisk())
	c := show(t, w, model.PageDocker)
	failPush(w)
	w.refresh()
	for _, want := range []string{"Failed", "Again", "Free some space, then push again:", "docker system prune"} {
		if !has(c, want) {
			t.Errorf("it does not read %q: %q", want, texts(c))
		}
	}
	press(t, c, "Again")
	if n := len(w.fake.Calls("Push")); n != 2 {
		t.Errorf("pushed %d times", n)
	}
}

func TestTheNameAnImageGetsIsEditedInItsRow(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageDocker)
	click(t, c, "acme/checkout:dev")
	w.refresh()
	test.Type(c.Focused(), "mine/web:1")
	w.refresh()
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	w.refresh()
	if as := w.models.Docker.State().Rows[0].As; as != "mine/web:1" {
		t.Errorf("the name is %q", as)
	}
	if !has(c, "mine/web:1") {
		t.Errorf("the page reads %q", texts(c))
	}
}

func TestCheckedImagesArePushedTogether(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageDocker)
	for _, name := range []string{"checkout:dev", "redis:7"} {
		at := where(t, c, name)
		test.TapCanvas(c, fyne.NewPos(230, at.Y))
		w.refresh()
	}
	press(t, c, w.models.Docker.State().PushChecked)
	if n := len(w.fake.Calls("Push")); n != 2 {
		t.Errorf("pushed %d times", n)
	}
}

func TestTheMenuOfALocalImagePushesIt(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageDocker)
	menu := second(t, c, "postgres:16")
	menu["Push"]()
	if n := len(w.fake.Calls("Push")); n != 1 {
		t.Errorf("pushed %d times", n)
	}
	second(t, c, "redis:7")["Copy name"]()
	if !slices.Contains(w.copied, "redis:7") {
		t.Errorf("copied %q", w.copied)
	}
}

func TestAMissingEngineIsExplained(t *testing.T) {
	f := noDocker()
	w := newWindow(t, f)
	c := show(t, w, model.PageDocker)
	if !has(c, "Docker does not let you in") || !has(c, "sudo usermod -aG docker $USER") {
		t.Fatalf("the page reads %q", texts(c))
	}
	healed := apptest.New()
	f.Change(func(d *apptest.Data) { healed.Change(func(h *apptest.Data) { d.Local = h.Local }) })
	press(t, c, "Try again")
	w.refresh()
	if !has(c, "checkout:dev") {
		t.Errorf("the page reads %q", texts(c))
	}
}

func TestProgressRedrawsOnlyItsRow(t *testing.T) {
	w := newWindow(t, pushing())
	c := show(t, w, model.PageDocker)
	before := texts(c)
	w.fake.Progress("job-pushing", func(j *app.Job) { j.Layers[2].Done = 40e6 })
	w.models.Refresh()
	w.refresh()
	var changed []string
	for i, s := range texts(c) {
		if i < len(before) && before[i] != s {
			changed = append(changed, s)
		}
	}
	if !slices.Equal(changed, []string{"40 of 48 MB"}) {
		t.Errorf("changed: %q", changed)
	}
}

func TestEscGivesTheOldNameBack(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageDocker)
	click(t, c, "acme/checkout:dev")
	w.refresh()
	test.Type(c.Focused(), "mine/web:1")
	w.refresh()
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	w.refresh()
	if as := w.models.Docker.State().Rows[0].As; as != "acme/checkout:dev" || !has(c, as) {
		t.Errorf("the name is %q", as)
	}
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyF9})
	if len(w.keys) != 1 {
		t.Errorf("the table has not got the keyboard back: %v", w.keys)
	}
}

func TestKeysOfTheTableDoNothingWhileANameIsEdited(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageDocker)
	click(t, c, "acme/checkout:dev")
	w.refresh()
	entry := c.Focused()
	entry.(fyne.Shortcutable).TypedShortcut(&fyne.ShortcutSelectAll{})
	for _, k := range []fyne.KeyName{fyne.KeyDelete, fyne.KeyDown, fyne.KeyReturn} {
		entry.TypedKey(&fyne.KeyEvent{Name: k})
	}
	w.refresh()
	if len(w.keys) != 0 || len(w.fake.Calls("Push")) != 0 || w.models.Docker.State().Checked != 0 {
		t.Errorf("keys %v, %d checked", w.keys, w.models.Docker.State().Checked)
	}
}

func TestAClickAnywhereInACellEditsTheName(t *testing.T) {
	w := newWindow(t, sample())
	c := show(t, w, model.PageDocker)
	test.TapCanvas(c, where(t, c, "acme/checkout:dev").AddXY(0, -13))
	w.refresh()
	test.Type(c.Focused(), "mine/web:1")
	w.refresh()
	if as := w.models.Docker.State().Rows[0].As; as != "mine/web:1" {
		t.Errorf("the name is %q", as)
	}
}
