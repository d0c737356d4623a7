package page_test

import (
	"testing"

	"berth/app"
	"berth/app/apptest"
	"berth/ui/model"
	"berth/ui/uitest"
	"berth/ui/widget"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// clean opens the page Clean up, which draws after every change.
func clean(t *testing.T, f *apptest.Fake) (*window, fyne.Canvas) {
	t.Helper()
	w := newWindow(t, f)
	c := show(t, w, model.PageCleanup)
	for _, subscribe := range []func(func()) func(){
		w.models.Cleanup.Subscribe, w.models.Trash.Subscribe, w.models.Rules.Subscribe, w.models.Verify.Subscribe, w.models.Shell.Subscribe,
	} {
		subscribe(func() { w.clean.Refresh(); w.frame.Refresh() })
	}
	w.refresh()
	return w, c
}

func TestFreeIsTwoPressesAndTheReceiptStands(t *testing.T) {
	w, c := clean(t, full())
	press(t, c, "Free 1.1 GB")
	if !has(c, "1.1 GB can go") || !has(c, "Layers that no image needs") || len(w.fake.Calls("RunCleanup")) != 0 {
		t.Fatalf("no plan: %q", texts(c))
	}
	press(t, c, "Free 1.1 GB")
	if !has(c, "Freeing space") {
		t.Fatalf("nothing runs: %q", texts(c))
	}
	w.fake.Finish("job-1")
	w.models.Refresh()
	if !has(c, "Freed 1.1 GB") || !has(c, "Nothing to free") {
		t.Errorf("no receipt: %q", texts(c))
	}
}

func TestAPlanCanBePutAway(t *testing.T) {
	w, c := clean(t, full())
	press(t, c, "Free 1.1 GB")
	press(t, c, "Cancel")
	if has(c, "1.1 GB can go") || w.models.Cleanup.State().Stage != model.StageIdle {
		t.Errorf("%q", texts(c))
	}
}

func TestTheTrashIsWorkedWithTheKeyboard(t *testing.T) {
	w, c := clean(t, full())
	var list *widget.TrashList
	uitest.Walk(c.Content(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		if l, ok := o.(*widget.TrashList); ok {
			list = l
		}
	})
	c.Focus(list)
	for _, k := range []fyne.KeyName{fyne.KeySpace, fyne.KeyDown, fyne.KeyDown, fyne.KeySpace} {
		list.TypedKey(&fyne.KeyEvent{Name: k})
	}
	if !has(c, "2 selected") {
		t.Fatalf("%q", texts(c))
	}
	list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDelete})
	if c.Overlays().Top() == nil || !has(c, "Delete 2 entries for good?") {
		t.Fatal("it does not ask")
	}
	press(t, c, "Cancel")
	if c.Overlays().Top() != nil || len(w.models.Trash.State().Rows) != 5 {
		t.Fatal("Cancel is no answer")
	}
	list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEnd})
	list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if len(w.models.Trash.State().Rows) != 4 || !has(c, "acme/legacy") {
		t.Errorf("%q", texts(c))
	}
}

func TestEmptyTrashAsksBeforeItActs(t *testing.T) {
	w, c := clean(t, full())
	press(t, c, "Empty trash…")
	if len(w.models.Trash.State().Rows) != 5 {
		t.Fatal("it did not ask")
	}
	press(t, c, "Empty trash")
	if !has(c, "The trash is empty") || c.Overlays().Top() != nil {
		t.Errorf("%q", texts(c))
	}
}

func TestARuleIsSwitchedEditedAndDeleted(t *testing.T) {
	w, c := clean(t, full())
	var first *widget.Switch
	uitest.Walk(c.Content(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		if s, ok := o.(*widget.Switch); ok && first == nil {
			first = s
		}
	})
	test.Tap(first)
	if first.On() || !has(c, "6 tags") {
		t.Fatal("the switch did nothing")
	}
	click(t, c, "newest 5, or younger than 7 days")
	if !has(c, "Edit the rule") || !has(c, "Of the tags pr-* in acme/*, keeps the newest 5 and what is younger than 7 days; the others go to the trash") {
		t.Fatalf("%q", texts(c))
	}
	press(t, c, "Delete rule")
	if len(w.models.Rules.State().Rows) != 2 || !has(c, "Undo") && !hasButton(c, "Undo") {
		t.Errorf("%q", texts(c))
	}
}

func hasButton(c fyne.Canvas, label string) bool {
	found := false
	uitest.Walk(c.Content(), fyne.Position{}, func(o fyne.CanvasObject, _ fyne.Position) {
		if b, ok := o.(*widget.Button); ok && b.Label() == label {
			found = true
		}
	})
	return found
}

func TestLockedRulesTakeNoChange(t *testing.T) {
	w, c := clean(t, crowded())
	if !has(c, "set by REGISTRY_BERTH_CLEANUP_RULES") || hasButton(c, "Add rule") {
		t.Fatalf("%q", texts(c))
	}
	click(t, c, "newest 5, or younger than 7 days")
	if has(c, "Edit the rule") || len(w.fake.Calls("SetRules")) != 0 {
		t.Error("it can be changed")
	}
}

func TestAFindingIsMendedFromItsRow(t *testing.T) {
	w, c := clean(t, damaged())
	press(t, c, "Repair from Docker")
	r := w.fake.Calls("Repair")[0].Request.(app.RepairRequest)
	if len(r.Findings) != 1 || r.Findings[0] != "f1" || r.Fix != app.FixRefetch {
		t.Errorf("%+v", r)
	}
	w.fake.Finish("job-1")
	w.models.Refresh()
	if !has(c, "All 1,214 blobs verified") {
		t.Errorf("%q", texts(c))
	}
}

func TestTheFootOfTheNavigationLeadsToCleanUp(t *testing.T) {
	w := newWindow(t, full())
	c := show(t, w, model.PageImages)
	click(t, c, "1.1 GB to free")
	if w.models.Shell.State().Page != model.PageCleanup {
		t.Errorf("shows %s", w.models.Shell.State().Page)
	}
}
