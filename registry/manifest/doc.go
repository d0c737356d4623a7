// Package manifest reads manifests: from their bytes to media type, children,
// blobs, subject and platforms, and from a config blob to a summary.
//
// Everything here is a pure function of its input, and is fuzzed: any bytes
// give a value or an error, never a panic. No media type is kept on disk, so
// what [Parse] infers is what a registry answers with; it infers exactly as
// CNCF distribution does, so that either can serve what the other stored.
//
// Imports: the standard library, image-spec and the registry contract.
package manifest
