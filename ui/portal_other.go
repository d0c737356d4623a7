//go:build !headless && (windows || darwin)

package ui

import "errors"

// portalFile answers that there is none on this system.
func portalFile() ([]string, error) { return nil, errors.ErrUnsupported }
