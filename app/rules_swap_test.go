package app_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"berth/app"
)

func TestRulesMadeFromOthersAreRefused(t *testing.T) {
	t.Parallel()
	i := start(t, options(t, t.TempDir(), "127.0.0.1:0"))
	was, err := i.Rules(t.Context(), app.RulesRequest{})
	if err != nil || was.Version == "" {
		t.Fatalf("%+v, %v", was, err)
	}
	rules, immutable := []app.Rule{{Name: "a", Newest: 1}}, []app.ImmutableRule{{Tags: []string{"v*"}}}
	is, err := i.SetRules(t.Context(), app.SetRulesRequest{Rules: &rules, Version: was.Version})
	if err != nil || is.Version == was.Version {
		t.Fatalf("the first: %+v, %v", is, err)
	}
	for _, r := range []app.SetRulesRequest{{Rules: &[]app.Rule{}, Version: was.Version}, {Immutable: &immutable, Version: was.Version}} {
		_, err = i.SetRules(t.Context(), r)
		var p *app.Problem
		if !errors.As(err, &p) || p.Code != app.CodeRulesChanged || p.Exit != 4 {
			t.Errorf("from the rules of before: %v", err)
		}
	}
	if now, err := i.Rules(t.Context(), app.RulesRequest{}); err != nil || len(now.Rules) != 1 || len(now.Immutable) != 0 || now.Version != is.Version {
		t.Errorf("in effect are %+v, %v", now, err)
	}
	if _, err := i.SetRules(t.Context(), app.SetRulesRequest{Immutable: &immutable}); err != nil {
		t.Errorf("without a version: %v", err)
	}
}

func TestSettingsThatAreChangedAtOnceAllLand(t *testing.T) {
	t.Parallel()
	i := start(t, options(t, t.TempDir(), "127.0.0.1:0"))
	keys := map[string]string{
		"berth.trash.keep": "9d", "berth.cleanup.schedule": "weekly", "berth.cleanup.grace": "3h0m0s", "berth.cleanup.untagged": "false",
		"storage.delete.enabled": "false", "berth.cleanup.rules": "[{name: a, keep: {newest: 3}}]", "berth.immutable": "[{tags: ['v*']}]",
	}
	var group sync.WaitGroup
	for key, value := range keys {
		group.Go(func() {
			if _, err := i.Apply(t.Context(), app.ApplyRequest{Values: map[string]string{key: value}}); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		})
	}
	group.Wait()
	reply, err := i.Settings(t.Context(), app.SettingsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	set := 0
	for _, s := range reply.Settings {
		if _, ok := keys[s.Key]; ok && s.Origin == "set here" {
			set++
		}
	}
	if set != len(keys) {
		t.Errorf("%s", fmt.Sprintf("%d of %d landed: %+v", set, len(keys), reply.Settings))
	}
}
