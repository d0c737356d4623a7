// Package job runs long work: each job has an id, progress with a rate, can be
// cancelled, and is remembered for a while after its end.
//
// It knows nothing of registries or engines, and imports the standard library
// only. Lock: Runner.mu guards the list and every job in it; neither work nor
// the Changed function runs under it.
package job
