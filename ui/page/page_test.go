package page_test

import (
	"image"
	"testing"
	"time"

	"berth/app/apptest"
	"berth/ui/model"
	"berth/ui/page"
	"berth/ui/theme"
	"berth/ui/uitest"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
)

// The sizes a window is looked at in.
var (
	small = fyne.NewSize(760, 480)
	usual = fyne.NewSize(1120, 720)
	large = fyne.NewSize(1920, 1080)
)

// window is frame and pages over a fake service. Its models run in place: what
// was asked for is done when the call returns.
type window struct {
	fake   *apptest.Fake
	models *model.Models
	frame  *page.Frame
	images *page.Images
	docker *page.Docker
	clean  *page.Cleanup
	copied []string
	keys   []fyne.KeyName
}

func newWindow(t *testing.T, fake *apptest.Fake) *window {
	t.Helper()
	return newWindowOn(t, fake, func(f func()) { f() })
}

// newWindowOn is newWindow with models that run what they are asked for in their
// own way; nil means beside the caller.
func newWindowOn(t *testing.T, fake *apptest.Fake, spawn func(func())) *window {
	t.Helper()
	w := &window{fake: fake}
	w.models = model.New(model.Options{
		Service: fake, User: "ada", Now: func() time.Time { return apptest.Now }, Spawn: spawn,
		Copy: func(s string) error { w.copied = append(w.copied, s); return nil },
	})
	t.Cleanup(w.models.Close)
	return w
}

// open makes the widgets, in the current app.
func (w *window) open(p model.Page) fyne.CanvasObject {
	o := page.Options{Key: func(k fyne.KeyName) bool { w.keys = append(w.keys, k); return true }}
	w.models.Shell.Go(p)
	w.frame = page.NewFrame(w.models.Shell)
	w.images = page.NewImages(w.models.Images, o)
	w.docker = page.NewDocker(w.models.Docker, o)
	w.clean = page.NewCleanup(page.CleanupModels{Head: w.models.Cleanup, Trash: w.models.Trash, Rules: w.models.Rules, Verify: w.models.Verify}, o)
	switch p {
	case model.PageDocker:
		w.frame.SetPage(w.docker.Object())
	case model.PageCleanup:
		w.frame.SetPage(w.clean.Object())
	default:
		w.frame.SetPage(w.images.Object())
	}
	return w.frame.Object()
}

// refresh shows what the models know now.
func (w *window) refresh() {
	w.frame.Refresh()
	w.images.Refresh()
	w.docker.Refresh()
	w.clean.Refresh()
}

// canvas opens a page on a canvas without a window.
func (w *window) canvas(p model.Page, size fyne.Size, v theme.Variant) software.WindowlessCanvas {
	uitest.App(v)
	return uitest.Canvas(w.open(p), size)
}

func (w *window) draw(p model.Page, size fyne.Size, v theme.Variant) image.Image {
	return uitest.Capture(w.canvas(p, size, v), v)
}
