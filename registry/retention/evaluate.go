package retention

import (
	"time"

	"berth/registry"
)

// Candidate is a tag, or a manifest without one. The candidates of a repository
// are given complete: all its tags, and all its manifests that no tag names.
type Candidate struct {
	Repository string
	// Tag is empty for a manifest that no tag names.
	Tag    string
	Digest registry.Digest
	// Pushed is the last push; zero: not known, and then it stays.
	Pushed time.Time
	// Pulled is the last pull; zero: none.
	Pulled time.Time
	// PullsSince is since when pulls are counted, such as the birth of an index
	// that was rebuilt; zero: always.
	PullsSince time.Time
	// Pinned by a user.
	Pinned bool
	// Held says in a few words why it cannot go whatever rules say, such as
	// "immutable (releases)" or "in the trash until Friday"; empty: nothing.
	Held string
	// Subject that the manifest refers to, or empty.
	Subject registry.Digest
	// Parents are the indexes of the repository that it is part of.
	Parents []registry.Digest
	// Loose is from when the clean-up frees a manifest without a tag without
	// being told by a rule: then the tags that are attached to it go before.
	// Zero: never.
	Loose time.Time
}

// Verdict is what becomes of a candidate, and why.
type Verdict struct {
	// Candidate is the one that was given to Evaluate.
	Candidate *Candidate
	// Keep is true when it stays; otherwise the tag, or the manifest, goes.
	Keep bool
	// Because is a sentence for users, without a capital and a full stop.
	Because string
	// Rule that decided, by its name; empty when none did.
	Rule string
}

// Evaluate judges candidates; verdicts come in the order of the candidates,
// which does not matter otherwise. Rules that are not valid keep everything.
// A preview of one rule is an evaluation of that rule alone. Whoever asks again
// and again keeps a [Group] of each repository.
func Evaluate(policies []Policy, candidates []Candidate, now time.Time) []Verdict {
	out := make([]Verdict, len(candidates))
	rules, err := Compile(policies)
	if err != nil {
		for i := range candidates {
			out[i] = Verdict{Candidate: &candidates[i], Keep: true, Because: "the cleanup rules are not valid, so nothing goes"}
		}
		return out
	}
	var order []string
	places := map[string][]int{}
	for i := range candidates {
		repo := candidates[i].Repository
		if _, ok := places[repo]; !ok {
			order = append(order, repo)
		}
		places[repo] = append(places[repo], i)
	}
	at := NewClock(now)
	for _, repo := range order {
		some := make([]Candidate, len(places[repo]))
		for n, i := range places[repo] {
			some[n] = candidates[i]
		}
		j := NewGroup(some).Judge(rules.For(repo), now)
		for n, i := range places[repo] {
			out[i] = j.verdict(int32(n), at) //nolint:gosec // an index
			out[i].Candidate = &candidates[i]
		}
	}
	return out
}
