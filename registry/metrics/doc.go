// Package metrics counts for Prometheus, under the names and labels of CNCF
// distribution, so that dashboards for it work here.
//
// [New] makes the numbers, [Metrics.HTTP] wraps the handler of /v2 and
// [Metrics.Driver] a storage driver; neither is called when metrics are off,
// which then cost nothing. The wrapped response keeps io.ReaderFrom, and the
// wrapped driver all abilities, so that sendfile and batches stay. Absent are
// registry_storage_cache_*: there is no cache of that kind.
//
// Imports: the standard library, client_golang (here and nowhere else) and the
// contract of drivers. No locks of its own.
package metrics
