// Package driver is the contract of storage: a tree of small files and large
// blobs, addressed by slash-separated keys. A driver knows nothing of
// registries; the layout is registry/store's.
//
// The one promise everything above rests on: after a nil error, the effect
// survives the loss of power.
//
// Imports: the standard library only.
package driver
