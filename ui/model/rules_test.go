package model

import (
	"strings"
	"testing"

	"berth/app"
	"berth/app/apptest"
)

func TestRulesAreToldInTheWordsOfTheTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule          app.Rule
		applies, keep string
	}{
		{app.Rule{Repositories: []string{"acme/*"}, Tags: []string{"pr-*"}, Newest: 5, Younger: "7d"}, "acme/* :pr-*", "newest 5, or younger than 7 days"},
		{app.Rule{Repositories: []string{"mirror/**"}, Pulled: "30d"}, "mirror/**", "pulled in the last 30 days"},
		{app.Rule{Tags: []string{"v*"}, Always: []string{"*"}}, "** :v*", "always"},
		{app.Rule{Tags: []string{"v*"}, Always: []string{"v*"}}, "** :v*", "always"},
		{app.Rule{Versions: 1, Always: []string{"latest"}, Except: []string{"x"}}, "** not x", "newest 1 version, or latest always"},
		{app.Rule{Pulled: "1d"}, "**", "pulled in the last day"},
		{app.Rule{Untagged: "7d"}, "**", "all but what is untagged for 7 days"},
		{app.Rule{Newest: 3, Untagged: "2w"}, "**", "newest 3; not what is untagged for 2 weeks"},
		{app.Rule{}, "**", "nothing"},
	} {
		if got := ruleApplies(c.rule.Repositories, c.rule.Tags, c.rule.Except); got != c.applies {
			t.Errorf("applies to %q, want %q", got, c.applies)
		}
		if got := ruleKeep(c.rule); got != c.keep {
			t.Errorf("keeps %q, want %q", got, c.keep)
		}
	}
}

func TestARuleIsToldInASentence(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]app.Rule{
		"Of the tags pr-* in acme/*, keeps the newest 5 and what is younger than 7 days; the others go to the trash":                        {Repositories: []string{"acme/*"}, Tags: []string{"pr-*"}, Newest: 5, Younger: "7d"},
		"Of all tags but not x in every repository, keeps the newest 2, the newest 1 version and always latest; the others go to the trash": {Newest: 2, Versions: 1, Always: []string{"latest"}, Except: []string{"x"}},
		"Keeps the tags v* in every repository, whatever other rules say":                                                                   {Tags: []string{"v*"}, Always: []string{"*"}},
		"Leaves all tags in every repository alone; what has had no tag for 7 days goes to the trash":                                       {Untagged: "7d"},
		"Say what the rule keeps": {Tags: []string{"v*"}},
	} {
		if got := ruleSentence(r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAFigureThatIsNotKnownYetIsSaidToBeMeasured(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p      app.RulePreview
		unsure bool
		want   string
	}{
		{app.RulePreview{Tags: 3}, true, measuring},
		{app.RulePreview{Tags: 3, Frees: 5e6}, true, "5 MB"},
		{app.RulePreview{Tags: 3}, false, "0 B"},
		{app.RulePreview{}, true, "–"},
	} {
		if _, frees, _ := wouldDelete(c.p, c.unsure); frees != c.want {
			t.Errorf("%+v: %q, want %q", c, frees, c.want)
		}
	}
}

func TestRulesThatEmptyARepositoryWarnAndAskAgain(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) { d.Preview.Rules[1].Emptied, d.Preview.Rules[1].Emptying = 3, "mirror/old" })
	m := cleaning(t, f)
	const want = "Every tag of mirror/old would go, and of 2 more repositories"
	if st := m.Rules.State(); st.Warning != want || !st.CanApply {
		t.Fatalf("%q, can apply: %v", st.Warning, st.CanApply)
	}
	m.Rules.Apply()
	st := m.Rules.State()
	if n := len(f.Calls("ApplyRules")); n != 0 || st.Verdicts == nil || st.Verdicts.Warning != want || !st.Verdicts.CanApply {
		t.Fatalf("applied %d times; %+v", n, st.Verdicts)
	}
	m.Rules.ApplyVerdicts()
	if n := len(f.Calls("ApplyRules")); n != 1 || m.Rules.State().Verdicts != nil {
		t.Errorf("applied %d times", n)
	}
	m.Rules.Edit(1)
	if v := m.Rules.State().Editor; v.Warning != want {
		t.Errorf("the editor says %q", v.Warning)
	}
	m.Rules.Edit(0)
	if v := m.Rules.State().Editor; v.Warning != "" {
		t.Errorf("the editor of a harmless rule says %q", v.Warning)
	}
}

