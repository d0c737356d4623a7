package app_test

import (
	"errors"
	"strings"
	"testing"

	"berth/app"
)

func TestRulesThatAVariableSetsAreInEffectAndCannotBeChangedHere(t *testing.T) {
	t.Parallel()
	i := start(t, tuned(t, t.TempDir(), "", "REGISTRY_BERTH_CLEANUP_RULES_0_KEEP_NEWEST=1"))
	reply, err := i.Rules(t.Context(), app.RulesRequest{})
	if err != nil || len(reply.Rules) != 1 || reply.Rules[0].Newest != 1 || !strings.Contains(reply.Locked, "REGISTRY_BERTH_CLEANUP_RULES_0_KEEP_NEWEST") || reply.ImmutableLocked != "" {
		t.Fatalf("the rules are %+v, %v", reply, err)
	}
	none, immutable := []app.Rule{}, []app.ImmutableRule{{Name: "all", Tags: []string{"v*"}}}
	// Half of a request that cannot be taken as a whole is not taken.
	for _, r := range []app.SetRulesRequest{{Rules: &none}, {Rules: &none, Immutable: &immutable}} {
		_, err := i.SetRules(t.Context(), r)
		if p, ok := errors.AsType[*app.Problem](err); !ok || p.Code != "locked" || p.Exit != 4 || !strings.Contains(p.Title, "REGISTRY_BERTH_CLEANUP_RULES_0_KEEP_NEWEST") {
			t.Errorf("they were set: %v", err)
		}
	}
	if after, err := i.Rules(t.Context(), app.RulesRequest{}); err != nil || len(after.Rules) != 1 || len(after.Immutable) != 0 {
		t.Errorf("they became %+v, %v", after, err)
	}
	if reply, err = i.SetRules(t.Context(), app.SetRulesRequest{Immutable: &immutable}); err != nil || len(reply.Immutable) != 1 {
		t.Errorf("what no variable sets: %+v, %v", reply, err)
	}
}
