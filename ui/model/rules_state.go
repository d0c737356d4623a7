package model

import "berth/app"

// RulesState is the card of rules, immutable tags and the schedule.
type RulesState struct {
	Phase   Phase
	Problem *app.Problem
	Rows    []RuleRow
	// Locked says why rules cannot be changed here; empty: they can.
	Locked string
	// Note is a line in place of figures, such as that they are being collected.
	Note string
	// Warning names a repository that would keep no tag, or is empty.
	Warning string
	// Preview is "Preview 37 tags"; CanApply says whether anything would go.
	Preview  string
	CanApply bool
	// Apply is the run of the rules that is under way; nil when none is.
	Apply *RunView
	// Next is "Next run tonight 03:00".
	Next     string
	Schedule ScheduleView

	Immutable       []ImmutableRow
	ImmutableLocked string

	// Editor is the sheet of one rule, Verdicts that of the preview; nil while
	// closed.
	Editor   *RuleEditor
	Verdicts *VerdictsView
}

// RuleRow is one rule.
type RuleRow struct {
	// Applies is "acme/* :pr-*", Keep "newest 5, or younger than 7 days".
	Applies, Keep string
	// Tags is "31 tags", Frees "284 MB".
	Tags, Frees string
	// None is true when it would delete nothing.
	None bool
	On   bool
	Tip  string
}

// ScheduleView is when a clean-up runs by itself.
type ScheduleView struct {
	// Kind is off, daily or weekly; At "03:00"; Weekday "sunday"; Low "5GB" or
	// empty.
	Kind, At, Weekday, Low string
	// Locked says, by the words above in lower case, what cannot be changed here
	// and where it comes from.
	Locked map[string]string
}

// ImmutableRow is one pattern of tags that cannot be moved or deleted.
type ImmutableRow struct{ Text, Tip string }

// RuleField names a field of the editor.
type RuleField string

// The fields of the editor of a rule.
const (
	FieldRepositories RuleField = "repositories"
	FieldTags         RuleField = "tags"
	FieldExcept       RuleField = "except"
	FieldNewest       RuleField = "newest"
	FieldVersions     RuleField = "versions"
	FieldYounger      RuleField = "younger"
	FieldPulled       RuleField = "pulled"
	FieldAlways       RuleField = "always"
	FieldUntagged     RuleField = "untagged"
)

// RuleEditor is the sheet in which a rule, or a pattern of immutable tags, is
// written.
type RuleEditor struct {
	Title string
	// Immutable is true for a pattern of immutable tags: it has only the first
	// three fields.
	Immutable bool
	// New is true until it was saved once: there is nothing to delete then.
	New    bool
	Values map[RuleField]string
	// Wrong says what is wrong with a field.
	Wrong map[RuleField]string
	// Words are the rule in the words of the table.
	Words string
	// Would is "would delete 31 tags, 284 MB", or that it is being counted.
	Would string
	// Warning names a repository that would keep no tag, or is empty.
	Warning string
	// Harmless is true when it would delete nothing.
	Harmless bool
	// Problem is what the registry says is wrong.
	Problem *app.Problem
	CanSave bool
}

// VerdictsView is the sheet that says what the rules would do, and why.
type VerdictsView struct {
	Phase   Phase
	Problem *app.Problem
	// Title is "37 tags would go to the trash, 1.5 GB".
	Title, Filter string
	// Warning names a repository that would keep no tag, or is empty.
	Warning string
	// Rule narrows to one rule; empty means all. Rules are those to choose from.
	Rule  string
	Rules []string
	// Dropped leaves out what stays.
	Dropped bool
	Rows    []VerdictRow
	// CanApply says whether anything would go now.
	CanApply bool
	// Cut is "and 1,200 more: filter to see them", or empty.
	Cut string
}

// VerdictRow is what becomes of one tag.
type VerdictRow struct {
	Name, Verdict, Because, Rule, Size string
	Keep                               bool
	// Tip says when it was pushed and pulled.
	Tip string
}
