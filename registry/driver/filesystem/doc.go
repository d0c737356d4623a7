// Package filesystem is the driver that keeps keys as files below a folder,
// byte for byte where CNCF distribution's driver keeps them.
//
// # How something is saved
//
// Put writes a temporary file in the folder of the key, syncs and closes it,
// renames it over the key, and syncs the folder; folders that it had to make
// are synced in their parents, up the chain. Move renames and syncs both
// folders. Append writes in place: its bytes are durable after Sync or Close.
// Deleting a folder renames it away first, so that it is gone at once.
//
// Temporary names begin with a mark that no key can have. A listing never
// shows them; what an accident left behind is removed when a listing meets it
// and it is old.
//
// # Where durability is
//
// An operation first takes effect, then calls [Driver.settle] with the folders
// that it changed, and settle returns when the effect is on the disk. A
// journal that commits several operations with one flush replaces settle, and
// nothing else.
//
// Imports: registry/driver, golang.org/x/sys. Locks: births.mu, held for a
// mkdir and never for a flush.
package filesystem
