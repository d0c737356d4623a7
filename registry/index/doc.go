// Package index is the contract of the index: what is where. Catalog, tag
// lists, referrers, sizes, dates and counts are answered from it, so that no
// request ever walks the store.
//
// The index is derived. The disk is the truth: an index that is deleted,
// damaged or behind loses no image, and never decides that bytes are garbage.
// The store writes it as it changes the disk, and reconciles it in the
// background; [Index.Complete] says whether it may be believed yet.
//
// Imports: the standard library and the registry contract.
package index
