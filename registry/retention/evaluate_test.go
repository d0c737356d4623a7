package retention_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/retention"

	"github.com/opencontainers/go-digest"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// tag makes a candidate of "app" that was pushed some days ago, with a digest
// of its own.
func tag(name string, daysAgo int) retention.Candidate {
	return retention.Candidate{Repository: "app", Tag: name, Digest: digest.FromString(name), Pushed: now.Add(-time.Duration(daysAgo) * day)}
}

func pulled(c retention.Candidate, daysAgo int) retention.Candidate {
	c.Pulled = now.Add(-time.Duration(daysAgo) * day)
	return c
}

func untagged(text string, daysAgo int) retention.Candidate {
	c := tag(text, daysAgo)
	c.Tag = ""
	return c
}

func age(days int) retention.Age { return retention.Age(time.Duration(days) * day) }

// kept evaluates, and gives what stays and why things are as they are, by tag
// or, where there is none, by the text of the digest.
func judged(t *testing.T, policies []retention.Policy, candidates ...retention.Candidate) map[string]retention.Verdict {
	t.Helper()
	if err := retention.Validate(policies); err != nil {
		t.Fatal(err)
	}
	out := map[string]retention.Verdict{}
	for i, v := range retention.Evaluate(policies, candidates, now) {
		if v.Because == "" {
			t.Errorf("no reason for %s", v.Candidate.Tag)
		}
		if v.Candidate.Digest != candidates[i].Digest || v.Candidate.Tag != candidates[i].Tag {
			t.Fatalf("verdict %d is about another candidate", i)
		}
		name := v.Candidate.Tag
		if name == "" {
			name = v.Candidate.Digest.String()
		}
		out[name] = v
	}
	return out
}

// want checks verdicts written as "tag: keep|drop: part of the reason".
func want(t *testing.T, got map[string]retention.Verdict, lines ...string) {
	t.Helper()
	for _, line := range lines {
		parts := strings.SplitN(line, ": ", 3)
		v, ok := got[parts[0]]
		if !ok {
			t.Errorf("%s: no verdict", parts[0])
			continue
		}
		if v.Keep != (parts[1] == "keep") || !strings.Contains(v.Because, parts[2]) {
			t.Errorf("%s: keep is %v, because %q by %q; want %s, %q", parts[0], v.Keep, v.Because, v.Rule, parts[1], parts[2])
		}
	}
}

func TestEachConditionKeepsAndSaysWhy(t *testing.T) {
	t.Parallel()
	rules := []retention.Policy{{Name: "builds", Tags: []string{"*"}, Except: []string{"main"}, Keep: retention.Keep{
		Newest: 2, Younger: age(5), Pulled: age(7), Always: []string{"re:keep-[0-9]+"},
	}}}
	got := judged(t, rules, tag("a", 100), tag("b", 90), tag("c", 80), tag("d", 70), pulled(tag("e", 101), 3), tag("main", 200), tag("keep-1", 300), tag("f", 0), tag("g", 4))
	want(t, got,
		"f: keep: one of the newest 2 by push", "g: keep: one of the newest 2 by push", "e: keep: pulled 3 days ago",
		"main: keep: no rule speaks of it", "keep-1: keep: always kept: it matches re:keep-[0-9]+",
		"a: drop: not one of the newest 2 by push, pushed 100 days ago (longer than 5d), never pulled (not within 1w)",
	)
	if got["a"].Rule != "builds" || got["main"].Rule != "" {
		t.Errorf("rules %q and %q", got["a"].Rule, got["main"].Rule)
	}
}

func TestTagsOfOneManifestCountOnce(t *testing.T) {
	t.Parallel()
	rules := []retention.Policy{{Keep: retention.Keep{Newest: 2}}}
	release := func(name, of string, daysAgo int) retention.Candidate {
		c := tag(name, daysAgo)
		c.Digest = digest.FromString(of)
		return c
	}
	got := judged(t, rules, release("v1.2", "x", 0), release("v1", "x", 0), release("latest", "x", 9), release("v1.1", "y", 5), release("v1.0", "z", 7))
	want(t, got, "v1.2: keep: newest", "v1: keep: newest", "latest: keep: newest", "v1.1: keep: newest", "v1.0: drop: not one of the newest 2")
}

func TestAPushCountsAsAPull(t *testing.T) {
	t.Parallel()
	rules := []retention.Policy{{Keep: retention.Keep{Pulled: age(10)}}}
	young := tag("counted-lately", 50)
	young.PullsSince = now.Add(-2 * day)
	long := tag("counted-long", 50)
	long.PullsSince = now.Add(-40 * day)
	want(t, judged(t, rules, tag("new", 2), tag("old", 20), young, long),
		"new: keep: pushed 2 days ago, which counts as a pull", "old: drop: never pulled",
		"counted-lately: keep: known only since 2 days ago", "counted-long: drop: never pulled")
}

