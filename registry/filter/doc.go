// Package filter holds decorators of [registry.Registry]: each adds one thing
// to every call, in a file that can be read at once.
//
// [Observe] tells a bus what happened; [ReadOnly] refuses to write while a
// switch says so; [Immutable] keeps tags where they are; [Pinned] keeps the
// manifests that pins hold. A decorator embeds the Registry that it wraps, and
// overrides what it is about.
//
// Imports: the registry contract and registry/event. Locks: those of Immutable
// alone, by repository and then by tag, held while the Registry below is called.
package filter
