// Package client is a [registry.Registry] over HTTP: any registry that speaks
// the OCI distribution specification, seen through Berth's own contract. Errors
// come back as the codes that the other side sent.
//
// Requests are built by registry/internal/route and sent with net/http through
// the auth client of oras-go, which answers challenges and keeps tokens. The
// rest of oras-go is not used: its pushes know size and digest beforehand and
// cannot be resumed, and the contract's uploads can.
//
// Imports: the registry contract, registry/internal/route, net/http, oras-go's
// auth. Locks: client.mu guards the set of uploads that somebody holds.
package client
