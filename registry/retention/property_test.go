package retention_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/retention"

	"github.com/opencontainers/go-digest"
)

// world makes rules and candidates, the same for the same seed.
func world(seed uint64) ([]retention.Policy, []retention.Candidate) {
	r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // a test
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	var rules []retention.Policy
	for i := range r.IntN(4) {
		p := retention.Policy{Name: fmt.Sprint("rule ", i)}
		if r.IntN(2) == 0 {
			p.Repositories = []string{pick("a", "team/*", "**", "re:a|b")}
		}
		p.Keep.Younger = age(1 + r.IntN(20))
		if r.IntN(2) == 0 {
			p.Keep.Newest = 1 + r.IntN(5)
		}
		if r.IntN(4) == 0 {
			p.Keep.Versions = 1 + r.IntN(5)
		}
		if r.IntN(2) == 0 {
			p.Tags = []string{pick("*", "v*", "re:[a-m].*", "v1.{1,2}*")}
		}
		if r.IntN(3) == 0 {
			p.Except = []string{pick("latest", "v1*", "*1")}
		}
		if r.IntN(3) == 0 {
			p.Untagged = age(1 + r.IntN(20))
		}
		rules = append(rules, p)
	}
	var out []retention.Candidate
	var digests []registry.Digest
	for i := range r.IntN(60) {
		c := retention.Candidate{Repository: pick("a", "b", "team/x"), Pushed: now.Add(-time.Duration(r.IntN(40*24)) * time.Hour)}
		c.Tag = pick("", fmt.Sprintf("v1.%d", i), fmt.Sprintf("v%d-rc%d", i/3, i), fmt.Sprintf("build%d", i), fmt.Sprintf("latest%d", i))
		c.Digest = digest.FromString(fmt.Sprint(r.IntN(40)))
		if c.Tag == "" { // digests without a tag are distinct, and made later than what they refer to
			c.Digest = digest.FromString(fmt.Sprint("untagged ", i))
		}
		if len(digests) > 0 && r.IntN(4) == 0 && c.Tag == "" {
			c.Subject = digests[r.IntN(len(digests))]
		}
		if len(digests) > 0 && r.IntN(8) == 0 {
			c.Tag = "sha256-" + digests[r.IntN(len(digests))].Encoded() + fmt.Sprintf(".s%d", i)
			c.Digest, c.Subject = digest.FromString(c.Tag), ""
		}
		if r.IntN(3) == 0 {
			c.Pulled = now.Add(-time.Duration(r.IntN(20*24)) * time.Hour)
		}
		c.Pinned = r.IntN(12) == 0
		digests = append(digests, c.Digest)
		out = append(out, c)
	}
	return rules, out
}

const worlds = 400

func drops(rules []retention.Policy, candidates []retention.Candidate) map[string]retention.Verdict {
	out := map[string]retention.Verdict{}
	for _, v := range retention.Evaluate(rules, candidates, now) {
		if !v.Keep {
			out[key(*v.Candidate)] = v
		}
	}
	return out
}

func key(c retention.Candidate) string {
	return c.Repository + ":" + c.Tag + "@" + c.Digest.String()
}

// TestTheOrderOfCandidatesDoesNotMatter also covers the reasons.
func TestTheOrderOfCandidatesDoesNotMatter(t *testing.T) {
	t.Parallel()
	dropped := 0
	for seed := range uint64(worlds) {
		rules, candidates := world(seed)
		before := map[string]retention.Verdict{}
		for _, v := range retention.Evaluate(rules, candidates, now) {
			before[key(*v.Candidate)] = v
			if !v.Keep {
				dropped++
			}
		}
		r := rand.New(rand.NewPCG(seed, 9)) //nolint:gosec // a test
		r.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
		for _, v := range retention.Evaluate(rules, candidates, now) {
			if was := before[key(*v.Candidate)]; was.Keep != v.Keep || was.Because != v.Because || was.Rule != v.Rule {
				t.Fatalf("seed %d: %s was %v %q %q, is %v %q %q", seed, key(*v.Candidate), was.Keep, was.Because, was.Rule, v.Keep, v.Because, v.Rule)
			}
		}
	}
	if dropped < worlds {
		t.Errorf("only %d were dropped in all worlds: the test says little", dropped)
	}
}

