// Package picky is a driver for tests that treats names as the file systems of
// Windows and macOS do: names that differ by case are one and keep the spelling
// they were made with; device names and some characters are refused; dots and
// spaces at the end are dropped; long names are refused.
//
// Imports: registry/driver. Lock: Driver.mu, held while a spelling is looked
// up and for everything that changes names.
package picky
