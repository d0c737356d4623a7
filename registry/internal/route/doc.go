// Package route reads the URLs of the registry protocol, and writes them.
//
// [Parse] is a pure function from a method and a URL to a [Request]; [Request]
// has the inverse. Both are fuzzed as a round trip. Names of repositories
// contain slashes, so a path is read from its right end. The endpoints are
// those of the OCI distribution specification 1.1, and of its main branch
// towards 1.2, with the extensions _catalog and _oci/ext/discover.
//
// Imports: the standard library, go-digest and the registry contract. No locks.
package route
