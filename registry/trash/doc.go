// Package trash makes deletes and overwrites reversible. [Wrap] gives a registry
// that writes a record before a tag or a manifest goes; [Registry.Restore] puts
// it back. A record holds names, never bytes: nothing is copied or moved, and
// what a record names is a root of the garbage collection, so its bytes stay
// until the record is purged.
//
// Records are files berth/trash/<id>.json beside the layout of the store. Each
// is written once and durable before the link goes: a crash may leave a record
// of something that is still there, and restoring that does nothing, but never
// takes something away without a record.
//
// Locks: Registry.repos, by repository: a manifest is deleted alone, tags change
// beside each other; then Registry.tags, by repository and tag, so that what a
// record says is what the tag named when it changed. Both are striped. Then
// Bin.mu, which guards what is remembered of the files and is never held while
// one is written.
//
// Imports: the contract, driver, uuid. Never the store.
package trash
