// Package transfer copies images and other artifacts between any two
// registries: a store, a remote, an archive. Import, export, mirror and pushing
// for an engine that cannot reach us are all this one function, [Copy].
//
// The order of writing is what makes a copy safe to interrupt: blobs, then
// manifests from the leaves up, then referrers, and at last the manifest that
// gets the tags. Until that, nobody who lists the destination sees anything.
// A copy that is done again skips what is there already.
//
// It may import registry, registry/driver (for its errors) and
// registry/manifest. Locks: one, around the state that Progress reports.
package transfer
