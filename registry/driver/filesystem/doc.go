// Package filesystem is the driver that keeps keys as files below a folder,
// byte for byte where CNCF distribution's driver keeps them.
//
// # How something is saved
//
// Put, Move, Delete and Apply go through a journal: the changes are recorded
// with one flush, which all who wait share, and then made in place without any.
// Put writes beside the key and renames. Folders are made from above (known.go).
// Deleting a folder renames it away first, so that it is gone at once. After a
// power cut the next Open makes again what is recorded (replay.go, outcome.go).
// A checkpoint in the background makes durable what is in place, and empties the
// journal.
//
// Append writes in place and past the journal: its bytes are durable after Sync
// or Close, which settle the names that lead to the file, too (settle.go). For a
// large file room is taken ahead; what is left of it is given back by Close.
//
// Temporary names begin with a mark that no key can have. A listing never
// shows them; a replay removes those of its records, and what is left
// otherwise goes when a listing meets it and it is old.
//
// # Order
//
// A change claims its keys before it is recorded and until it is in place; one
// that meets it waits. So the files hold what the journal would give.
//
// Imports: registry/driver, the rooms below internal, golang.org/x/sys. Locks:
// claims.mu, known.mu, births.mu (held for a mkdir) and volumes.mu; none is held
// for a flush, and none while another is taken.
package filesystem
