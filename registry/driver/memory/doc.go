// Package memory is a driver that keeps everything in memory: for tests, and
// for a registry that is to forget.
//
// It knows what a loss of power would leave: bytes that were written and not
// yet synced are told apart, and [Driver.Crash] drops them. Together with
// registry/driver/faulty it plays every accident that a disk can have.
//
// Imports: registry/driver. Lock: Driver.mu guards the tree and every file in
// it; it is never held while a caller's code runs.
package memory
