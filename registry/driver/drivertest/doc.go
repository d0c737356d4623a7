// Package drivertest is the suite that every storage driver passes: what the
// rooms above may rely on, said as tests.
//
// Imports: registry/driver. Imported by tests only.
package drivertest
