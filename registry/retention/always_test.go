package retention_test

import (
	"testing"
	"time"

	"berth/registry/retention"
)

func TestARuleMayKeepAllThatItSelects(t *testing.T) {
	t.Parallel()
	now := time.Now()
	rules := []retention.Policy{
		{Name: "short", Keep: retention.Keep{Newest: 1}},
		{Name: "releases", Tags: []string{"v*"}, Keep: retention.Keep{Always: []string{"*"}}},
	}
	if err := retention.Validate(rules); err != nil {
		t.Fatal(err)
	}
	candidates := []retention.Candidate{
		{Repository: "app", Tag: "new", Digest: "sha256:1", Pushed: now},
		{Repository: "app", Tag: "old", Digest: "sha256:2", Pushed: now.Add(-time.Hour)},
		{Repository: "app", Tag: "v1", Digest: "sha256:3", Pushed: now.Add(-2 * time.Hour)},
	}
	for _, v := range retention.Evaluate(rules, candidates, now) {
		if keep := v.Candidate.Tag != "old"; v.Keep != keep {
			t.Errorf("%s: keep %v, because %s", v.Candidate.Tag, v.Keep, v.Because)
		}
	}
	// What is always kept of many says nothing of the others.
	if err := retention.Validate([]retention.Policy{{Keep: retention.Keep{Always: []string{"v*"}}}}); err == nil {
		t.Error("a rule that drops all but v* is taken")
	}
}

func TestAManifestThatNoRuleSpeaksOfDoesNotSeemToStayForEver(t *testing.T) {
	t.Parallel()
	loose, kept := untagged("loose", 40), untagged("kept", 40)
	loose.Loose = loose.Pushed.Add(day)
	rules := []retention.Policy{{Keep: retention.Keep{Newest: 1}}}
	got := judged(t, rules, loose, kept)
	if v := got[loose.Digest.String()]; !v.Keep || v.Because != "no rule speaks of it; a clean-up frees it once nothing needs it" {
		t.Errorf("what the clean-up frees: %+v", v)
	}
	if v := got[kept.Digest.String()]; !v.Keep || v.Because != "no rule speaks of it" {
		t.Errorf("where the clean-up keeps it: %+v", v)
	}
	if v := judged(t, append(rules, retention.Policy{Untagged: age(60)}), loose)[loose.Digest.String()]; !v.Keep || v.Rule == "" {
		t.Errorf("of which a rule speaks: %+v", v)
	}
}
