// Package gc finds what nothing needs any more in a store that goes on being
// used, and frees it.
//
// [NewPlan] only reads: from each repository it marks what can be reached from
// a tag, from the trash, from what is young, and, unless the options say
// otherwise, from any manifest; down to the children of an index and to blobs,
// and up to what refers to what is marked. What is left is the [Plan], which
// can be shown. [Plan.Execute] carries it out once, in small batches, while
// pushes and pulls go on; docs/gc.md says why nothing that can be reached is
// ever taken.
//
// Nothing is removed on doubt. A repository of which something cannot be read
// is left alone, and is named in [Plan.Problems]; the rest goes on.
//
// Imports: the contract, the manifest parser, and the rows of an index. It
// never sees a store, a driver or a file.
//
// Locks: none. A plan belongs to whoever made it; what runs at the same time
// is kept apart by registry.Census.
package gc
