// Package record remembers what was answered to a request, for the access log
// and for metrics.
//
// Imports: the standard library. Locks: none; a Response belongs to one request.
package record
