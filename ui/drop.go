//go:build !headless

package ui

import (
	"context"
	"net/url"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"

	"berth/ui/model"
)

// dropped imports every file and folder that is dropped on the window.
func (w *window) dropped(_ fyne.Position, uris []fyne.URI) {
	for _, u := range uris {
		if u.Scheme() == "file" {
			w.models.Images.Import(u.Path())
		}
	}
	w.models.Shell.Go(model.PageImages)
}

// chooseFile lets a person choose a file with the desktop's own dialog, where
// there is one, else with Fyne's. It runs off the goroutine of the window.
func (w *window) chooseFile(ctx context.Context) (string, error) {
	if uris, err := portalFile(); err == nil {
		if len(uris) == 0 {
			return "", nil
		}
		u, err := url.Parse(uris[0])
		if err != nil {
			return "", err
		}
		return u.Path, nil
	}
	chosen := make(chan string, 1)
	w.d.Do(func() {
		f := dialog.NewFileOpen(func(r fyne.URIReadCloser, _ error) {
			if r == nil {
				chosen <- ""
				return
			}
			path := r.URI().Path()
			_ = r.Close()
			chosen <- path
		}, w.win)
		f.SetTitleText("Import a tar")
		f.Show()
	})
	select {
	case path := <-chosen:
		return path, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
