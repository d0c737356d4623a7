// Package sqlite is the embedded index: one SQLite file, nothing to install.
//
// Writing is off everybody's critical path: Apply appends to a queue, one
// goroutine writes what has gathered in one transaction, and a read first waits
// until what was applied before it is written. What a crash loses of the queue
// is found again by reconciliation.
//
// Sizes are kept, not computed. Every object (manifest or blob) counts the tags
// that reach it and the repositories that hold it, so that what a tag would
// free is a sum over its own objects, and a total is one row.
//
// Imports: the standard library, the registry contract, registry/index, and
// modernc.org/sqlite. Locks: Index.mu guards the queue and is not held while
// anything is written; the database's one writing connection belongs to the
// writer goroutine.
package sqlite
