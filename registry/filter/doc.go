// Package filter holds decorators of [registry.Registry]: each adds one thing
// to every call, in a file that can be read at once.
//
// [Observe] tells a bus what happened; [ReadOnly] refuses to write while a
// switch says so. A decorator embeds the Registry that it wraps, and overrides
// what it is about.
//
// Imports: the registry contract and registry/event. No locks.
package filter
