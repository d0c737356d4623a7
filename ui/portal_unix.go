//go:build !headless && !windows && !darwin

package ui

import "github.com/rymdport/portal/filechooser"

// portalFile asks the desktop for a file. An error means it has no such dialog.
func portalFile() ([]string, error) {
	return filechooser.OpenFile("", "Import a tar", &filechooser.OpenFileOptions{AcceptLabel: "Import"})
}
