// Package store is the registry on a driver: the truth, in the classic
// docker/registry/v2 layout, so that CNCF distribution can serve our folder and
// we can serve its. [Open] gives a [Store], which is a registry.Registry, a
// registry.Keeper, and reconciles the index with the disk.
//
// # The life of a blob
//
// An upload hashes in the same pass in which it takes its bytes: into memory as
// long as they are few, and into _uploads/<id>/data when they become many, or
// when the request that brought them ends before the upload does. Commit
// compares the digest, and then makes with one flush what a blob consists of:
// the file at its key under blobs/, put there or moved, and the link by which
// the repository has it. From here on it can be read. A manifest that is pushed
// next must find everything it refers to linked; then its bytes, its revision
// link and its tags are written, in this order and with one flush. Deleting
// goes the other way and only ever removes links. What a crash leaves of such a
// batch is its beginning (see driver.Batcher): so there are things that nothing
// refers to, never a reference to nothing. Bytes are freed by Sweep alone.
//
// # Who waits for whom
//
//   - locks, by repository: what changes links holds it shared; deleting a
//     manifest or a blob, which must see a closed picture, holds it alone.
//   - tags, by repository and tag: one writer at a time.
//   - gate: whoever makes or promises a reference is inside it, shared. A census
//     begins alone in it, and single things are removed alone in it. The removals
//     of a census do without: whoever is in the gate notes what he refers to, or
//     takes a lease, before he looks whether it is there, and a removal takes the
//     flights of what goes before it looks at leases, and with the notes under
//     their lock; see docs/gc.md.
//   - flights, by key: who writes a blob or a link to one holds it alone until
//     that is durable, so that nobody takes what can be seen for what will stay.
//     Of several, that of the blob is taken first.
//   - sessions.mu: the set of uploads in memory. An upload itself belongs to
//     its one holder.
//
// They are taken in this order; the mutexes of censuses, leases, cache
// and the set of known repositories are leaves, but that a census tries
// flights. Nobody holds any of them while a client's body is read.
//
// # What is kept in memory
//
// Manifests and small blobs by digest, what tags name, pages of lists: bounded,
// and never believed for their own sake. Each read asks the disk, with a stat,
// whether the revision, the link of the tag or the file of the blob is still
// the file that was read, so that what another program changes counts at once.
// Pages of lists are those of the index, until it is told of a change; a stat
// of the folder of the tags says whether another program was at it.
//
// The index is written after the disk and never decides anything but the order
// of a list; when it fails or is behind, lists come from the disk.
//
// Imports: the contract, driver, index, manifest, go-digest, uuid. Never os and
// never net/http: a driver is all it writes to.
package store