func TestATagGoesOnlyIfEveryRuleThatSpeaksOfItWouldDropIt(t *testing.T) {
	t.Parallel()
	few := retention.Policy{Name: "few", Keep: retention.Keep{Newest: 1}}
	lately := retention.Policy{Name: "lately", Tags: []string{"v*"}, Keep: retention.Keep{Younger: age(30)}}
	elsewhere := retention.Policy{Name: "elsewhere", Repositories: []string{"other/**"}, Keep: retention.Keep{Younger: age(9000)}}
	for _, rules := range [][]retention.Policy{{few, lately, elsewhere}, {elsewhere, lately, few}} {
		want(t, judged(t, rules, tag("x", 1), tag("v1", 10), tag("v0", 40), tag("w", 10)),
			"x: keep: newest 1", "v1: keep: pushed 10 days ago", "v0: drop: pushed 40 days ago", "w: drop: newest 1")
	}
}

func TestTheFirstRuleThatKeepsIsNamed(t *testing.T) {
	t.Parallel()
	rules := []retention.Policy{
		{Name: "none", Keep: retention.Keep{Younger: age(1)}},
		{Name: "first", Keep: retention.Keep{Newest: 1}},
		{Name: "second", Keep: retention.Keep{Younger: age(30)}},
	}
	got := judged(t, rules, tag("a", 5), tag("b", 50))
	if got["a"].Rule != "first" || got["b"].Rule != "none" {
		t.Errorf("they are %q and %q", got["a"].Rule, got["b"].Rule)
	}
}

func TestVersionsAreComparedAsVersions(t *testing.T) {
	t.Parallel()
	rules := []retention.Policy{{Name: "releases", Keep: retention.Keep{Versions: 2}}}
	got := judged(t, rules, tag("v1.9.0", 1), tag("v1.10.0", 50), tag("v1.10.1-rc1", 60), tag("v1.10.1", 70), tag("latest", 500), tag("3f2a9c1", 500), tag("main", 400))
	want(t, got, "v1.10.0: drop: not one of the newest 2 by version", "v1.10.1: keep: newest 2 by version", "v1.10.1-rc1: keep: by version", "v1.9.0: drop: by version",
		"latest: keep: no rule speaks of it", "3f2a9c1: keep: no rule", "main: keep: no rule")
}

func TestPinsAndWhatIsHeldWinOverEveryRule(t *testing.T) {
	t.Parallel()
	rules := []retention.Policy{{Keep: retention.Keep{Younger: age(1)}, Untagged: age(1)}}
	pin, held, loose := tag("pin", 90), tag("held", 90), untagged("loose", 90)
	pin.Pinned, held.Held, loose.Pinned = true, "immutable (releases)", true
	want(t, judged(t, rules, pin, held, loose, tag("gone", 90)),
		"pin: keep: pinned", "held: keep: immutable (releases)", loose.Digest.String()+": keep: pinned", "gone: drop: pushed")
}

func TestWhatIsNotKnownIsKept(t *testing.T) {
	t.Parallel()
	c, m := tag("v1", 0), untagged("m", 0)
	c.Pushed, m.Pushed = time.Time{}, time.Time{}
	rules := []retention.Policy{{Keep: retention.Keep{Newest: 1, Younger: age(1)}, Untagged: age(1)}}
	want(t, judged(t, rules, c, tag("v2", 3), m), "v1: keep: not known", m.Digest.String()+": keep: not known")
	for _, v := range retention.Evaluate([]retention.Policy{{Tags: []string{"re:("}, Keep: retention.Keep{Newest: 1}}}, []retention.Candidate{tag("a", 1), tag("b", 2)}, now) {
		if !v.Keep || !strings.Contains(v.Because, "not valid") {
			t.Errorf("a rule that cannot be read: %+v", v)
		}
	}
}

func TestUntaggedManifestsGoAfterTheirTime(t *testing.T) {
	t.Parallel()
	rules := []retention.Policy{{Name: "loose", Untagged: age(7)}}
	old, young, used := untagged("old", 30), untagged("young", 3), pulled(untagged("used", 30), 1)
	named := untagged("v1", 30)
	want(t, judged(t, rules, old, young, used, named, tag("v1", 30)),
		old.Digest.String()+": drop: no tag names it, pushed 30 days ago (longer than 1w)", young.Digest.String()+": keep: pushed 3 days ago",
		used.Digest.String()+": keep: pulled 24 hours ago", "v1: keep: no rule speaks", named.Digest.String()+": keep: a tag names it")
	want(t, judged(t, []retention.Policy{{Keep: retention.Keep{Newest: 1}}}, old), old.Digest.String()+": keep: no rule")
}

// of makes c refer to a subject.
func of(c retention.Candidate, subject registry.Digest) retention.Candidate {
	c.Subject = subject
	return c
}

