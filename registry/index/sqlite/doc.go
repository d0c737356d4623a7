// Package sqlite is the embedded index: one SQLite file, nothing to install.
//
// Writing is off everybody's critical path. Apply appends to a queue and to a
// view of it in memory; one goroutine writes what has gathered, many changes in
// one transaction. Lists of names merge that view with the database, so they
// see what was applied before without waiting for anything. Rows with figures
// (tags, repositories, totals) wait until the queue is written.
//
// Sizes are kept, not computed. Every object (manifest or blob) counts the tags
// that reach it and the repositories that hold it, so that what a tag would
// free is a sum over its own objects, and a total is one row. The writer counts
// in memory and writes a row once a batch, whatever happened to it.
//
// What is asked of many objects at once, such as what thousands of tags free
// together, or what rules judge, is answered from a graph in memory that is
// loaded in two scans, kept for some minutes, and told by the writer what it
// has written.
//
// What harms the file costs no image and no answer: one that is deleted,
// damaged or of another version is made anew, where none can be made the index
// is in memory, while the disk is full the queue keeps what is new. What was
// lost is known (Lost), and so is a file that was not closed: its last changes
// may be missing.
//
// Imports: the standard library, the registry contract, registry/index, and
// modernc.org/sqlite. Locks: Index.mu guards the queue and its view and is not
// held while anything is written; graphs.mu guards the graph and is held before
// Index.mu, graphs.told what the writer tells of it, for moments; the writing
// connection belongs to the writer goroutine.
package sqlite
