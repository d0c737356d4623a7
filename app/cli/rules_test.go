package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"berth/app"
	"berth/app/apptest"
)

func TestRulesAndPinsForPeopleStayAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"rules":                  "rules",
		"rules_preview":          "rules preview",
		"rules_preview_verdicts": "rules preview --verdicts",
		"rules_add":              "rules add --name fresh --repository acme/* --tag pr-* --except pr-main --newest 5 --younger 7d --always keep-*",
		"rules_edit":             "rules edit 1 --newest 9 --tag release-* --younger=",
		"rules_off":              "rules off 1",
		"rules_remove":           "rules remove 1 2",
		"rules_unknown":          "rules on nothing",
		"rules_apply_dry":        "rules apply --dry-run",
		"rules_immutable":        "rules immutable",
		"rules_immutable_add":    "rules immutable add --tag v* --except *-rc*",
		"pins":                   "pins",
		"pin":                    "pin acme/checkout:v2.4.1 localhost:5000/acme/checkout:latest",
		"unpin":                  "unpin acme/checkout:v2.4.0",
		"usage_pin":              "pin acme/checkout",
		"help_rules":             "rules --help",
		"help_rules_add":         "rules add --help",
		"help_pin":               "pin --help",
		"complete_rules":         "__complete rules off pr",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := run(t, apptest.New(), strings.Fields(line)...)
			golden(t, name, "$ berth "+line+"\n"+out+"-- stderr --\n"+errs+"-- exit --\n"+string(rune('0'+code))+"\n")
		})
	}
}

func TestVerbsOfRulesAndPinsSpeakJSON(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"rules", "rules preview --verdicts", "rules add --newest 3", "rules edit 1 --newest 3", "rules on 1", "rules remove 1",
		"rules immutable", "rules immutable add --tag v*", "rules apply --dry-run", "pins", "pin acme/checkout:latest", "unpin acme/checkout:latest",
	} {
		code, out, errs := run(t, apptest.New(), append(strings.Fields(line), "--json")...)
		var reply map[string]any
		if err := json.Unmarshal([]byte(out), &reply); code != 0 || errs != "" || err != nil {
			t.Errorf("%s: exit %d, %q, %v in %q", line, code, errs, err, out)
		}
	}
}

func TestAnEditChangesOnlyWhatItSays(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	rule := app.Rule{Name: "a", Repositories: []string{"x/**"}, Tags: []string{"b"}, Newest: 3, Younger: "7d", Always: []string{"keep"}, Off: true}
	if _, err := f.SetRules(t.Context(), app.SetRulesRequest{Rules: &[]app.Rule{rule}}); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, f, "rules", "edit", "a", "--newest", "4", "--younger", "", "--repository", ""); code != 0 {
		t.Fatal(errs)
	}
	reply, _ := f.Rules(t.Context(), app.RulesRequest{})
	got := reply.Rules[0]
	if len(reply.Rules) != 1 || got.Newest != 4 || got.Younger != "" || len(got.Repositories) != 0 || got.Tags[0] != "b" || got.Always[0] != "keep" || !got.Off {
		t.Errorf("it became %+v", reply.Rules)
	}
}

func TestRulesAreReadFromAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(path, []byte("- keep: {newest: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := apptest.New()
	if code, _, errs := run(t, f, "rules", "set", path); code != 0 {
		t.Fatal(errs)
	}
	calls := f.Calls("Apply")
	if len(calls) != 1 || calls[0].Request.(app.ApplyRequest).Values["berth.cleanup.rules"] != "- keep: {newest: 3}\n" {
		t.Errorf("calls: %+v", calls)
	}
	if code, _, _ := run(t, f, "rules", "set", path+"x"); code != 2 {
		t.Errorf("a file that is not there: exit %d", code)
	}
}

func TestApplyWaitsAndSaysHowMuchWent(t *testing.T) {
	t.Parallel()
	code, out, errs := started(t, false, []string{"rules", "apply"}, func(f *apptest.Fake, id string, _ func()) { f.Finish(id) })
	if code != 0 || out != "Dropped 37 tags and manifests\n" || !strings.Contains(errs, "berth trash") {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
}

func TestRulesThatAreAddedAtOnceAllLand(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) { d.Rules = app.RulesReply{Version: "0"} })
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			for _, line := range []string{"rules add --newest 1 --name n", "rules immutable add --tag v* --name n"} {
				if code, _, errs := run(t, f, strings.Fields(line+strconv.Itoa(n))...); code != 0 {
					t.Errorf("%s: exit %d, %s", line, code, errs)
				}
			}
		})
	}
	group.Wait()
	if reply, err := f.Rules(t.Context(), app.RulesRequest{}); err != nil || len(reply.Rules) != 8 || len(reply.Immutable) != 8 {
		t.Errorf("%d rules, %d of immutable tags, %v", len(reply.Rules), len(reply.Immutable), err)
	}
}

func TestANumberMeansTheRuleThatWasSeen(t *testing.T) {
	t.Parallel()
	rules := []app.Rule{{Name: "a", Newest: 1}, {Name: "b", Newest: 1}, {Name: "c", Newest: 1}}
	seen := picked{}
	if i, err := seen.find(rules, "2"); i != 1 || err != nil {
		t.Fatal(i, err)
	}
	if i, err := seen.find(rules, "c"); i != 2 || err != nil {
		t.Fatal(i, err)
	}
	if _, err := seen.find(rules[1:], "2"); err == nil {
		t.Error("number 2 was b, and is c")
	}
	if i, err := seen.find(rules[1:], "c"); i != 1 || err != nil {
		t.Errorf("a name: %d, %v", i, err)
	}
}

func TestRulesThatEmptyARepositoryAreWarnedOf(t *testing.T) {
	t.Parallel()
	empties := func(row int) *apptest.Fake {
		f := apptest.New()
		f.Change(func(d *apptest.Data) {
			d.Preview.Rules[row].Emptied, d.Preview.Rules[row].Emptying = 3, "acme/old"
			d.Rules.Rules[row].Off = row == 2
		})
		f.Fail("ApplyRules", &app.Problem{Title: "not today"}) // it is said before anything goes
		return f
	}
	for line, want := range map[string]string{
		"rules preview":           "Warning: The rules would drop every tag of acme/old and of 2 other repositories. To see why: berth rules preview --verdicts --repository acme/old\n",
		"rules preview --dropped": "every tag of acme/old", "rules apply --dry-run": "every tag of acme/old", "rules apply": "every tag of acme/old",
		"rules off 2": "every tag of acme/old", "rules add --newest 1": "every tag of acme/old",
	} {
		if _, _, errs := run(t, empties(0), strings.Fields(line)...); !strings.Contains(errs, want) || strings.Count(errs, "Warning") != 1 {
			t.Errorf("%s: %q", line, errs)
		}
	}
	if _, _, errs := run(t, empties(2), "rules", "preview"); !strings.Contains(errs, "Warning: By itself, ") {
		t.Errorf("a rule that is off: %q", errs)
	}
	for _, line := range []string{"rules preview", "rules add --newest 1"} {
		if _, _, errs := run(t, empties(0), append(strings.Fields(line), "--json")...); errs != "" {
			t.Errorf("%s as JSON: %q", line, errs)
		}
	}
}