func TestAPinOrAnAlwaysNeverDropsMore(t *testing.T) {
	t.Parallel()
	for seed := range uint64(worlds) {
		rules, candidates := world(seed)
		if len(rules) == 0 || len(candidates) == 0 {
			continue
		}
		before := drops(rules, candidates)
		r := rand.New(rand.NewPCG(seed, 11)) //nolint:gosec // a test
		pinned := slices.Clone(candidates)
		pinned[r.IntN(len(pinned))].Pinned = true
		always := slices.Clone(rules)
		some := &always[r.IntN(len(always))]
		some.Keep.Always = []string{[]string{"*", "v1*", "latest*", "re:.*[02468]"}[r.IntN(4)]}
		for what, after := range map[string]map[string]retention.Verdict{"a pin": drops(rules, pinned), "an always": drops(always, candidates)} {
			for k, v := range after {
				if _, ok := before[k]; !ok {
					t.Fatalf("seed %d: %s drops %s: %s", seed, what, k, v.Because)
				}
			}
		}
	}
}

func TestNothingGoesWithoutARuleThatSpeaksOfIt(t *testing.T) {
	t.Parallel()
	for seed := range uint64(worlds) {
		rules, candidates := world(seed)
		if got := drops(nil, candidates); len(got) > 0 {
			t.Fatalf("seed %d: without rules %d go", seed, len(got))
		}
		for k, v := range drops(rules, candidates) {
			if v.Candidate.Pinned || v.Candidate.Pushed.IsZero() {
				t.Errorf("seed %d: %s goes", seed, k)
			}
			// The rule that is named drops it alone as well, but for what goes
			// with something else.
			i := slices.IndexFunc(rules, func(p retention.Policy) bool { return p.Name == v.Rule })
			if i < 0 {
				t.Fatalf("seed %d: %s goes by no rule", seed, k)
			}
			if _, alone := drops(rules[i:i+1], candidates)[k]; !alone {
				t.Errorf("seed %d: %s goes by %q, which keeps it", seed, k, v.Rule)
			}
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	rules := []retention.Policy{
		{Name: "pull requests", Tags: []string{"pr-*"}, Keep: retention.Keep{Newest: 50, Younger: age(14)}},
		{Name: "builds", Repositories: []string{"team/**"}, Except: []string{"latest", "main"}, Keep: retention.Keep{Newest: 10, Younger: age(30), Pulled: age(30), Always: []string{"keep-*"}}},
		{Name: "releases", Tags: []string{"v*", "re:[0-9]+\\..*"}, Keep: retention.Keep{Versions: 20}, Untagged: age(7)},
	}
	for _, shape := range []struct{ repos, tags int }{{1, 100_000}, {1000, 100}} {
		var candidates []retention.Candidate
		for r := range shape.repos {
			repo := fmt.Sprintf("team/app%d", r)
			for i := range shape.tags {
				name := []string{fmt.Sprintf("v1.%d.%d", i/10, i%10), fmt.Sprintf("pr-%d", i), fmt.Sprintf("main-%07x", i*2654435761%(1<<28))}[i%3]
				c := retention.Candidate{Repository: repo, Tag: name, Digest: digest.FromString(repo + name), Pushed: now.Add(-time.Duration(i*37%100000) * time.Minute)}
				if i%2 == 0 {
					c.Pulled = c.Pushed.Add(time.Duration(i%40) * day)
				}
				candidates = append(candidates, c)
			}
		}
		b.Run(fmt.Sprintf("%d repositories of %d tags", shape.repos, shape.tags), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := retention.Evaluate(rules, candidates, now); len(got) != len(candidates) {
					b.Fatal(len(got))
				}
			}
		})
	}
}
