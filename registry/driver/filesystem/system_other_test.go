//go:build !linux

package filesystem

// systemErrors are tested where the suite runs; elsewhere the table is empty.
var systemErrors []struct{ system, want error }
