//go:build !linux

package app

import "runtime/debug"

// GiveBack gives memory back that only the start needed.
func GiveBack() error {
	debug.FreeOSMemory()
	return nil
}