func TestANameOfARuleIsNotChangedInItsTooltip(t *testing.T) {
	t.Parallel()
	for want, r := range map[string]app.Rule{"pr-*": {Name: "pr-*"}, "Rule 2": {}} {
		if got := ruleTitle(r, 1); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEmptiedRepositoriesAreCounted(t *testing.T) {
	t.Parallel()
	for n, want := range []string{"", "Every tag of a would go", "Every tag of a would go, and of 1 more repository", "Every tag of a would go, and of 2 more repositories"} {
		if got := emptiedText(app.RulePreview{Emptied: n, Emptying: "a"}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSettingsAreReadAsYAMLHoweverTheyAreQuoted(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"03:00": "03:00", `"03:00"`: "03:00", "'03:00'": "03:00", "'it''s'": "it's", `"a\"b"`: `a"b`, "null": "", `""`: "", "~": "", "168h": "168h",
	} {
		if got := scalar(in); got != want {
			t.Errorf("%s is read as %q", in, got)
		}
	}
}

func TestWhatIsTypedBecomesPatternsAndAges(t *testing.T) {
	t.Parallel()
	r, wrong := ruleOf(app.Rule{Name: "kept", Off: true}, map[RuleField]string{
		FieldRepositories: "acme/{a,b}, mirror/**", FieldTags: "re:pr-[0-9]+, x", FieldNewest: " 5 ", FieldYounger: "7 days", FieldPulled: "30",
	})
	if len(wrong) != 0 || r.Name != "kept" || !r.Off || len(r.Repositories) != 2 || r.Repositories[0] != "acme/{a,b}" || len(r.Tags) != 1 || r.Newest != 5 || r.Younger != "7d" || r.Pulled != "30d" {
		t.Errorf("%+v %v", r, wrong)
	}
	_, wrong = ruleOf(app.Rule{}, map[RuleField]string{FieldNewest: "many", FieldVersions: "-1", FieldYounger: "soon"})
	if len(wrong) != 3 {
		t.Errorf("%v", wrong)
	}
}

func TestEachRuleSaysWhatItWouldDeleteAndTheSwitchActsAtOnce(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := cleaning(t, f)
	st := m.Rules.State()
	if len(st.Rows) != 3 || st.Rows[0].Tags != "31 tags" || st.Rows[0].Frees != "284 MB" || !st.Rows[2].None || st.Preview != "Preview 37 tags" || !st.CanApply {
		t.Fatalf("%+v", st)
	}
	m.Rules.Switch(0)
	st = m.Rules.State()
	if st.Rows[0].On || st.Preview != "Preview 6 tags" || st.Rows[0].Tags != "31 tags" {
		t.Errorf("after switching off: %+v", st)
	}
	if calls := f.Calls("SetRules"); len(calls) != 1 {
		t.Errorf("%d calls", len(calls))
	}
}

func TestASwitchThatIsRefusedGoesBack(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := cleaning(t, f)
	f.Fail("SetRules", &app.Problem{Title: "The settings cannot be written"})
	m.Rules.Switch(1)
	if !m.Rules.State().Rows[1].On || !strings.Contains(toasts(m), "The settings cannot be written") {
		t.Errorf("%+v, %q", m.Rules.State().Rows[1], toasts(m))
	}
}

func TestADeletedRuleComesBackWhereItWas(t *testing.T) {
	t.Parallel()
	m := cleaning(t, apptest.New())
	m.Rules.Delete(1)
	if n := len(m.Rules.State().Rows); n != 2 {
		t.Fatalf("%d rules", n)
	}
	m.Shell.Undo()
	if rows := m.Rules.State().Rows; len(rows) != 3 || rows[1].Applies != "mirror/**" {
		t.Errorf("%+v", rows)
	}
}

func TestTheEditorSaysWhatADraftWouldDeleteBeforeItIsSaved(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := cleaning(t, f)
	m.Rules.Edit(0)
	if e := m.Rules.State().Editor; e == nil || e.Would != "would delete 31 tags, 284 MB" || !e.CanSave {
		t.Fatalf("%+v", e)
	}
	m.Rules.SetField(FieldNewest, "3")
	e := m.Rules.State().Editor
	if e.Would != "would delete 12 tags, 96 MB" || len(f.Calls("SetRules")) != 0 {
		t.Fatalf("%+v", e)
	}
	m.Rules.SetField(FieldNewest, "x")
	if e := m.Rules.State().Editor; e.CanSave || e.Wrong[FieldNewest] == "" || e.Would != "" {
		t.Errorf("%+v", e)
	}
	m.Rules.SetField(FieldNewest, "3")
	m.Rules.Save()
	st := m.Rules.State()
	if st.Editor != nil || st.Rows[0].Keep != "newest 3, or younger than 7 days" {
		t.Errorf("%+v", st.Rows[0])
	}
}

func TestADraftThatTheRegistryRefusesStaysOpenWithTheReason(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := cleaning(t, f)
	m.Rules.Add()
	m.Rules.SetField(FieldTags, "[")
	f.Fail("SetRules", &app.Problem{Title: "The pattern [ cannot be read"})
	m.Rules.Save()
	if e := m.Rules.State().Editor; e == nil || e.Problem == nil || e.CanSave {
		t.Fatalf("%+v", e)
	}
	f.Fail("SetRules", nil)
	m.Rules.SetField(FieldTags, "a*")
	m.Rules.Save()
	if st := m.Rules.State(); st.Editor != nil || len(st.Rows) != 4 {
		t.Errorf("%+v", st)
	}
}

func TestThePreviewGivesAReasonForEachTag(t *testing.T) {
	t.Parallel()
	m := cleaning(t, apptest.New())
	m.Rules.ShowVerdicts()
	v := m.Rules.State().Verdicts
	if v == nil || len(v.Rows) != 37 || v.Rows[0].Because == "" || v.Rows[0].Keep || !strings.HasPrefix(v.Title, "37 tags would go") {
		t.Fatalf("%+v", v)
	}
	m.Rules.ChooseRule("mirror")
	if n := len(m.Rules.State().Verdicts.Rows); n != 6 {
		t.Errorf("%d of the rule mirror", n)
	}
	m.Rules.ChooseRule("")
	m.Rules.ShowKept(true)
	m.Rules.FilterVerdicts("v2.4.1")
	if v := m.Rules.State().Verdicts; len(v.Rows) != 1 || !v.Rows[0].Keep || v.Rows[0].Verdict != "stays" {
		t.Errorf("%+v", v.Rows)
	}
	if !m.Rules.Escape() || m.Rules.State().Verdicts != nil {
		t.Error("Esc does not close it")
	}
}

func TestApplyingMovesToTheTrashAndCanBeUndone(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := cleaning(t, f)
	m.Rules.Apply()
	if st := m.Rules.State(); st.Apply == nil || st.CanApply {
		t.Fatalf("%+v", st)
	}
	f.Change(func(d *apptest.Data) {
		d.Trash = append([]app.TrashEntry{{ID: "by-rule", Repository: "acme/checkout", Tag: "pr-9", Digest: "sha256:9", Why: "rule pr-*", At: apptest.Now}}, d.Trash...)
	})
	f.Finish("job-1")
	m.Refresh()
	if got := toasts(m); !strings.Contains(got, "Moved 37 tags to the trash by rules") || m.Rules.State().Apply != nil {
		t.Fatalf("%q", got)
	}
	m.Shell.Undo()
	if _, err := f.Inspect(t.Context(), app.InspectRequest{Repository: "acme/checkout", Reference: "pr-9"}); err != nil {
		t.Errorf("it is not back: %v", err)
	}
}

func TestTheScheduleIsChangedThroughTheSettings(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	m := cleaning(t, f)
	if s := m.Rules.State().Schedule; s.Kind != "daily" || s.At != "03:00" || s.Low != "5GB" {
		t.Fatalf("%+v", s)
	}
	m.Rules.SetSchedule("weekly", "friday")
	m.Rules.SetTime("22:30")
	m.Rules.SetLow("")
	if s := m.Rules.State().Schedule; s.Kind != "weekly" || s.Weekday != "friday" || s.At != "22:30" || s.Low != "" {
		t.Errorf("%+v", s)
	}
	for text, ok := range map[string]bool{"03:00": true, "9:15": true, "24:00": false, "12": false, "1a:00": false, "12:60": false} {
		if got := m.Rules.CheckTime(text) == ""; got != ok {
			t.Errorf("time %q: %v", text, got)
		}
	}
	for text, ok := range map[string]bool{"5GB": true, "10%": true, "1.5TiB": true, "5": false, "GB": false, "a%": false} {
		if got := m.Rules.CheckLow(text) == ""; got != ok {
			t.Errorf("room %q: %v", text, got)
		}
	}
}

func TestLockedRulesSayWhereTheyComeFromAndStay(t *testing.T) {
	t.Parallel()
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Rules.Locked = "REGISTRY_BERTH_CLEANUP_RULES"
		d.Settings.Settings[3].Locked, d.Settings.Settings[3].Origin = true, "REGISTRY_BERTH_CLEANUP_SCHEDULE"
	})
	m := cleaning(t, f)
	m.Rules.Switch(0)
	m.Rules.Delete(0)
	m.Rules.Edit(0)
	st := m.Rules.State()
	if st.Editor != nil || len(st.Rows) != 3 || !st.Rows[0].On || st.Schedule.Locked["schedule"] != "REGISTRY_BERTH_CLEANUP_SCHEDULE" || len(f.Calls("SetRules")) != 0 {
		t.Errorf("%+v", st)
	}
}

func TestImmutableTagsAreAddedAndRemoved(t *testing.T) {
	t.Parallel()
	m := cleaning(t, apptest.New())
	m.Rules.AddImmutable()
	if e := m.Rules.State().Editor; e == nil || !e.Immutable || e.CanSave {
		t.Fatalf("%+v", e)
	}
	m.Rules.SetField(FieldTags, "release-*")
	m.Rules.Save()
	if rows := m.Rules.State().Immutable; len(rows) != 2 || rows[1].Text != "** :release-*" {
		t.Fatalf("%+v", rows)
	}
	m.Rules.DeleteImmutable(0)
	m.Shell.Undo()
	if rows := m.Rules.State().Immutable; len(rows) != 2 || rows[0].Text != "acme/* :v*" {
		t.Errorf("%+v", rows)
	}
}
