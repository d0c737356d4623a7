// Package journal is a write-ahead journal: a record is durable when Commit
// returns, one flush commits everybody who waits, and what was recorded but
// perhaps not carried out is handed back when it is opened again.
//
// It knows nothing of what a record means. The caller commits a record, then
// carries it out, then says so with Placed. When a segment is full, and some
// seconds after the last record, a checkpoint makes durable what was carried
// out, by the caller's Flush; a mark in the journal says up to where, and the
// segments behind it are used again.
//
// # Files
//
// A segment, NNNNNNNN.log, is a row of frames from its beginning on. A frame
// has a fixed head (see frame.go) with a checksum, its number in the row of all
// frames, the number up to which a checkpoint has been made, and the epoch: a
// random number that a segment gets each time it is begun, so that a frame of
// its earlier life is never taken for one of now. The file "placed" says up to
// where records were carried out; it is never synced, and holds only as long
// as the page cache does.
//
// # Locks
//
// Journal.lead is held by the one who writes for a group; then Journal.io, for
// the segments; then Journal.mu, for counters, never during a flush.
//
// Imports: the disk, the standard library.
package journal