func TestWhatRefersToSomethingLivesAndDiesWithIt(t *testing.T) {
	t.Parallel()
	rules := []retention.Policy{{Name: "all", Keep: retention.Keep{Younger: age(7)}, Untagged: age(7)}}
	live, dead := tag("live", 90), untagged("dead", 90)
	fallback := func(c retention.Candidate, end string) retention.Candidate {
		s := tag("sha256-"+c.Digest.Encoded()+end, 90)
		return s
	}
	signature, sbom := of(untagged("signature", 90), live.Digest), of(untagged("sbom", 90), dead.Digest)
	deep := of(untagged("signature of the signature", 90), signature.Digest)
	deepDead := of(tag("signature-of-sbom", 1), sbom.Digest)
	child := untagged("child", 90)
	child.Parents = []registry.Digest{dead.Digest, live.Digest}
	deadChild := untagged("dead child", 90)
	deadChild.Parents = []registry.Digest{dead.Digest}
	orphan := tag("sha256-"+strings.Repeat("ab", 32)+".sig", 90)
	youngOrphan := tag("sha256-"+strings.Repeat("cd", 32)+".sig", 1)
	got := judged(t, rules, deepDead, deep, signature, sbom, child, deadChild, live, dead, orphan, youngOrphan,
		fallback(live, ".sig"), fallback(live, ""), fallback(dead, ".att"), fallback(dead, ".sbom"))
	name := func(c retention.Candidate) string { return c.Digest.String() }
	want(t, got,
		"live: drop: pushed 90 days ago", name(dead)+": drop: no tag names it",
		name(signature)+": keep: refers to live, stays with it", name(deep)+": keep: stays with it", name(sbom)+": drop: goes with it", "signature-of-sbom: drop: goes with it",
		name(child)+": keep: part of live", name(deadChild)+": drop: part of",
		orphan.Tag+": drop: what it refers to is gone", youngOrphan.Tag+": keep: what it refers to is gone, but pushed 24 hours ago",
		fallback(live, ".sig").Tag+": keep: signature of live, stays with it", fallback(live, "").Tag+": keep: list of what refers to live",
		fallback(dead, ".att").Tag+": drop: attestation of sha256:", fallback(dead, ".sbom").Tag+": drop: SBOM of",
	)
	if v := got[deadChild.Digest.String()]; v.Rule != "all" {
		t.Errorf("it went by %q", v.Rule)
	}
}

func TestACircleStays(t *testing.T) {
	t.Parallel()
	a, b := untagged("a", 90), untagged("b", 90)
	a.Subject, b.Subject = b.Digest, a.Digest
	for name, v := range judged(t, []retention.Policy{{Untagged: age(1)}}, a, b) {
		if !v.Keep {
			t.Errorf("%s goes: %s", name, v.Because)
		}
	}
}

func TestRepositoriesAreJudgedByThemselves(t *testing.T) {
	t.Parallel()
	var candidates []retention.Candidate
	for i := range 6 {
		c := tag(fmt.Sprintf("t%d", i), i)
		c.Repository = []string{"team/app", "team/web"}[i%2]
		candidates = append(candidates, c)
	}
	got := judged(t, []retention.Policy{{Repositories: []string{"team/a*"}, Keep: retention.Keep{Newest: 1}}}, candidates...)
	want(t, got, "t0: keep: newest 1", "t2: drop: newest 1", "t4: drop: newest 1", "t1: keep: no rule", "t5: keep: no rule")
}

func TestARuleThatIsOffSpeaksOfNothing(t *testing.T) {
	t.Parallel()
	rules := []retention.Policy{
		{Name: "few", Keep: retention.Keep{Newest: 1}, Untagged: age(1), Off: true},
		{Name: "young", Keep: retention.Keep{Younger: age(5)}},
	}
	want(t, judged(t, rules[:1], tag("a", 9), tag("b", 8)), "a: keep: no rule speaks of it", "b: keep: no rule speaks of it")
	want(t, judged(t, rules, tag("a", 9), tag("b", 8)), "a: drop: longer than 5d", "b: drop: longer than 5d")
	rules[0].Off = false
	want(t, judged(t, rules, tag("a", 9), tag("b", 8)), "a: drop: newest 1", "b: keep: newest 1")
}

func TestTheTagOfASignatureGoesBeforeALooseSubject(t *testing.T) {
	t.Parallel()
	subject := untagged("subject", 90)
	signature := tag("sha256-"+subject.Digest.Encoded()+".sig", 90)
	deep := of(untagged("signature of the signature", 90), signature.Digest)
	name := subject.Digest.String()
	want(t, judged(t, nil, subject, signature, deep), name+": keep: no rule", signature.Tag+": keep: stays with it")
	subject.Loose = now.Add(time.Hour)
	want(t, judged(t, nil, subject, signature), signature.Tag+": keep: stays with it")
	subject.Loose = now
	got := judged(t, nil, subject, signature, deep)
	want(t, got, name+": keep: no rule", signature.Tag+": drop: signature of sha256:", deep.Digest.String()+": drop: goes with it")
	subject.Held = "in the trash until Friday"
	want(t, judged(t, nil, subject, signature), signature.Tag+": keep: stays with it")
	subject.Held, subject.Pinned = "", true
	want(t, judged(t, nil, subject, signature), signature.Tag+": keep: stays with it")
	subject.Pinned = false
	parent := untagged("index", 1)
	parent.Digest, parent.Pinned = digest.FromString("index"), true
	subject.Parents = []registry.Digest{parent.Digest}
	want(t, judged(t, nil, subject, signature, parent), signature.Tag+": keep: stays with it")
}
