//go:build !headless && (windows || darwin)

package ui

import (
	"errors"

	"fyne.io/fyne/v2"

	"berth/ui/model"
)

// notifier shows desktop notifications through Fyne, which a process without a
// window has not.
type notifier struct{}

func (*notifier) notify(m model.Notification) error {
	a := fyne.CurrentApp()
	if a == nil {
		return errors.New("notifications need the window's process")
	}
	a.SendNotification(fyne.NewNotification(m.Title, m.Text))
	return nil
}

func (*notifier) close() {}
