// Package drivers is the table of storage drivers: the one place that knows
// them all. Adding a driver is one package and one line here.
//
// Imports: every driver, and a YAML decoder for their options. No locks.
package drivers
