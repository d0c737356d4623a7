// Package httpd is everything HTTP that is not /v2: listeners, TLS, limits,
// CORS, access log, recovery, health, and the check that keeps web pages away
// from a registry on localhost.
//
// [NewDebug] is the second server, for operators: [Checks] that take the
// registry out of service, profiles, metrics. [OpenTLS] follows the files of
// certificates. [ListenUnix] listens at a socket.
//
// [Listen] opens both loopback addresses on one port. [New] wraps the handler
// of registry/server in a chain and serves it; [Server.Shutdown] lets running
// uploads end. The chain never hides io.ReaderFrom of a ResponseWriter, nor of
// a connection: a blob in a file goes out by sendfile.
//
// Imports: the registry contract, net/http, x/crypto/acme, gorilla/handlers (here
// and nowhere else). Locks: accessLog.mu guards its writer, helloLog.mu what was logged
// last, Server.mu the set of addresses,
// traffic.mu what was seen of bodies, Checks.mu what fails, followed.mu the
// content of followed files.
package httpd
