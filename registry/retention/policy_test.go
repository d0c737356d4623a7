package retention_test

import (
	"strings"
	"testing"
	"time"

	"berth/registry/retention"

	"go.yaml.in/yaml/v3"
)

const written = `
- name: pull requests
  repositories: ["team/**"]
  tags: ["pr-*", "/[0-9]+-merge/"]
  except: [pr-main]
  keep:
    newest: 10
    versions: 3
    younger: 30d
    pulled: 1d12h
    always: ["re:keep-.*"]
  untagged: 2w
- untagged: 36h
  off: true
`

func TestRulesAreReadFromYAMLAndWrittenBack(t *testing.T) {
	t.Parallel()
	var rules []retention.Policy
	if err := yaml.Unmarshal([]byte(written), &rules); err != nil {
		t.Fatal(err)
	}
	if err := retention.Validate(rules); err != nil {
		t.Error(err)
	}
	p := rules[0]
	if p.Keep.Newest != 10 || p.Keep.Versions != 3 || p.Keep.Younger != age(30) || time.Duration(p.Keep.Pulled) != 36*time.Hour || p.Untagged != age(14) || p.Except[0] != "pr-main" || p.Off || !rules[1].Off {
		t.Errorf("got %+v", p)
	}
	out, err := yaml.Marshal(rules)
	if err != nil {
		t.Fatal(err)
	}
	var again []retention.Policy
	if err := yaml.Unmarshal(out, &again); err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if second, _ := yaml.Marshal(again); string(second) != string(out) {
		t.Errorf("%s became\n%s", out, second)
	}
}

func TestWhatARuleDoesNotKnowIsRefused(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"- tags: [a]\n  exept: [b]":             `line 2: a cleanup rule has no key "exept"`,
		"- keep:\n    newset: 3":                `line 2: keep of a cleanup rule has no key "newset"`,
		"- pr-*":                                "line 1: a cleanup rule has the keys name",
		"- keep: 3":                             "line 1: keep of a cleanup rule has the keys",
		"- keep: {younger: 30}":                 `"30" is not a time; write it as 30d`,
		"- keep: {younger: 3 days}":             "is not a time",
		"- keep: {younger: 1y}":                 "is not a time",
		"- keep: {younger: 99999999w}":          "is not a time",
		"- keep: {younger: 36500d36500d36500d}": "hundred years",
		"- keep: {newest: ten}":                 "cannot unmarshal",
	} {
		var rules []retention.Policy
		if err := yaml.Unmarshal([]byte(text), &rules); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, which does not say %q", text, err, says)
		}
	}
}

func TestValidateNamesTheRuleAndWhatToDo(t *testing.T) {
	t.Parallel()
	ten := retention.Keep{Newest: 10}
	for name, c := range map[string]struct {
		rules []retention.Policy
		says  []string
	}{
		"an expression":   {[]retention.Policy{{Keep: ten}, {Name: "x", Tags: []string{"re:("}, Keep: ten}}, []string{`cleanup rule 2 ("x")`, "tags", "is not a regular expression"}},
		"a repository":    {[]retention.Policy{{Repositories: []string{"Team/[ab]"}, Keep: ten}}, []string{`rule 1 ("rule 1")`, "repositories", `'T'`, "re:"}},
		"braces":          {[]retention.Policy{{Tags: []string{"{a,b"}, Keep: ten}, {Name: "q", Tags: []string{"a}"}, Keep: ten}}, []string{"write {a,b}", `rule 2 ("q")`}},
		"many braces":     {[]retention.Policy{{Tags: []string{strings.Repeat("{a,b}", 9)}, Keep: ten}}, []string{"more than 64"}},
		"an empty one":    {[]retention.Policy{{Keep: ten, Except: []string{""}}}, []string{"except", "between 1 and"}},
		"nothing stays":   {[]retention.Policy{{Tags: []string{"pr-*"}}}, []string{"all its tags would go", "keep: {newest: 10}"}},
		"does nothing":    {[]retention.Policy{{Name: "idle"}}, []string{`"idle"`, "does nothing"}},
		"always alone":    {[]retention.Policy{{Keep: retention.Keep{Always: []string{"a"}}}}, []string{"all other tags would go"}},
		"negative":        {[]retention.Policy{{Keep: retention.Keep{Newest: -1}}}, []string{"keep.newest is negative"}},
		"one that is off": {[]retention.Policy{{Name: "rest", Off: true}}, []string{`"rest"`, "does nothing"}},
		"two of a name":   {[]retention.Policy{{Name: "a", Keep: ten}, {Name: "a", Keep: ten}}, []string{"rules 1 and 2 are both called"}},
	} {
		err := retention.Validate(c.rules)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, says := range c.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %q does not say %q", name, err, says)
			}
		}
	}
}

func TestAgesAreWrittenAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"30d": "30d", "14d": "2w", "36h": "1d12h", "90m": "1h30m", "0": "0", "1w1s": "7d1s", "0d": "0"} {
		var a retention.Age
		if err := a.UnmarshalText([]byte(text)); err != nil || a.String() != want {
			t.Errorf("%s became %s, %v; want %s", text, a, err, want)
		}
	}
}

func TestImmutableTagsAreChosenByRules(t *testing.T) {
	t.Parallel()
	var rules []retention.Protect
	if err := yaml.Unmarshal([]byte("- {repositories: [team/*], tags: ['v*'], except: ['*-dev']}\n- {name: frozen, repositories: [old/**]}"), &rules); err != nil {
		t.Fatal(err)
	}
	p, err := retention.NewProtection(rules)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"team/app:v1": "v*", "team/app:v1-dev": "", "team/app:latest": "", "team/a/b:v1": "", "app:v1": "",
		"old/x:anything": "frozen", "old/x:sha256-" + strings.Repeat("ab", 32) + ".sig": "", "old/x:sha256-" + strings.Repeat("ab", 32): "",
	} {
		repo, tag, _ := strings.Cut(name, ":")
		if got, ok := p.Rule(repo, tag); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %v; want %q", name, got, ok, want)
		}
	}
	if _, ok := (*retention.Protection)(nil).Rule("a", "b"); ok {
		t.Error("no rules hold something")
	}
	if _, err := retention.NewProtection([]retention.Protect{{Name: "n", Tags: []string{"re:["}}}); err == nil || !strings.Contains(err.Error(), `immutability rule 1 ("n")`) {
		t.Errorf("a rule that cannot be read: %v", err)
	}
	if err := yaml.Unmarshal([]byte("- {tag: [a]}"), &rules); err == nil {
		t.Error("an unknown key is taken")
	}
}

func TestAProtectionIsAboutRepositories(t *testing.T) {
	t.Parallel()
	p, err := retention.NewProtection([]retention.Protect{{Repositories: []string{"acme/*"}, Tags: []string{"v*"}}})
	if err != nil || !p.In("acme/app") || p.In("other") {
		t.Errorf("%v, %v, %v", p.In("acme/app"), p.In("other"), err)
	}
	if all, err := retention.NewProtection([]retention.Protect{{Tags: []string{"v*"}}}); err != nil || !all.In("other") {
		t.Errorf("a rule for all repositories is not about one: %v", err)
	}
	if (*retention.Protection)(nil).In("other") {
		t.Error("no rules are about a repository")
	}
}
