// Package trash makes deletes and overwrites reversible. [Wrap] gives a registry
// that writes a record before a tag, a manifest or a repository goes;
// [Registry.Restore] and [Registry.RestoreRepository] put it back. A record
// holds names, never bytes: nothing is copied or moved, and what a record names
// is a root of the garbage collection, so its bytes stay until the record is
// purged.
//
// Records are files berth/trash/<id>.json beside the layout of the store. That
// of a repository has its contents in files <id>.<n>.part, written before it:
// parts without a record are what a crash left, and [Bin.Purge] removes them.
// Each file is written once and durable before the link goes: a crash may leave
// a record of something that is still there, and restoring that does nothing,
// but never takes something away without a record.
//
// Locks: Registry.acts, by entry: a repository is restored by one at a time;
// then Registry.repos, by repository: a manifest or the whole is deleted alone,
// tags change beside each other; then Registry.tags, by repository and tag, so
// that what a record says is what the tag named when it changed. All are
// striped. Then drops.mu, which guards who goes with whom and is never held while
// something goes; then table.reading, by the one who reads the folder, and table.mu,
// which guards what is remembered of the files and is never held while one is
// read or written. Who restores an entry holds it, without a lock, so that it is
// not let go of meanwhile: until all is linked, only the entry keeps the bytes.
//
// Imports: the contract, driver, uuid. Never the store.
package trash
