// Package verify looks whether a store still holds what it was given. [Run]
// reads every blob again, at a polite rate, and then every link: whether it
// leads somewhere, whether each manifest has its config, layers and children,
// and whether each tag names something.
//
// It runs beside pushes, deletes and clean-ups. Whatever looks wrong is looked
// at again a moment later, from the link on, and told only when it is still
// wrong and still linked. Nothing is deleted: a damaged blob is moved into the
// quarantine, where it counts as missing, so that the next push brings it back;
// [Repair] fetches it from elsewhere. Mending a tag that names nothing goes
// through the Registry that is given, and so through its trash.
//
// It can be stopped at any time: the [Checkpoint] of the last report says where
// to go on, also in another process.
//
// Imports: the contract, manifest. Never the store. One goroutine, no locks.
package verify
