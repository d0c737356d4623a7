// Package disk is the little of the operating system that the filesystem
// driver writes with, behind an interface: the real one, and in tests one that
// loses power at any step.
//
// What the driver relies on, and a file system with a journal of its own
// gives: a rename takes place whole or not at all, also across a power cut;
// and what was written and synced stays, whatever else is in the same file.
//
// Imports: the standard library, golang.org/x/sys. No locks.
package disk
