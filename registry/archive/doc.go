// Package archive reads image archives as a read-only registry: a folder or a
// tar in the OCI image layout, and what docker save writes, also when the
// whole is compressed with gzip or zstd.
//
// Nothing is ever unpacked: an archive is indexed, and its members are read in
// place, so that a name such as ../../etc/passwd or a link leads nowhere. What
// an archive claims to be is not believed either: members are found by digest,
// and whoever copies them out verifies them.
//
// Where an OCI index is present, manifests and blobs are given byte for byte.
// The older form of docker save has no manifest, and layers without
// compression. The manifest made for it is an OCI image manifest over exactly
// those bytes: layers stay plain tars (application/vnd.oci.image.layer.v1.tar,
// which every client must accept), so that the digest of a layer is its diff
// id, the digest of the config is the engine's image id, and the same image
// gives the same manifest each time, on every machine. Compressing here would
// save room, but cost most of the time of an import, and would tie digests to
// the version of a compressor. Newer engines write the same manifest
// themselves.
//
// It may import registry, registry/manifest, distribution/reference and
// klauspost/compress. It holds no locks: an archive does not change once open.
package archive
