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
