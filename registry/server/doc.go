// Package server is the registry protocol over HTTP: everything below /v2/.
//
// [New] puts a handler in front of any [registry.Registry]. A request is read
// by registry/internal/route, looked up in one table by its kind, and answered
// by a handler that returns an error; one place writes errors, one map says
// which status a code has. Statuses and headers are those of the OCI
// distribution specification and of CNCF distribution 3; where the two
// disagree, the specification's main branch is followed.
//
// What is not /v2/ (listeners, access log, health, CORS) is registry/httpd.
//
// Imports: the registry contract, registry/internal/route, the error values of
// registry/driver, net/http. Locks: none; the only shared state is immutable
// after New, or pooled.
package server
