// Package dockertest has container engines for tests: a fake that keeps names
// of images as Docker does and answers with streams recorded from a real
// engine, and, through Real, a real one.
//
// The streams under streams/ were recorded from Docker Engine 20.10: a push of
// two layers, the same again, into another repository, and a pull.
//
// Only tests import it. It imports the standard library.
// Locks: a Daemon's mutex guards its images and what it was asked.
package dockertest
