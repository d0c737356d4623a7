// Package retention says which tags, and which manifests without a tag, the
// rules of a cleanup keep and which they drop, and why. It is pure: rules and
// candidates go in, verdicts come out; who calls it deletes, through the trash.
//
// A [Policy] speaks of the tags that it selects, and keeps those that meet any
// of its conditions. A tag goes only if every rule that speaks of it would drop
// it; one that no rule speaks of stays. What refers to another manifest
// (signatures, SBOMs, attestations) and what is part of an index is never judged
// by itself: it stays as long as what it belongs to, and goes with it.
//
// Where something is not known (a rule that cannot be read, when a tag was
// pushed), the verdict is to keep.
//
// Patterns are globs, or regular expressions behind "re:" or between slashes;
// both must match the whole name. [Protection] uses them for immutable tags.
//
// Imports: the contract, yaml. No locks, no state.
package retention
