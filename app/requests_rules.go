package app

import "time"

// Rule says which tags a clean-up keeps. It speaks of the tags that it selects;
// a tag goes only if every rule that speaks of it would drop it.
type Rule struct {
	Name string `json:"name,omitempty"`
	// Repositories, Tags and Except are patterns; none means all, or, for
	// Except, none.
	Repositories []string `json:"repositories,omitempty"`
	Tags         []string `json:"tags,omitempty"`
	Except       []string `json:"except,omitempty"`
	// Newest and Versions are how many manifests stay by push, by version.
	Newest   int `json:"newest,omitempty"`
	Versions int `json:"versions,omitempty"`
	// Younger and Pulled are ages such as "7d": what was pushed, or pulled,
	// since stays.
	Younger string `json:"younger,omitempty"`
	Pulled  string `json:"pulled,omitempty"`
	// Always are patterns of tags that stay.
	Always []string `json:"always,omitempty"`
	// Untagged is the age from which manifests go that no tag names.
	Untagged string `json:"untagged,omitempty"`
	// Off switches the rule off without forgetting it.
	Off bool `json:"off,omitempty"`
}

// ImmutableRule selects tags that cannot be moved or deleted.
type ImmutableRule struct {
	Name         string   `json:"name,omitempty"`
	Repositories []string `json:"repositories,omitempty"`
	Tags         []string `json:"tags,omitempty"`
	Except       []string `json:"except,omitempty"`
}

// RulesRequest asks for the rules.
type RulesRequest struct{}

// RulesReply gives the rules in effect.
type RulesReply struct {
	Rules     []Rule          `json:"rules"`
	Immutable []ImmutableRule `json:"immutable"`
	// Locked says what the rules come from, when they cannot be changed here: a
	// variable of the environment; empty: they can.
	Locked          string `json:"locked,omitempty"`
	ImmutableLocked string `json:"immutable_locked,omitempty"`
	// Version changes with the rules, and is the same for the same rules.
	Version string `json:"version,omitempty"`
}

// SetRulesRequest replaces rules; nil leaves them as they are.
type SetRulesRequest struct {
	// Version is that of the rules which these were made from. When others are in
	// effect by now nothing is changed: a Problem rules_changed. Empty: whatever
	// is in effect is replaced.
	Version   string           `json:"version,omitempty"`
	Rules     *[]Rule          `json:"rules,omitempty"`
	Immutable *[]ImmutableRule `json:"immutable,omitempty"`
}

// PreviewRulesRequest asks what rules would do. Nothing is changed.
type PreviewRulesRequest struct {
	// Rules to judge by; nil means those in effect.
	Rules *[]Rule `json:"rules,omitempty"`
	// Verdicts asks for each tag; Repository, a pattern as in a rule, and Search
	// narrow them, Dropped leaves out what stays. Limit 0 means 1000.
	Verdicts   bool   `json:"verdicts,omitempty"`
	Repository string `json:"repository,omitempty"`
	Search     string `json:"search,omitempty"`
	Dropped    bool   `json:"dropped,omitempty"`
	Limit      int    `json:"limit,omitempty"`
	// Measured waits until what the rules free is known exactly, which takes
	// some time where many tags go.
	Measured bool `json:"measured,omitempty"`
}

// PreviewRulesReply says what rules would do.
type PreviewRulesReply struct {
	// Rules has one row for each rule, as if it were the only one; a rule that
	// is off has its row too, as if it were on.
	Rules []RulePreview `json:"rules"`
	// All is what the rules that are on do together.
	All RulePreview `json:"all"`
	// Verdicts, those that drop first; Cut says how many more there are.
	Verdicts []Verdict `json:"verdicts,omitempty"`
	Cut      int       `json:"cut,omitempty"`
	// Indexing is true while not everything is known, and nothing is dropped.
	Indexing bool `json:"indexing,omitempty"`
	// Measuring is true while a figure of what is freed is one of before, or 0
	// because it is not known yet; a notice of upkeep tells when it is.
	Measuring bool `json:"measuring,omitempty"`
}

// RulePreview is what one rule, or all together, would drop.
type RulePreview struct {
	Tags      int `json:"tags"`
	Manifests int `json:"manifests"` // without a tag
	// Frees is what that frees once the trash has let go, in bytes.
	Frees int64 `json:"frees"`
	// Emptied is how many repositories would keep no tag at all, which is seldom
	// meant; Emptying is the name of the first of them.
	Emptied  int    `json:"emptied,omitempty"`
	Emptying string `json:"emptying,omitempty"`
}

// Verdict is what becomes of a tag, or of a manifest without one, and why.
type Verdict struct {
	Repository string    `json:"repository"`
	Tag        string    `json:"tag,omitempty"`
	Digest     string    `json:"digest"`
	Size       int64     `json:"size"`
	Pushed     time.Time `json:"pushed,omitzero"`
	Pulled     time.Time `json:"pulled,omitzero"`
	Keep       bool      `json:"keep"`
	// Because is a sentence, without a capital and a full stop.
	Because string `json:"because"`
	// Rule that decided; empty when none did.
	Rule string `json:"rule,omitempty"`
}

// ApplyRulesRequest drops what the rules say, into the trash.
type ApplyRulesRequest struct{}

// PinRequest keeps a tag from every rule, or, with Off, no longer.
type PinRequest struct {
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	Off        bool   `json:"off,omitempty"`
}

// PinReply says whether anything changed.
type PinReply struct {
	Changed bool `json:"changed"`
}

// PinsRequest asks for the pins.
type PinsRequest struct{}

// PinsReply lists them, by name.
type PinsReply struct {
	Pins []Pin `json:"pins"`
	// Problems name records that cannot be read, and hold what they may hold.
	Problems []string `json:"problems,omitempty"`
}

// Pin is a tag that every rule keeps, and its manifest, which stays although
// the tag is moved or deleted.
type Pin struct {
	Repository string    `json:"repository"`
	Tag        string    `json:"tag"`
	Digest     string    `json:"digest"`
	By         string    `json:"by,omitempty"`
	At         time.Time `json:"at"`
}
