// Package registrytest holds the contract suite that every [registry.Registry]
// passes, and a fake for tests that need a registry and no disk.
//
// [Run] checks what the doc comments of package registry promise: each error
// sentinel, the order of every list, mounts, uploads that are closed and
// resumed, overwrites, deletes, referrers, sha512, and use by many goroutines.
// It is run over every stack: a store on memory and on files, a client over a
// server over a store, and the decorators. [RunRestarts] checks what a registry
// keeps when it is closed and opened again.
//
// Imports: the registry contract and registry/manifest. It is a test room: only
// tests import it. Lock: Fake.mu guards everything in a Fake.
package registrytest
