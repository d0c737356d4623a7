// Package registry is the contract of a container registry: the interfaces
// that every store, remote, proxy, archive and guard in Berth implements, the
// errors they return, and the grammar of the names they take.
//
// A registry is one Go interface, [Registry]; the product is a stack of them.
// Nothing here touches a disk or a network. The package may import the standard
// library, go-digest and image-spec only; everything else in this tree may
// import it.
//
// The words are those of the OCI distribution specification: a repository
// holds manifests and blobs; a tag names a manifest; a manifest with a subject
// is a referrer of that subject.
package registry
