// Package pin remembers which tags a person wants to keep whatever the rules of
// a clean-up say. A [Pin] is of a tag, and holds the manifest that the tag named
// when it was pinned: that manifest is a root of the garbage collection, and
// stays although the tag is moved or deleted. Pinning a tag that has moved since
// holds both manifests; taking the pin away lets go of all that it held.
//
// Each pin is a file berth/pins/<repository>/<tag>-<id>.json beside the layout
// of the store, where the folder is a hash of the name of the repository, and the
// id one of tag and digest. It is written whole and durable before Add answers.
// A file that cannot be understood may hold any manifest: it is an UnreadRoot, for
// which a clean-up frees nothing, until it is brought back, written anew by
// pinning the tag while it names the same manifest, or removed, by hand or by
// unpinning the tag. All that is noticed while Berth runs.
//
// Locks: Pins.writing, one change at a time, then Pins.mu, which guards what is
// remembered and is never held while the storage is asked.
//
// Imports: the contract, driver. Never the store.
package pin
