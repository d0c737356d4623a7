//go:build !headless

package ui

import (
	"fyne.io/fyne/v2"

	"berth/ui/model"
	"berth/ui/page"
)

// view is a page as the window needs it. Its methods are called on the goroutine
// of the window.
type view interface {
	// Object is what is drawn; always the same.
	Object() fyne.CanvasObject
	// Refresh shows the state of now.
	Refresh()
	// Enter puts the keyboard where it belongs when the page is shown.
	Enter()
	// FocusFilter puts the keyboard into the filter.
	FocusFilter()
}

// newViews makes the pages that exist, one for each line of the navigation.
func newViews(m *model.Models, o page.Options) map[model.Page]view {
	return map[model.Page]view{
		model.PageImages:  page.NewImages(m.Images, o),
		model.PageDocker:  page.NewDocker(m.Docker, o),
		model.PageCleanup: page.NewCleanup(page.CleanupModels{Head: m.Cleanup, Trash: m.Trash, Rules: m.Rules, Verify: m.Verify}, o),
	}
}
